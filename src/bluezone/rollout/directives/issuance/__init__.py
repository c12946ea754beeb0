# SPDX-License-Identifier: Apache-2.0
"""The issuing office: a letter taken in, its draft corrected, approved, issued to its recipients, replaced or
recalled; and campaigns.
"""
