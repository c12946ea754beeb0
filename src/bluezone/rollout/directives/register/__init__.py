# SPDX-License-Identifier: Apache-2.0
"""The registers of documents in and out of an agency (sổ đăng ký văn bản đến, đi)."""
