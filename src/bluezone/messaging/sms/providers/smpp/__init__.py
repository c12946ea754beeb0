# SPDX-License-Identifier: Apache-2.0
"""SMPP 3.4 as an ESME: one transceiver session with the operator's message centre (SMSC)."""

from bluezone.messaging.sms.providers.smpp.provider import SmppProvider

__all__ = ["SmppProvider"]
