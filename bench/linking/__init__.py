# SPDX-License-Identifier: Apache-2.0
"""A city in which cases report, and whoever copies its stores: docs/privacy.md, What copies of the stores tell."""
