# SPDX-License-Identifier: Apache-2.0
"""The audit of the office: who did what, in a chain of keyed hashes that shows any later change. Its pages are in
bluezone.authority.
"""
