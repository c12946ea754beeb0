# SPDX-License-Identifier: Apache-2.0
"""Agencies' reports on their tasks: periods, submission and acceptance, locked periods reopened, who is late, and
the reports as a file.
"""
