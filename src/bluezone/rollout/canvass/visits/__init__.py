# SPDX-License-Identifier: Apache-2.0
"""Visits as canvass phones send them: reading an entry, storing it once, keeping doubtful ones aside, photographs."""
