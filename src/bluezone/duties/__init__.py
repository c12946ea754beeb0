# SPDX-License-Identifier: Apache-2.0
"""Duties: what each part of the office registers of itself, in one place (docs/contributing/a-new-duty.md)."""
