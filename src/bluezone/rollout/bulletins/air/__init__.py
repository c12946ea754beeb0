# SPDX-License-Identifier: Apache-2.0
"""Bulletins on the air: schedules, the plan of airings, the log of what was aired, and files for the press."""
