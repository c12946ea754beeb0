# SPDX-License-Identifier: Apache-2.0
"""A witness: a program of its own, on another's machine, that watches cities' logs and cosigns what only grew."""
