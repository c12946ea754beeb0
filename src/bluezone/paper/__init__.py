# SPDX-License-Identifier: Apache-2.0
"""Everything the office prints or hands out as a file: sheets for the printer, QR codes, tables as CSV and XLSX,
and documents in administrative layout.
"""
