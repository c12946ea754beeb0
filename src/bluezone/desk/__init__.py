# SPDX-License-Identifier: Apache-2.0
"""The desk of one person: what waits for them, search, and notices (docs/office.md, My work)."""
