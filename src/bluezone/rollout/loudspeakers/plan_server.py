# SPDX-License-Identifier: Apache-2.0
"""What loudspeakers poll every two seconds, in front of Django: `GET /v1/speakers/plan` and their audio files.

500 machines ask 250 times a second, so the usual answer (304, nothing changed) touches no store: who holds which
token is read every five seconds, whether the plan changed every quarter of one, and the machines' last word is
written every half minute for all of them together. Contracts: docs/reference/openapi-speakers.yaml.
"""

import datetime
import hashlib
import json
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

from django.db import DatabaseError, close_old_connections, connection

PREFIX = "/v1/speakers/"
PLAN_PATH, AUDIO_PATH = PREFIX + "plan", PREFIX + "audio/"
AHEAD = datetime.timedelta(hours=48)
BEHIND = datetime.timedelta(hours=1)
TOKENS_SECONDS = 5.0
VERSION_SECONDS = 0.25
FLUSH_SECONDS = 30.0
# A token that nobody holds makes the list be read again, but not by a stranger's flood.
UNKNOWN_SECONDS = 1.0

Environ = dict[str, Any]
StartResponse = Callable[[str, list[tuple[str, str]]], Any]
# Zone and volume: machines with the same have the same plan.
Place = tuple[int | None, int]
_NOWHERE: Place = (None, 0)
_CHALLENGE = ("WWW-Authenticate", "Bearer")


def answers(path: str) -> bool:
    """Whether this answers a path; the rest of PREFIX is Django's."""
    return path == PLAN_PATH or path.startswith(AUDIO_PATH)


class PlanServer:
    """One process's memory of tokens and plans. wall: Unix seconds; clock: monotonic seconds."""

    def __init__(self, wall: Callable[[], float] = time.time, clock: Callable[[], float] = time.monotonic) -> None:
        self._wall, self._clock = wall, clock
        self._lock = threading.Lock()
        self._holders: dict[str, int] = {}
        # "Bearer " and a token that was found -> its digest. Questions are milliseconds apart, and each step that is
        # not in the processor's caches any more costs some microseconds.
        self._digests: dict[str, str] = {}
        self._holders_at = self._unknown_at = self._version_at = -TOKENS_SECONDS
        self._stamp: tuple[int, int] = (-1, -1)
        self._places: dict[int, Place] = {}
        self._plans: dict[Place, tuple[str, bytes]] = {}
        self._zones: dict[int | None, dict[str, Any]] = {}
        self._heard: set[int] = set()
        self._flushed_at = clock()

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request; errors in the one shape of the API."""
        if environ.get("REQUEST_METHOD") not in ("GET", "HEAD"):
            return _error(start_response, "405 Method Not Allowed", "method_not_allowed", ("Allow", "GET, HEAD"))
        try:
            return self._answer(environ, start_response)
        except DatabaseError:
            return _error(start_response, "503 Service Unavailable", "office_unavailable", ("Retry-After", "5"))

    def unchanged(self, authorization: str, if_none_match: str) -> list[tuple[str, str]] | None:
        """The headers of the usual answer, 304, for a known machine while nothing is due; None where a store is asked.

        It waits for nothing, so that it needs no thread.
        """
        now = self._clock()
        due = (
            now - self._holders_at >= TOKENS_SECONDS
            or now - self._version_at >= VERSION_SECONDS
            or now - self._flushed_at >= FLUSH_SECONDS
        )
        device = None if due else self._holders.get(self._digests.get(authorization, ""))
        if device is None:
            return None
        found = self._plans.get(self._places.get(device, _NOWHERE))
        if found is None or found[0] != if_none_match:
            return None
        self._heard.add(device)
        return self._headers(found[0])

    def _headers(self, etag: str) -> list[tuple[str, str]]:
        return [("ETag", etag), ("Cache-Control", "no-cache"), ("Bluezone-Time", str(int(self._wall() * 1000)))]

    def _answer(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        now = self._clock()
        if now - self._holders_at >= TOKENS_SECONDS:
            self._read_holders(now)
        authorization = environ.get("HTTP_AUTHORIZATION", "")
        device = self._holders.get(self._digests.get(authorization, "")) or self._device(authorization, now)
        if device is None:
            return _error(start_response, "401 Unauthorized", "device_token_invalid", _CHALLENGE)
        self._heard.add(device)
        if now - self._flushed_at >= FLUSH_SECONDS:
            self._flush()
        path = environ["PATH_INFO"]
        if path != PLAN_PATH:
            return _audio(path.removeprefix(AUDIO_PATH), start_response)
        if now - self._version_at >= VERSION_SECONDS:
            self._look_for_changes()
        etag, body = self._plan(device)
        headers = self._headers(etag)
        if environ.get("HTTP_IF_NONE_MATCH") == etag:
            start_response("304 Not Modified", headers)
            return []
        start_response("200 OK", [*headers, ("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
        return [body]

    def _device(self, authorization: str, now: float) -> int | None:
        """Who holds a token not met before: by its SHA-256, so that the look-up's time tells nothing of the others.

        Those met before are found by Python's hash, whose key each process draws.
        """
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer":
            return None
        digest = hashlib.sha256(token.strip().encode()).hexdigest()
        device = self._holders.get(digest)
        if device is None and now - self._unknown_at >= UNKNOWN_SECONDS:
            self._unknown_at = now
            self._read_holders(now)
            device = self._holders.get(digest)
        if device is not None:
            # In one writing alone, so that no token fills the memory with writings of it.
            self._digests[f"Bearer {token.strip()}"] = digest
        return device

    def _read_holders(self, now: float) -> None:
        from bluezone.devices.models import Device, DeviceKind

        close_old_connections()
        held = Device.objects.filter(kind=DeviceKind.SPEAKER, revoked_at=None, token_digest__isnull=False)
        self._holders = {digest: pk for digest, pk in held.values_list("token_digest", "pk") if digest}
        # A copy, because another thread may be adding one.
        known = dict(self._digests)
        self._digests = {bearer: digest for bearer, digest in known.items() if digest in self._holders}
        self._holders_at = now

    def _plan(self, device: int) -> tuple[str, bytes]:
        """The entity tag and the JSON of a machine's plan."""
        place, plans, zones = self._places.get(device, _NOWHERE), self._plans, self._zones
        found = plans.get(place)
        if found is None:
            if place[0] not in zones:
                zones[place[0]] = plan_of(place[0], self._stamp[1] * 3600)
            body = json.dumps({**zones[place[0]], "volume": place[1]}, ensure_ascii=False).encode()
            found = plans[place] = (f'"{hashlib.sha256(body).hexdigest()[:32]}"', body)
        return found

    def _look_for_changes(self) -> None:
        """Let plans be made anew when something changed or an hour has passed."""
        now, stamp = self._clock(), (_version(), int(self._wall() // 3600))
        with self._lock:
            if stamp != self._stamp:
                self._places, self._plans, self._zones = _places(), {}, {}
                self._stamp = stamp
            self._version_at = now

    def _flush(self) -> None:
        """Write for all machines together that they spoke."""
        with self._lock:
            heard, self._heard, self._flushed_at = self._heard, set(), self._clock()
        if heard:
            _write_heard(heard, datetime.datetime.fromtimestamp(self._wall(), datetime.UTC))


def plan_of(zone: int | None, hour: int) -> dict[str, Any]:
    """What a zone plays from an hour before `hour` (Unix seconds, a full hour) until AHEAD after it; no volume."""
    from bluezone.messaging.present_city import present_city
    from bluezone.rollout.bulletins.api import Airing, Outlet, emergency_sounds
    from bluezone.rollout.loudspeakers.live import ends_by
    from bluezone.rollout.loudspeakers.models import Address

    if zone is None:
        return {"zone": None, "items": [], "ready": [], "live": None}
    at = datetime.datetime.fromtimestamp(hour, datetime.UTC)
    # What was stopped is not named, although it fell due: by that a machine knows that what sounds is to be silent.
    goes_on = Airing.objects.filter(
        schedule__stopped_at=None, schedule__bulletin__withdrawn_at=None, schedule__outlets=zone
    )
    due = goes_on.filter(
        outlet=zone, starts_at__gte=at - BEHIND, starts_at__lt=at + AHEAD, sound__isnull=False
    ).order_by("starts_at", "pk")
    rows = due.values_list(
        "key", "starts_at", "seconds", "importance", "sound__sha256", "schedule__bulletin__title",
        "schedule__bulletin__relay", "sound__seconds",
    )  # fmt: skip
    stations = present_city().relay_stations
    items = []
    for key, starts, seconds, kind, sound, title, relay, sound_seconds in rows:
        if starts is None:
            continue
        item = {"key": key, "due": starts.timestamp(), "seconds": seconds, "importance": kind, "sound": sound,
                "title": title}  # fmt: skip
        if relay in stations:
            item["relay"] = stations[relay]
        elif relay:
            # The city has taken the station off its list: what is heard where it fails is left.
            item["seconds"] = sound_seconds
        items.append(item)
    name = Outlet.objects.values_list("name", flat=True).get(pk=zone)
    spoken = Address.objects.filter(zone=zone, ended_at=None).first()
    live = None if spoken is None else {"id": spoken.pk, "until": ends_by(spoken).timestamp()}
    return {"zone": name, "items": items, "ready": emergency_sounds(), "live": live}


def _places() -> dict[int, Place]:
    """Each machine's zone and volume; a zone that is played by hand gives its machines nothing."""
    from bluezone.rollout.loudspeakers.models import Unit

    units = Unit.objects.filter(zone__by_hand=False).values_list("pk", "zone_id", "volume", "zone__volume")
    return {pk: (zone, own if own is not None else otherwise) for pk, zone, own, otherwise in units}


def _version() -> int:
    """The plan's number, four times a second: by plain SQL, on the connection that _read_holders keeps fresh."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT number FROM loudspeakers_planversion WHERE id = 1")
        row = cursor.fetchone()
    return int(row[0]) if row else 0


def _write_heard(devices: set[int], now: datetime.datetime) -> None:
    from django.db.models import Q

    from bluezone.devices.models import Device
    from bluezone.rollout.loudspeakers.models import Unit

    keys, hour = sorted(devices), now.replace(minute=0, second=0, microsecond=0)
    for start in range(0, len(keys), 500):
        some = keys[start : start + 500]
        Unit.objects.filter(pk__in=some).update(heard_at=now)
        older = Q(last_seen_hour__isnull=True) | Q(last_seen_hour__lt=hour)
        Device.objects.filter(older, pk__in=some).update(last_seen_hour=hour)


def _audio(sha256: str, start_response: StartResponse) -> Iterable[bytes]:
    from bluezone.rollout.bulletins.api import Sound

    content = Sound.objects.filter(sha256=sha256).values_list("content", flat=True).first()
    if content is None:
        return _error(start_response, "404 Not Found", "not_found")
    body = bytes(content)
    headers = [("Content-Type", "audio/mpeg"), ("Content-Length", str(len(body))), ("ETag", f'"{sha256}"')]
    start_response("200 OK", [*headers, ("Cache-Control", "private, max-age=31536000, immutable")])
    return [body]


_SENTENCES = {
    "device_token_invalid": "the device is not connected, or was cut off; ask the office for a code",
    "method_not_allowed": "only GET is answered here",
    "not_found": "no sound of this hash is stored",
    "office_unavailable": "the office store cannot be reached; ask again",
}


def _error(start_response: StartResponse, status: str, code: str, *more: tuple[str, str]) -> Iterable[bytes]:
    body = json.dumps({"error": {"code": code, "message": _SENTENCES[code]}}).encode()
    fixed = [("Content-Type", "application/json"), ("Content-Length", str(len(body))), ("Cache-Control", "no-store")]
    start_response(status, [*fixed, *more])
    return [body]
