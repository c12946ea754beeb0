# SPDX-License-Identifier: Apache-2.0
"""Verification codes: issued, checked, redeemed for a certificate, revoked."""
