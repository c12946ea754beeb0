# SPDX-License-Identifier: Apache-2.0
"""What the phone returns to its page, as JSON: the shapes of the engine contract (face/static/engine/interface.js).

A warning has its day, minutes in bands, level and certainty: no time of day, strength or identifier of a contact.
Source: docs/attacks.md row 11.
"""

from datetime import date, timedelta
from typing import Any

from bluezone.handset.exposure.risk import WATCH_DAYS, Warning
from bluezone.handset.overview import Overview, overview
from bluezone.handset.phone import Handset
from bluezone.handset.report.stages import ReportDraft, ReportPreview, unix_day
from bluezone.handset.sentlog import REPORT_REFUSED, Sent
from bluezone.handset.venues import Poster, Visit
from bluezone.protocol.intervals import day_at
from bluezone.protocol.upload import UPLOAD_SIZE, VERIFY_SIZE

# docs/protocol.md section 5: published every two hours, fetched every `poll_seconds`.
PUBLISH_SECONDS = 2 * 3600
CLASSES = {1: "confirmed", 2: "clinical"}
LEVELS = {1: "standard", 2: "high"}
DECLARATION_SIZE = 1024


def state_of(handset: Handset, language: str, next_check: float | None) -> dict[str, Any]:
    """Everything the home page shows. language: "vi" or "en". next_check: Unix seconds."""
    seen, visits = overview(handset), handset.visits.all()
    warnings = warnings_of(handset)
    unread = [message for message in handset.pages.messages(language) if not message.read]
    return {
        "started": handset.store.get("started_at") is not None,
        "now": handset.time.now(),
        "state": seen.state,
        "stops": list(seen.stops),
        "bluetooth": _bluetooth(seen),
        "installedAt": seen.installed_at,
        "checkedAt": seen.checked_at,
        "nextCheckAt": next_check,
        "listMadeAt": seen.list_made_at,
        "stale": "B2" in seen.stops,
        "clockOffBySeconds": seen.clock_error_seconds,
        "city": city_of(handset, language),
        "warnings": warnings,
        "openVisits": sum(visit.out_at is None for visit in visits),
        "unread": len(unread) + sum(not warning["read"] for warning in warnings),
        "pendingReport": pending_of(seen),
        "checkProblem": seen.check_problem,
        "storeProblem": seen.store_problem,
        "notice": seen.notice,
        "updateReady": False,
    }


def _bluetooth(seen: Overview) -> dict[str, Any]:
    return {
        "running": seen.bluetooth == "running" and seen.bluetooth_problem is None, "runningSince": seen.running_since,
        "offSince": seen.off_since, "lastHeard": seen.last_record, "problem": seen.bluetooth_problem,
    }  # fmt: skip


def city_of(handset: Handset, language: str) -> dict[str, Any]:
    """The city as the signed config has it; nothing is known before the first."""
    config, key = handset.city.current, handset.store.get("trust")
    if config is None:
        nothing = ("name", "hotline", "nationalHotline", "publicHost", "configAt", "texts")
        return {"key": key, "zone": str(handset.time.zone()), **dict.fromkeys(nothing)}
    return {
        "key": key, "name": config.city[language], "hotline": config.hotline,
        "nationalHotline": config.national_hotline, "publicHost": config.public_host,
        "zone": config.zone, "configAt": config.generated_at, "texts": dict(config.texts[language]),
    }  # fmt: skip


def warnings_of(handset: Handset) -> list[dict[str, Any]]:
    """The warnings, latest day first."""
    read = handset.pages.read_ids()
    return [_warning(warning, warning.id in read) for warning in handset.risk.warnings()]


def _warning(warning: Warning, read: bool) -> dict[str, Any]:
    return {
        "id": warning.id, "kind": warning.kind, "day": warning.day.isoformat(), "minutesBand": warning.band,
        "nearMinutes": None if warning.near is None else list(warning.near),
        "level": warning.level, "certainty": warning.certainty, "label": warning.label,
        "watchUntil": (warning.day + timedelta(days=WATCH_DAYS)).isoformat(), "read": read,
    }  # fmt: skip


def visit_of(visit: Visit) -> dict[str, Any]:
    """A stay; its number goes as text."""
    return {
        "id": str(visit.id), "label": visit.label, "fingerprint": visit.fingerprint, "inAt": visit.in_at,
        "outAt": visit.out_at, "plannedOutAt": visit.planned_out_at, "canSend": visit.can_send,
    }  # fmt: skip


def venue_of(venue: Poster) -> dict[str, Any]:
    """What a poster says."""
    return {
        "name": venue.name, "address": venue.address, "type": venue.type, "stayMinutes": venue.stay_minutes,
        "fingerprint": venue.fingerprint, "validFrom": venue.valid_from or None, "validTo": venue.valid_to or None,
        "temporary": venue.temporary,
    }  # fmt: skip


def diary_of(handset: Handset) -> list[dict[str, Any]]:
    """Day by day, latest first: the stays and how many identifiers were heard."""
    days: dict[date, list[Visit]] = {}
    for visit in handset.visits.all():
        days.setdefault(handset.time.local(visit.in_at).date(), []).append(visit)
    heard = handset.encounters.per_day()
    return [
        {
            "day": day.isoformat(),
            "visits": [visit_of(visit) for visit in days.get(day, [])],
            "identifiersHeard": heard.get(day, 0),
        }
        for day in sorted({*days, *heard}, reverse=True)
    ]


def draft_of(draft: ReportDraft) -> dict[str, Any]:
    """What could be reported."""
    days = [
        {"day": unix_day(key.day).isoformat(), "utcDay": key.day, "level": LEVELS[level]} for key, level in draft.keys
    ]
    return {
        "class": CLASSES[draft.klass], "onsetDay": unix_day(draft.onset_day).isoformat(), "days": days,
        "visits": [visit_of(visit) for visit in draft.visits],
    }  # fmt: skip


def preview_of(preview: ReportPreview) -> dict[str, Any]:
    """Exactly what would be sent."""
    items = [{"kind": item.kind, "day": item.day.isoformat(), "hex": item.hex} for item in preview.items]
    return {"items": items, "bytes": preview.bytes}


def pending_of(seen: Overview) -> dict[str, Any] | None:
    """The report under way, if any."""
    if seen.report_upload_at is not None:
        return {"state": "waiting", "sendAt": seen.report_upload_at, "reachAt": None}
    return {"state": "begun", "sendAt": None, "reachAt": None} if seen.report_begun else None


def report_of(handset: Handset) -> dict[str, Any]:
    """How far the last report is; reachAt: when the phones of others will have fetched it, as far as can be said."""
    pending = pending_of(overview(handset))
    if pending is not None:
        return pending
    if handset.sent_log.report_refused:
        return {"state": "refused", "sendAt": None, "reachAt": None, "code": REPORT_REFUSED}
    sent_at, config = handset.store.get("reported_at"), handset.city.current
    if sent_at is None:
        return {"state": "none", "sendAt": None, "reachAt": None}
    uploads = [sent for sent in handset.sent_log.all() if sent.kind == "keys_sent"]
    reach_at = sent_at + PUBLISH_SECONDS + config.poll_seconds if config else None
    with_today = bool(uploads) and day_at(sent_at) in uploads[-1].days
    return {"state": "sent", "sendAt": sent_at, "reachAt": reach_at, "withToday": with_today}


def sent_of(handset: Handset) -> dict[str, Any]:
    """Everything of the owner's that ever left the phone, oldest first; and how many random packets did."""
    return {"own": [_sent(handset, sent) for sent in handset.sent_log.all()], "chaff": handset.sent_log.random_packets}


def _sent(handset: Handset, sent: Sent) -> dict[str, Any]:
    sizes = {"keys_sent": UPLOAD_SIZE, "declared": DECLARATION_SIZE}
    days = [day.isoformat() for day in sent.dates] if sent.kind in ("keys_sent", "declared") else []
    return {
        "at": sent.unix_seconds, "what": sent.kind, "bytes": sizes.get(sent.kind, VERIFY_SIZE), "outcome": sent.outcome,
        "days": days,
    }  # fmt: skip
