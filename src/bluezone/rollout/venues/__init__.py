# SPDX-License-Identifier: Apache-2.0
"""Venues (clause 5): registered, approved by the ward, given a signed code to hang up, and inspected."""
