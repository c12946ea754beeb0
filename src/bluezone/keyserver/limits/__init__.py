# SPDX-License-Identifier: Apache-2.0
"""Guessing is slowed down by puzzles; no one is locked out."""
