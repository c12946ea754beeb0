# SPDX-License-Identifier: Apache-2.0
"""Venues (clause 5): registered, approved and inspected by the ward, and given a signed code to hang up."""
