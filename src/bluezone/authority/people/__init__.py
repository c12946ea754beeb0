# SPDX-License-Identifier: Apache-2.0
"""The accounts of people: made one by one, by a list, or for the first administrator; and invitations."""
