# SPDX-License-Identifier: Apache-2.0
"""Loudspeakers (clause 6): zones and their machines, what they are to play, and what they say they played."""
