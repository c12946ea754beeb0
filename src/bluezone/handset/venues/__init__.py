# SPDX-License-Identifier: Apache-2.0
"""Stays at venues, kept on the phone alone, and the pass that it shows at a gate."""
