# SPDX-License-Identifier: Apache-2.0
"""Public site, materials and the web edition (issue 3)."""
