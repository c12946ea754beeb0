# SPDX-License-Identifier: Apache-2.0
"""Signing in: the page, the attempts it counts, the session that follows, and the link by which an account is taken."""
