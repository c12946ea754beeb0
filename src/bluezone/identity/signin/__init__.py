# SPDX-License-Identifier: Apache-2.0
"""Signing in and out: counted attempts, the sessions of browsers, and the pages."""
