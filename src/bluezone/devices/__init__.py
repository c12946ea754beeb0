# SPDX-License-Identifier: Apache-2.0
"""Enrolled tablets, canvass phones and speakers (issue 2)."""
