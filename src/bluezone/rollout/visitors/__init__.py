# SPDX-License-Identifier: Apache-2.0
"""Visitors (clause 5): guests who arrive get the notice on their phone at once, if they say yes at the desk."""
