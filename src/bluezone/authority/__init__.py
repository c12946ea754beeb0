# SPDX-License-Identifier: Apache-2.0
"""Who is given which authority: accounts made, roles granted, ended and delegated, and the pages for overseers,
including those of the audit.
"""
