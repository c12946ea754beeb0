# SPDX-License-Identifier: Apache-2.0
"""The overview that the owner sees first: the state of the phone, and the figures from which it follows.

The states have the names of the home texts: A no risk found, B1 Bluetooth off, B2 not checked, B3 wrong clock,
C possible risk, D risk. A risk has priority over B1, B2 and B3; the page then shows both.
"""

from dataclasses import asdict, dataclass
from typing import Any, Literal

from bluezone.handset.clocks import JUMP_SECONDS, boot_id_of
from bluezone.handset.encounters.radiostate import Bluetooth
from bluezone.handset.phone import Handset

State = Literal["A", "B1", "B2", "B3", "C", "D"]


@dataclass(frozen=True, slots=True)
class Overview:
    """The state and the figures of a phone. Moments are trusted Unix seconds, or None for an event that never happened.

    bluetooth_problem:   code of the problem that stops the radio now, None without a problem.
    stops:               every reason why warnings may be missing now: "B1", "B2", "B3".
    checked_at:          when the last check that ended well began.
    last_record:         when the phone last heard a frame of another phone.
    clock_error_seconds: how far the phone's clock is ahead of trusted time.
    lists:               the newest numbers of config, exports and venues on this phone.
    reported_at:         when the owner's last report was sent; then the owner is a patient, even without a risk.
    agreed_at:           when the owner agreed to that report, or to the pending one.
    uploads:             how often the owner's keys were sent; random_packets: rehearsals, which carry no keys.
    report_begun:        whether there is a report without its certificate yet.
    report_upload_at:    when the certified report will be sent.
    refused_identifiers: number of identifiers that were not stored because too many came.
    """

    state: State
    stops: tuple[State, ...]
    level: str
    bluetooth: Bluetooth
    bluetooth_problem: str | None
    running_since: float | None
    off_since: float | None
    last_record: float | None
    installed_at: float
    checked_at: float | None
    check_problem: str | None
    list_made_at: float | None
    clock_error_seconds: float
    uploads: int
    random_packets: int
    report_begun: bool
    report_upload_at: float | None
    notice: str | None
    store_problem: str | None
    reported_at: float | None
    agreed_at: float | None
    refused_identifiers: int
    lists: dict[str, int]

    def to_json(self) -> dict[str, Any]:
        """Return the members for `--json` and for the status of the local page."""
        return asdict(self)


def build_overview(handset: Handset) -> Overview:
    """Return the overview of a phone now."""
    boot = handset.clock.boot_seconds()
    now = handset.time.now()
    boot_id = boot_id_of(handset.clock)
    radio = handset.encounters.radio_state
    bluetooth = radio.bluetooth(boot_id, boot)

    def moment(boot_seconds: float | None) -> float | None:
        if boot_seconds is None or radio.boot_id != boot_id:
            return None
        return now - (boot - boot_seconds)

    error = handset.time.clock_error_seconds()
    position = handset.downloads.position
    stops: list[State] = []
    same_boot = radio.boot_id == boot_id
    problem_since = radio.problem_since if same_boot and radio.problem else None
    off_since = min((start for start in (radio.off_since, problem_since) if start is not None), default=None)
    if bluetooth == "off" or (same_boot and radio.problem):
        stops.append("B1")
    # A server that repeats an old list holds trusted time back, so the later of both clocks decides what is stale.
    if position.is_stale(max(now, handset.clock.wall_seconds())):
        stops.append("B2")
    if abs(error) > JUMP_SECONDS:
        stops.append("B3")
    level = handset.risk.level()
    state: State = "A"
    if level == "high":
        state = "D"
    elif level == "low":
        state = "C"
    elif stops:
        state = stops[0]
    check_problem = handset.store.get("check_problem")
    pending = handset.report.pending
    return Overview(
        state=state,
        stops=tuple(stops),
        level=level,
        bluetooth=bluetooth,
        bluetooth_problem=radio.problem if same_boot else None,
        running_since=moment(radio.running_since),
        off_since=moment(off_since),
        last_record=moment(radio.heard),
        installed_at=handset.store.get("installed_at", now),
        checked_at=handset.store.get("checked_at"),
        check_problem=check_problem["code"] if check_problem else None,
        list_made_at=position.generated_at or None,
        clock_error_seconds=round(error, 1),
        uploads=sum(sent.kind == "keys_sent" and sent.outcome == "accepted" for sent in handset.sent_log.all()),
        random_packets=handset.sent_log.random_packets,
        report_begun=pending is not None and not pending.is_certified,
        report_upload_at=pending.upload_at if pending is not None and pending.is_certified else None,
        notice=next(iter(handset.pages.notices()), None),
        store_problem=handset.encounters.store_problem,
        reported_at=handset.store.get("reported_at"),
        # Earlier releases stored only the moment of sending.
        agreed_at=handset.store.get("agreed_at", handset.store.get("reported_at")),
        refused_identifiers=handset.encounters.refused_identifiers,
        lists={
            "config": handset.city.current.number if handset.city.current else 0,
            "exports": position.number,
            "venues": handset.venue_packages.position.number,
        },
    )
