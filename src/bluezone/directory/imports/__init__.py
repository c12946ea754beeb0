# SPDX-License-Identifier: Apache-2.0
"""Lists that people send in as CSV, XLS or XLSX: read without trusting them, headings found, planned against the
directory, shown, then applied.
"""
