# SPDX-License-Identifier: Apache-2.0
"""`bluezone speaker run`: a loudspeaker as a program that plays from its cache and proves it."""
