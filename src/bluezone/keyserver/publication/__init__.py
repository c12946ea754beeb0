# SPDX-License-Identifier: Apache-2.0
"""What phones fetch: export files, venue packages and their indexes; before that the embargo, padding and mingling."""
