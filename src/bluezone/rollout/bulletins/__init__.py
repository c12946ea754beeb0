# SPDX-License-Identifier: Apache-2.0
"""Bulletins (clause 6): texts and sound, approved after listening; the plan of airings and the log of them."""
