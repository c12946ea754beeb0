# SPDX-License-Identifier: Apache-2.0
"""Setting gates up: opening them, their tablets, their gatekeepers, and what is printed for them."""
