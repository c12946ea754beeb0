# SPDX-License-Identifier: Apache-2.0
"""The owner's report: code, consent, the three calls real or rehearsed, and the list of what was ever sent."""
