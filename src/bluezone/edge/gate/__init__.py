# SPDX-License-Identifier: Apache-2.0
"""`bluezone gate run`: a gate as a program that works for days without a network."""
