# SPDX-License-Identifier: Apache-2.0
"""Lists of doors (turfs): cut, leased to phones, and how far they have got."""
