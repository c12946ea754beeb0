# SPDX-License-Identifier: Apache-2.0
"""The sheets of a file that was sent: CSV, XLSX, XLS, ODS."""
