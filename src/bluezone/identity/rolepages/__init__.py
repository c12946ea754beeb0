# SPDX-License-Identifier: Apache-2.0
"""The guides of the roles: a page for each, in both languages."""
