# SPDX-License-Identifier: Apache-2.0
"""A gate, a drive's radio or a loudspeaker as a box without a screen: its ticket, its versions, its updates."""
