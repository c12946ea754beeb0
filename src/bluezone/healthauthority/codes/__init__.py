# SPDX-License-Identifier: Apache-2.0
"""Codes for cases: issued alone or in batches, sent as text messages, revoked, audited, and looked up in inquiries."""
