# SPDX-License-Identifier: Apache-2.0
"""Web Push: how a browser's push service is called, with a message sealed for the browser and signed by the city."""

import base64
import ipaddress
import socket
from typing import Any

import requests
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from py_vapid import Vapid02  # type: ignore[import-untyped]
from pywebpush import WebPushException, webpush  # type: ignore[import-untyped]
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPSConnection
from urllib3.connectionpool import HTTPSConnectionPool
from urllib3.exceptions import NewConnectionError

from bluezone.keyserver.push import Subscription
from bluezone.messaging.announcer import Outcome

TIMEOUT_SECONDS = 10
# As long as phones wait between two looks at most: after that the message says nothing new.
TTL_SECONDS = 4 * 3600
_GONE = (404, 410)


class WebPushProvider:
    """Sends for one city.

    private_key: the city's P-256 key, whose public half browsers subscribed with.
    contact:     https address that a push service may turn to.
    session:     how to call out; `public_session()` unless a test gives another.
    """

    def __init__(
        self, private_key: EllipticCurvePrivateKey, contact: str, session: requests.Session | None = None
    ) -> None:
        self._vapid = Vapid02(private_key)
        self._contact = contact
        self._session = session or public_session()

    def send(self, subscription: Subscription, body: str) -> Outcome:
        """Send one message; an address that is not there any more is `GONE`, everything else that fails `FAILED`."""
        told: dict[str, Any] = {
            "endpoint": subscription.endpoint,
            "keys": {"p256dh": _base64url(subscription.p256dh), "auth": _base64url(subscription.auth)},
        }
        try:
            webpush(
                told, body, vapid_private_key=self._vapid, vapid_claims={"sub": self._contact}, ttl=TTL_SECONDS,
                timeout=TIMEOUT_SECONDS, requests_session=self._session, headers={"Topic": "check"},
            )  # fmt: skip
        except WebPushException as error:
            return (
                Outcome.GONE if error.response is not None and error.response.status_code in _GONE else Outcome.FAILED
            )
        except (requests.RequestException, ValueError, OSError):
            return Outcome.FAILED
        return Outcome.SENT


class CalledSession(requests.Session):
    """A session that follows no redirect and takes nothing from the environment: one call, to the address given."""

    def __init__(self) -> None:
        super().__init__()
        self.trust_env = False

    def request(self, *args: Any, **kwargs: Any) -> requests.Response:
        kwargs["allow_redirects"] = False
        return super().request(*args, **kwargs)


def public_session() -> requests.Session:
    """A session that reaches https on the public internet and nothing else."""
    session = CalledSession()
    session.adapters.clear()
    session.mount("https://", _PublicAdapter(max_retries=0))
    return session


class _PublicConnection(HTTPSConnection):
    def _new_conn(self) -> socket.socket:
        connected = super()._new_conn()
        peer = ipaddress.ip_address(connected.getpeername()[0].partition("%")[0])
        mapped = peer.ipv4_mapped if isinstance(peer, ipaddress.IPv6Address) else None
        if not (mapped or peer).is_global:
            connected.close()
            raise NewConnectionError(self, "the address leads into a private network")
        return connected


class _PublicPool(HTTPSConnectionPool):
    ConnectionCls = _PublicConnection


class _PublicAdapter(HTTPAdapter):
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"https": _PublicPool}


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
