# SPDX-License-Identifier: Apache-2.0
"""Migrations of what waits for a second person."""
