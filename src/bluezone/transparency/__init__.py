# SPDX-License-Identifier: Apache-2.0
"""The public log of all that a city publishes, and its witnesses: hashes, notes, leaves, and the quorum."""
