# SPDX-License-Identifier: Apache-2.0
"""Limits of tries: puzzles slow guessing down, and no one is locked out."""
