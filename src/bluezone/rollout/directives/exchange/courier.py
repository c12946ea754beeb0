# SPDX-License-Identifier: Apache-2.0
"""The courier: a thread of the worker that carries documents and states to offices with an address, over HTTPS.

What is to be sent follows from what is stored, and is written into the outbox (Delivery) in the transaction that notes
it as written. It is sent again, later each time, until the other office has signed that it has it. That office knows a
message by what was signed in it, so one that was sent twice is read in once. Messages about one document at one agency
keep their order.
"""

import asyncio
import datetime
import hashlib
import logging
import random
import ssl
import threading
import time
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from django.db import IntegrityError, close_old_connections, connection, transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone

from bluezone.logs import event_fields
from bluezone.refusal import Refused
from bluezone.rollout.directives.exchange import handover, outgoing, partners
from bluezone.rollout.directives.exchange.handover import Outcome, Receipt
from bluezone.rollout.directives.models import (
    Delivery,
    DirectiveState,
    Dispatch,
    DispatchEvent,
    EventKind,
    PartnerAddress,
    TaskParty,
)

log = logging.getLogger(__name__)

LOOK_SECONDS = 2.0
# While messages get through.
BUSY_SECONDS = 0.1
_AFTER_TROUBLE_SECONDS = 10.0
# For a whole exchange: name, connection, TLS, the message and the answer to it.
DEADLINE_SECONDS = 60.0
LONGEST_PAUSE_SECONDS = 900
# Of one office in a round, and at the same time; of one where nothing got through in the last round, a single one.
AT_ONCE, IN_PARALLEL = 24, 4
# How many messages are written for one office in a round.
_WRITTEN = 200


class Trouble:
    """Why a message waits, as Delivery.trouble keeps it; a refusal is kept by its own code."""

    UNREACHABLE = "unreachable"
    INSECURE = "insecure"
    UNKNOWN_THERE = "unknown_there"
    BUSY = "busy"
    NOT_AN_OFFICE = "not_an_office"
    RECEIPT_WRONG = "receipt_wrong"


@dataclass(frozen=True)
class Parcel:
    """A message as it goes over the network. authority: PEM, "" for those this machine trusts."""

    url: str
    authority: str
    body: bytes
    headers: dict[str, str]


@dataclass(frozen=True)
class Answer:
    """What came back: body and signature of a 200 or 422; else the trouble."""

    body: bytes = b""
    signature: str = ""
    trouble: str = ""


def collect(now: datetime.datetime, left_out: Collection[str] = ()) -> tuple[int, list[str]]:
    """Write what is due to offices with an address into the outbox.

    left_out: matters that could not be written a while ago. Returns how many messages were written, and which matters
    could not be.
    """
    written, failed = 0, []
    held = PartnerAddress.objects.filter(agency__in=partners.elsewhere()).exclude(agency__edxml_id="")
    for address in held.select_related("agency").order_by("pk"):
        matters: list[tuple[Dispatch, str, DispatchEvent | None]] = []
        matters += [(one, matter, None) for one, matter in _due_documents(address)]
        matters += [(one.dispatch, f"state {one.pk}", one) for one in _due_states(address)]
        for dispatch, matter, happened in matters:
            name = f"{dispatch.pk} {matter}"
            if name in left_out:
                continue
            try:
                written += _write(dispatch, matter, address, now, happened)
            except Refused as refused:
                failed.append(name)
                log.warning("exchange: %s", refused.code, extra=event_fields("exchange_refused", code=refused.code))
    return written, failed


def _due_documents(address: PartnerAddress) -> list[tuple[Dispatch, str]]:
    """Documents of ours for the agency that were not written for the network, with what is to be told of them."""
    told = Delivery.objects.filter(dispatch=OuterRef("pk"))
    ours = (
        Dispatch.objects.filter(agency=address.agency_id, parent=None, directive__from_file=False)
        .exclude(state="handed_on")
        .exclude(directive__issuer__edxml_id="")
        .select_related("directive__issuer__unit", "directive__issuer__parent", "directive__original")
        .select_related("directive__signed_copy", "directive__replaces__issuer", "directive__campaign")
        .select_related("agency__parent", "agency__unit")
        .order_by("pk")
    )
    # What was handed over as a file before there was an address is not sent once more.
    new = ours.filter(~Exists(told), directive__state=DirectiveState.ISSUED).exclude(state="recalled")
    new = new.filter(Q(by_file=False) | Q(directive__issued_at__gte=address.set_at))
    found = [(one, "document") for one in new[:_WRITTEN]]
    sent = ours.filter(Exists(told.filter(matter="document")))
    recalled = sent.filter(~Exists(told.filter(matter="recall")), directive__state=DirectiveState.REVOKED)
    found += [(one, "recall") for one in recalled.exclude(state="recalled")[:_WRITTEN]]
    given = TaskParty.objects.filter(
        task__directive=OuterRef("directive"), agency=OuterRef("agency"), due__isnull=False
    )
    for one in sent.filter(Exists(given), directive__state=DirectiveState.ISSUED).exclude(state="recalled"):
        days = ",".join(f"{party.task_id}:{party.due}" for party in outgoing.granted(one))
        matter = f"update {hashlib.sha256(days.encode()).hexdigest()[:32]}"
        if not one.deliveries.filter(matter=matter).exists():
            found.append((one, matter))
    return found


def _due_states(address: PartnerAddress) -> list[DispatchEvent]:
    """States of documents of that office, and recalls of ours from its agency, that were not written yet."""
    theirs = outgoing.to_tell().filter(dispatch__directive__issuer=address.agency_id)
    theirs = theirs.exclude(dispatch__agency__edxml_id="")
    recalls = DispatchEvent.objects.filter(
        dispatch__agency=address.agency_id,
        dispatch__directive__from_file=False,
        dispatch__deliveries__matter="document",
        what=EventKind.RECALLED,
        status_file=None,
    )
    parts: list[QuerySet[DispatchEvent]] = [theirs, recalls]
    found = [
        one
        for part in parts
        for one in part.select_related(
            "actor", "dispatch__agency__parent", "dispatch__directive__issuer__parent"
        ).order_by("pk")[:_WRITTEN]
    ]
    return [one for one in found if outgoing.status_of(one)]


def _write(
    dispatch: Dispatch,
    matter: str,
    address: PartnerAddress,
    now: datetime.datetime,
    happened: DispatchEvent | None = None,
) -> int:
    try:
        with transaction.atomic():
            if happened is not None:
                written = outgoing.write_status(happened, None, now)
            else:
                written = outgoing.write_document(dispatch, None, now, first=matter == "document")
            Delivery.objects.create(
                file=written.file,
                dispatch=dispatch,
                partner=address.agency,
                matter=matter,
                content=written.content,
                next_at=now,
                made_at=now,
            )
    except IntegrityError:
        # Another worker was quicker.
        return 0
    return 1


def due(now: datetime.datetime, most: int = AT_ONCE, patient: frozenset[int] = frozenset()) -> list[Delivery]:
    """What is tried now, oldest first: nothing whose dispatch has an earlier message waiting.

    most: of one office. patient: primary keys of agencies where nothing got through, of which one message is tried.
    """
    earlier = Delivery.objects.filter(
        dispatch=OuterRef("dispatch"), state=Delivery.State.WAITING, pk__lt=OuterRef("pk")
    )
    ready = Delivery.objects.filter(~Exists(earlier), state=Delivery.State.WAITING, next_at__lte=now)
    # Nothing goes to an office whose certificate was removed, or which has no address any more.
    ready = ready.filter(partner__in=partners.elsewhere(), partner__exchange_address__isnull=False)
    found: list[Delivery] = []
    for partner in ready.order_by().values_list("partner", flat=True).distinct():
        of_one = ready.filter(partner=partner).select_related("partner__exchange_address").order_by("next_at", "pk")
        found += of_one.select_related("dispatch__agency", "dispatch__directive__issuer", "partner")[
            : 1 if partner in patient else most
        ]
    return found


class Courier:
    """Rounds of one worker, and what it remembers from one to the next."""

    def __init__(self) -> None:
        # Agencies where nothing got through; what could not be written, and until when it is left alone.
        self._patient: frozenset[int] = frozenset()
        self._failed: dict[str, float] = {}

    def go_on(self, now: datetime.datetime) -> int:
        """One round: write what is due, send what waits, store what came back; how many messages got through."""
        seconds = time.monotonic()
        self._failed = {name: until for name, until in self._failed.items() if until > seconds}
        _written, failed = collect(now, self._failed)
        self._failed |= dict.fromkeys(failed, seconds + LONGEST_PAUSE_SECONDS)
        waiting = due(now, patient=self._patient)
        if not waiting:
            self._patient = frozenset()
            return 0
        answers = asyncio.run(_send([_parcel(one, now) for one in waiting]))
        settled = [(one.partner_id, _settle(one, answer, now)) for one, answer in zip(waiting, answers, strict=True)]
        through = {partner for partner, did in settled if did}
        self._patient = frozenset(one.partner_id for one in waiting) - through
        return sum(did for _partner, did in settled)


def _parcel(delivery: Delivery, now: datetime.datetime) -> Parcel:
    address, dispatch = delivery.partner.exchange_address, delivery.dispatch
    ours = dispatch.agency if dispatch.directive.from_file else dispatch.directive.issuer
    body = bytes(delivery.content or b"")
    signer = partners.office_signer(now)
    headers = handover.message_headers(ours.edxml_id, delivery.partner.edxml_id, body, signer)
    return Parcel(address.url + handover.PATH, address.authority, body, headers)


def _settle(delivery: Delivery, answer: Answer, now: datetime.datetime) -> bool:
    """Store what came back; whether the other office answered as itself."""
    receipt: Receipt | None = None
    if not answer.trouble:
        held = partners.held_of(delivery.partner.edxml_id, now)
        digest = handover.digest_of(bytes(delivery.content or b""))
        receipt = handover.read_receipt(answer.body, answer.signature, digest, held)
    # A worker that led before may still be under way with the same message.
    mine = Delivery.objects.filter(pk=delivery.pk, state=Delivery.State.WAITING)
    if receipt is None:
        trouble = answer.trouble or Trouble.RECEIPT_WRONG
        pause = min(LONGEST_PAUSE_SECONDS, 2 ** min(delivery.tries, 12)) * random.uniform(0.8, 1.2)  # noqa: S311 - a pause
        later = now + datetime.timedelta(seconds=pause)
        mine.update(tries=F("tries") + 1, next_at=later, trouble=trouble)
        if delivery.trouble != trouble:
            log.warning("exchange: %s", trouble, extra=event_fields("exchange_waits", code=trouble))
        return False
    refused = receipt.outcome is Outcome.REFUSED
    values = {
        "state": Delivery.State.REFUSED if refused else Delivery.State.TAKEN,
        "trouble": receipt.code if refused else "",
        "receipt": f"{answer.body.decode()}\n{answer.signature}",
        "settled_at": now,
        "tries": F("tries") + 1,
    }
    if not refused:
        values["content"] = None
    mine.update(**values)
    return True


def send_again(delivery: Delivery, now: datetime.datetime) -> None:
    """Try a message now that waits or was refused, unless its copy went after a month."""
    kept = Delivery.objects.filter(pk=delivery.pk, content__isnull=False)
    kept.exclude(state=Delivery.State.TAKEN).update(state=Delivery.State.WAITING, next_at=now, settled_at=None)


async def _send(parcels: Sequence[Parcel]) -> list[Answer]:
    import aiohttp

    turns: dict[str, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(IN_PARALLEL))
    trust: dict[str, ssl.SSLContext] = {}
    for one in parcels:
        if one.authority not in trust:
            trust[one.authority] = ssl.create_default_context(cadata=one.authority or None)

    async def send(parcel: Parcel) -> Answer:
        async with turns[parcel.url]:
            try:
                async with (
                    asyncio.timeout(DEADLINE_SECONDS),
                    session.post(
                        parcel.url,
                        data=parcel.body,
                        headers=parcel.headers,
                        ssl=trust[parcel.authority],
                        allow_redirects=False,
                    ) as response,
                ):
                    body = await response.content.read(handover.LARGEST_ANSWER + 1)
                    while body and len(body) <= handover.LARGEST_ANSWER and not response.content.at_eof():
                        body += await response.content.read(handover.LARGEST_ANSWER + 1 - len(body))
                    return _answer(response.status, body, response.headers.get(handover.SIGNATURE, ""))
            except (aiohttp.ClientConnectorCertificateError, aiohttp.ClientConnectorSSLError, ssl.SSLError):
                return Answer(trouble=Trouble.INSECURE)
            except (aiohttp.ClientError, TimeoutError, ValueError, OSError):
                return Answer(trouble=Trouble.UNREACHABLE)

    # A connection for each message, nothing of the environment (proxies, .netrc), no cookies.
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(force_close=True), trust_env=False, cookie_jar=aiohttp.DummyCookieJar()
    ) as session:
        return list(await asyncio.gather(*map(send, parcels)))


def _answer(status: int, body: bytes, signature: str) -> Answer:
    if status in (200, 422) and signature:
        return Answer(body, signature)
    if status == 401:
        return Answer(trouble=Trouble.UNKNOWN_THERE)
    if status == 429 or status >= 500:
        return Answer(trouble=Trouble.BUSY)
    return Answer(trouble=Trouble.NOT_AN_OFFICE)


def carry_until(stopped: threading.Event) -> None:
    """Collect and carry until `stopped`, beside the worker's tick, so that no office that is away holds it up."""
    courier = Courier()
    while not stopped.is_set():
        pause = LOOK_SECONDS
        if connection.vendor != "sqlite":
            close_old_connections()
        try:
            if PartnerAddress.objects.exists() and courier.go_on(timezone.now()):
                pause = BUSY_SECONDS
        except Exception as error:  # whatever it is, letters must not stop with this thread
            connection.close()
            code = error.code if isinstance(error, Refused) else type(error).__name__
            log.warning("exchange: %s", code, extra=event_fields("exchange_refused", code=code))
            pause = _AFTER_TROUBLE_SECONDS
        stopped.wait(pause)
    connection.close()
