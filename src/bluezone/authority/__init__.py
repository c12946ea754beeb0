# SPDX-License-Identifier: Apache-2.0
"""Who is given which authority: accounts made, roles granted, ended and delegated, and the pages of overseeing,
with those of the audit.
"""
