# SPDX-License-Identifier: Apache-2.0
"""Lists that people upload as CSV, XLSX, XLS or ODS: read without trusting them, previewed, then stored."""
