# SPDX-License-Identifier: Apache-2.0
"""Makes code books on a machine of the health authority's own, which has no data folder and no network.

Source: docs/adr/0032-code-books.md.
"""
