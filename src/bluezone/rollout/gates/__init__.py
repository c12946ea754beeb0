# SPDX-License-Identifier: Apache-2.0
"""Gates (clause 1): who records entries and exits, and what the gates count; sums only, never a row per person."""
