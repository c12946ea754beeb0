# SPDX-License-Identifier: Apache-2.0
"""Verification codes for cases, venue alerts and declarations: the office's part for health workers."""
