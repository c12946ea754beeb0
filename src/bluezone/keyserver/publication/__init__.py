# SPDX-License-Identifier: Apache-2.0
"""What phones fetch: export files and venue packages, the embargo, mingling and padding before, the index after."""
