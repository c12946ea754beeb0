# SPDX-License-Identifier: Apache-2.0
"""Letters written for the bench of the reader, their truth, and how they are written as text, DOCX, PDF and scans."""
