# SPDX-License-Identifier: Apache-2.0
"""The JSON values that the phone returns to its page, as the engine contract (face/static/engine/interface.js) defines.

A warning has a day, minutes in bands, level and certainty, but no time of day, signal strength or identifier.
Source: docs/attacks.md row 11.
"""

from collections.abc import Iterable
from dataclasses import asdict
from datetime import date
from typing import Any

from bluezone.handset.city.neighbours import NeighbourStatus
from bluezone.handset.exposure.warnings import Warning
from bluezone.handset.journal import Entry
from bluezone.handset.overview import Overview, build_overview
from bluezone.handset.phone import CHECKED_DAYS, LAST_WARNING, Handset
from bluezone.handset.report.stages import ReportDraft, ReportPreview, unix_day
from bluezone.handset.sentlog import REPORT_REFUSED, SentRequest
from bluezone.handset.venues.event_codes import OwnEvent
from bluezone.handset.venues.stays import Poster, Stay
from bluezone.networks import origin_of
from bluezone.protocol.intervals import day_at
from bluezone.protocol.signed.config import Care
from bluezone.protocol.upload import MAX_KEY_AGE_DAYS, UPLOAD_SIZE, VERIFY_SIZE, infectious_level

# docs/protocol.md section 5: published every two hours, fetched every `poll_seconds`.
PUBLISH_SECONDS = 2 * 3600
CLASSES = {1: "confirmed", 2: "clinical"}
LEVELS = {1: "standard", 2: "high"}
DECLARATION_SIZE = 1024


def state_of(handset: Handset, language: str, next_check: float | None) -> dict[str, Any]:
    """The content of the home page. language: one of the page's. next_check: Unix seconds."""
    figures = build_overview(handset)
    stays = handset.stays.all()
    warnings = warnings_of(handset, language)
    unread = [message for message in handset.pages.messages(language) if not message.read]
    return {
        "started": handset.store.get("started_at") is not None,
        "now": handset.time.now(),
        "state": figures.state,
        "stops": list(figures.stops),
        "bluetooth": _bluetooth(figures),
        "installedAt": figures.installed_at,
        "checkedAt": figures.checked_at,
        "nextCheckAt": next_check,
        "listMadeAt": figures.list_made_at,
        "stale": "B2" in figures.stops,
        "clockOffBySeconds": figures.clock_error_seconds,
        "city": city_of(handset, language),
        "warnings": warnings,
        "lastWarning": handset.store.get(LAST_WARNING),
        "checkedDays": handset.store.get(CHECKED_DAYS, []),
        "hasEvidence": bool(stays) or bool(handset.store.numbers("pages")),
        "compared": _is_compared(handset, stays, figures.checked_at),
        "agreedAt": figures.agreed_at,
        "reportedAt": figures.reported_at,
        "acts": [entry_of(entry) for entry in handset.journal.all() if entry.kind not in ("note", "symptoms")],
        "openVisits": sum(stay.out_at is None for stay in stays),
        "unread": len(unread) + sum(not warning["read"] for warning in warnings),
        "pendingReport": pending_of(figures),
        "checkProblem": figures.check_problem,
        "storeProblem": figures.store_problem,
        "notice": figures.notice,
        "updateReady": False,
    }


def _is_compared(handset: Handset, stays: Iterable[Stay], checked_at: float | None) -> bool:
    """Whether a successful check had anything to compare: a stay that was over, or a phone that was heard."""
    if checked_at is None:
        return False
    if any(stay.out_at is not None and stay.out_at <= checked_at for stay in stays):
        return True
    heard = handset.encounters.log.earliest_sighting()
    return heard is not None and heard <= checked_at


def _bluetooth(figures: Overview) -> dict[str, Any]:
    return {
        "running": figures.bluetooth == "running" and figures.bluetooth_problem is None,
        "runningSince": figures.running_since,
        "offSince": figures.off_since,
        "lastHeard": figures.last_record,
        "problem": figures.bluetooth_problem,
    }


def city_of(handset: Handset, language: str) -> dict[str, Any]:
    """The city from its signed config; before the first config, most members are empty."""
    config = handset.city.current
    key = handset.store.get("trust")
    if config is None:
        unknown = ("name", "hotline", "nationalHotline", "publicOrigin", "configAt", "texts")
        empty: dict[str, Any] = {"watchers": [], "neighbours": [], "evidence": None, "takesDeclarations": False}
        care = _care(Care())
        zone = str(handset.time.zone())
        return {"key": key, "zone": zone, "care": care, **empty, **dict.fromkeys(unknown)}
    log = handset.city.public_log
    return {
        "key": key, "name": config.city.get(language, config.city["en"]), "hotline": config.hotline,
        "nationalHotline": config.national_hotline, "publicOrigin": origin_of(config.public_host, tls=handset.tls),
        "zone": config.zone, "configAt": config.generated_at,
        "texts": dict(config.texts[language]) if language in config.texts else None,
        "takesDeclarations": config.declaration_key is not None, "care": _care(config.care),
        "watchers": [{"name": w.name, "operator": w.operator, "at": w.at} for w in log.watchers(config)],
        "evidence": list(log.evidence) if log.evidence else None,
        "neighbours": [_neighbour(status, language) for status in handset.neighbours.all()],
    }  # fmt: skip


def _neighbour(status: NeighbourStatus, language: str) -> dict[str, Any]:
    names = status.neighbour.name
    return {
        "id": status.neighbour.id, "name": names.get(language, names["en"]), "address": status.neighbour.address,
        "key": status.neighbour.key or None, "everybody": status.neighbour.everybody, "followed": status.is_followed,
        "until": status.until, "checkedAt": status.checked_at, "problem": status.problem,
    }  # fmt: skip


def _care(care: Care) -> dict[str, Any]:
    return {
        "watchDays": care.watch_days, "homeDays": care.home_days, "isolationDays": care.isolation_days,
        "testFromDay": care.test_from_day, "testPlaces": list(care.test_places),
    }  # fmt: skip


def entry_of(entry: Entry) -> dict[str, Any]:
    """An entry of the owner's journal."""
    return asdict(entry)


def warnings_of(handset: Handset, language: str) -> list[dict[str, Any]]:
    """The warnings, latest day first."""
    read = handset.pages.read_ids()
    config = handset.city.current
    neighbours = config.neighbours if config else ()
    names = {neighbour.id: neighbour.name.get(language, neighbour.name["en"]) for neighbour in neighbours}
    return [_warning(warning, warning.id in read, names) for warning in handset.risk.warnings()]


def _warning(warning: Warning, read: bool, names: dict[str, str]) -> dict[str, Any]:
    return {
        "id": warning.id, "kind": warning.kind, "day": warning.day.isoformat(), "minutesBand": warning.band,
        "nearMinutes": None if warning.near is None else list(warning.near),
        "level": warning.level, "certainty": warning.certainty, "label": warning.label,
        "watchUntil": warning.watch_until.isoformat(), "read": read,
        "neighbours": [names[id] for id in warning.neighbours if id in names],
    }  # fmt: skip


def stay_of(stay: Stay) -> dict[str, Any]:
    """A stay; its number becomes text."""
    return {
        "id": str(stay.id), "label": stay.label, "fingerprint": stay.fingerprint, "inAt": stay.in_at,
        "outAt": stay.out_at, "plannedOutAt": stay.planned_out_at, "canSend": stay.can_send,
        "event": stay.event,
    }  # fmt: skip


def venue_of(venue: Poster) -> dict[str, Any]:
    """The content of a poster's code."""
    return {
        "name": venue.name, "address": venue.address, "type": venue.type, "stayMinutes": venue.stay_minutes,
        "fingerprint": venue.fingerprint, "validFrom": venue.valid_from or None, "validTo": venue.valid_to or None,
        "temporary": venue.temporary, "event": venue.event,
    }  # fmt: skip


def event_of(event: OwnEvent) -> dict[str, Any]:
    """An event with a code that was made on this phone."""
    return asdict(event)


def diary_of(handset: Handset) -> list[dict[str, Any]]:
    """For each day, latest first: the stays, and how many identifiers were heard."""
    days: dict[date, list[Stay]] = {}
    for stay in handset.stays.all():
        days.setdefault(handset.time.local(stay.in_at).date(), []).append(stay)
    heard = handset.encounters.identifiers_per_day()
    return [
        {
            "day": day.isoformat(),
            "visits": [stay_of(stay) for stay in days.get(day, [])],
            "identifiersHeard": heard.get(day, 0),
        }
        for day in sorted({*days, *heard}, reverse=True)
    ]


def draft_of(draft: ReportDraft) -> dict[str, Any]:
    """The days and stays that could be reported."""
    days = [
        {"day": unix_day(key.day).isoformat(), "utcDay": key.day, "level": LEVELS[level]} for key, level in draft.keys
    ]
    infectious = []
    for day in range(draft.onset_day - MAX_KEY_AGE_DAYS, draft.onset_day + MAX_KEY_AGE_DAYS):
        level = infectious_level(day, draft.onset_day)
        if level is not None:
            infectious.append({"day": unix_day(day).isoformat(), "level": LEVELS[level]})
    return {
        "class": CLASSES[draft.klass], "onsetDay": unix_day(draft.onset_day).isoformat(), "days": days,
        "infectious": infectious,
        "visits": [stay_of(stay) for stay in draft.stays],
    }  # fmt: skip


def preview_of(preview: ReportPreview) -> dict[str, Any]:
    """Exactly what would be sent."""
    items = [{"kind": item.kind, "day": item.day.isoformat(), "hex": item.hex} for item in preview.items]
    return {"items": items, "bytes": preview.bytes}


def pending_of(figures: Overview) -> dict[str, Any] | None:
    """The pending report, if any."""
    if figures.report_upload_at is not None:
        return {"state": "waiting", "sendAt": figures.report_upload_at, "reachAt": None}
    if figures.report_begun:
        return {"state": "begun", "sendAt": None, "reachAt": None}
    return None


def report_of(handset: Handset) -> dict[str, Any]:
    """The state of the last report. reachAt: an estimate of when other phones will have fetched it."""
    pending = pending_of(build_overview(handset))
    if pending is not None:
        return pending
    if handset.sent_log.report_refused:
        return {"state": "refused", "sendAt": None, "reachAt": None, "code": REPORT_REFUSED}
    sent_at = handset.store.get("reported_at")
    config = handset.city.current
    if sent_at is None:
        return {"state": "none", "sendAt": None, "reachAt": None}
    uploads = [sent for sent in handset.sent_log.all() if sent.kind == "keys_sent"]
    hold_seconds = config.waits.get("hold_seconds", 0) if config else 0
    publish_at = sent_at + max(PUBLISH_SECONDS, hold_seconds)
    reach_at = publish_at + config.poll_seconds if config else None
    with_today = bool(uploads) and day_at(sent_at) in uploads[-1].days
    return {
        "state": "sent", "sendAt": sent_at, "publishAt": publish_at, "reachAt": reach_at, "withToday": with_today,
    }  # fmt: skip


def sent_of(handset: Handset) -> dict[str, Any]:
    """All requests with data of the owner that ever left the phone, oldest first, and the number of random packets."""
    return {"own": [_sent(handset, sent) for sent in handset.sent_log.all()], "chaff": handset.sent_log.random_packets}


def _sent(handset: Handset, sent: SentRequest) -> dict[str, Any]:
    sizes = {"keys_sent": UPLOAD_SIZE, "declared": DECLARATION_SIZE}
    days = [day.isoformat() for day in sent.dates] if sent.kind in ("keys_sent", "declared") else []
    return {
        "at": sent.unix_seconds, "what": sent.kind, "bytes": sizes.get(sent.kind, VERIFY_SIZE), "outcome": sent.outcome,
        "days": days,
    }  # fmt: skip
