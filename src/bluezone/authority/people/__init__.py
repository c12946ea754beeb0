# SPDX-License-Identifier: Apache-2.0
"""Lists of people to enter as accounts, and their invitations."""
