# SPDX-License-Identifier: Apache-2.0
"""The directory as values and rules, and what stores, changes and seeds it."""
