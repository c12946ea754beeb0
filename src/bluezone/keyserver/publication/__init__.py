# SPDX-License-Identifier: Apache-2.0
"""What phones fetch: export files, their padding, the signed index, and where the files lie."""
