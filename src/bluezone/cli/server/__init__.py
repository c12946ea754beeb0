# SPDX-License-Identifier: Apache-2.0
"""Commands of whoever runs a server: serve, backup, restore, codes, venues, manage, doctor."""
