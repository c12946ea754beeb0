# SPDX-License-Identifier: Apache-2.0
"""The public log of all that a city publishes, and those who watch it: hashes, notes, leaves, and what a quorum is."""
