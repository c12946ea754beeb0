# SPDX-License-Identifier: Apache-2.0
"""Visitors (clause 5): arriving guests get the notice on their phone at once, if they consent at the desk."""
