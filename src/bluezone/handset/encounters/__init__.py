# SPDX-License-Identifier: Apache-2.0
"""Who was heard: the phone's own keys, the encounter log, and whether the phone is running."""
