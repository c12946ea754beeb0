# SPDX-License-Identifier: Apache-2.0
"""The desk of one person: what waits for them, finding what they may see, and being told (docs/office.md, My work)."""
