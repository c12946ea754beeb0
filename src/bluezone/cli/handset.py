# SPDX-License-Identifier: Apache-2.0
"""`bluezone handset`: the phone as a program, and its report as a dialogue in the terminal."""

import time
from collections.abc import Callable, Iterable
from datetime import date
from typing import TYPE_CHECKING, Any

import click

from bluezone.cli.output import prints_result
from bluezone.handset import Handset
from bluezone.handset.report.report import ConsentMissing
from bluezone.handset.report.stages import ReportOutcome, unix_day

if TYPE_CHECKING:
    from bluezone.handset.overview import Overview

DEFAULT_SERVER = "http://127.0.0.1:8000"
PHONE_FOLDER = "handset"

LEVELS = {1: "standard", 2: "high"}


@click.group()
def handset() -> None:
    """The phone: run it, query it, report with it."""


def phone_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options for the phone's folder, its server, the city's key and its radio."""
    for option in (
        click.option("--radio", default="hci-socket:0", show_default=True, help="virtual:HOST:PORT, usb:0, serial:…"),
        click.option("--trust", help="The city's public key, needed once: hex, base64, or a file with it."),
        click.option("--server", default=DEFAULT_SERVER, show_default=True),
        click.option("--data", type=click.Path(file_okay=False), help="Data folder (default ./bluezone-data)."),
    ):
        function = option(function)
    return function


def _uuid(_context: click.Context, _parameter: click.Parameter, value: str | None) -> int | None:
    try:
        number = None if value is None else int(value, 16)
    except ValueError:
        number = -1
    if number is not None and not 0 <= number <= 0xFFFF:
        raise click.BadParameter(f"{value!r} is not a 16-bit number in hex")
    return number


def _open_phone(data: str | None, server: str, trust: str | None, radio: str, *, reading: bool = False) -> Any:
    from bluezone.city_settings import data_folder
    from bluezone.handset import Handset

    # A real adapter reports its model only when the agent opens it; until then the phone uses the previous model.
    model = "virtual" if radio.startswith("virtual:") else None
    return Handset.open(data_folder(data) / PHONE_FOLDER, server, radio_model=model, trust=trust, reading=reading)


def _moment(phone: Any, unix_seconds: float | None) -> str:
    return "never" if unix_seconds is None else f"{phone.time.local(unix_seconds):%Y-%m-%d %H:%M}"


def _status_lines(result: dict[str, Any]) -> Iterable[str]:
    yield f"state {result['state']} ({result['title']}), Bluetooth {result['bluetooth']}"
    for name, text in result["told"].items():
        yield f"  {name}: {text}"


@handset.command()
@phone_options
@prints_result(_status_lines)
def status(data: str | None, server: str, trust: str | None, radio: str) -> dict[str, Any]:
    """Print what the phone would tell its owner now."""
    from bluezone.handset.overview import build_overview

    phone = _open_phone(data, server, trust, radio, reading=True)
    try:
        seen = build_overview(phone)
        facts = {
            "running since": _moment(phone, seen.running_since),
            "last Bluetooth record": _moment(phone, seen.last_record),
            "checked": _moment(phone, seen.checked_at),
            "reported": _moment(phone, seen.reported_at),
            "last problem": seen.check_problem or "none",
        }
        config = phone.city.current
        log = phone.city.public_log
        watchers = log.watchers(config) if config else ()
        texts = [f"{watcher.operator} ({watcher.name}), {_moment(phone, watcher.at)}" for watcher in watchers]
        facts["watched by"] = "; ".join(texts) or "nobody"
        if log.evidence:
            facts["split view"] = "the city signed two logs that contradict each other:\n" + "\n".join(log.evidence)
        facts["lists"] = ", ".join(f"{kind}={number}" for kind, number in seen.lists.items())
        return {**seen.to_json(), "title": _title(seen), "told": facts}
    finally:
        phone.close()


def _title(seen: "Overview") -> str:
    risks = {"C": "possible risk, not certain", "D": "risk of infection"}
    if seen.state in risks:
        return risks[seen.state]
    # As on the phone's page, the owner's report, even one that waits, has priority over the result of matching.
    if seen.agreed_at is not None or seen.report_begun or seen.report_upload_at is not None:
        return "you reported your own infection"
    return "no risk found" if seen.state == "A" else "stopped"


@handset.command()
@phone_options
@prints_result(lambda result: (f"{day}  {count}" for day, count in result["days"].items()))
def encounters(data: str | None, server: str, trust: str | None, radio: str) -> dict[str, Any]:
    """Print how many identifiers were heard each local day (they change every 10 to 20 minutes)."""
    phone = _open_phone(data, server, trust, radio, reading=True)
    try:
        return {"days": {day.isoformat(): count for day, count in phone.encounters.identifiers_per_day().items()}}
    finally:
        phone.close()


def _check_lines(result: dict[str, Any]) -> Iterable[str]:
    yield f"level {result['level']}"
    for day in result["days"]:
        near = f", likely near for {day['near'][0]:g} to {day['near'][1]:g}" if day["near"] else ""
        yield f"  {day['day']}  {day['level']}  heard for {day['band']} minutes{near}, {day['certainty']}"
    for day in result["venues"]:
        yield f"  {day['day']}  {day['level']}  {day['band']} minutes at a venue, {day['certainty']}"


@handset.command()
@phone_options
@prints_result(_check_lines)
def check(data: str | None, server: str, trust: str | None, radio: str) -> dict[str, Any]:
    """Download new files, match them on this phone, and print the result."""
    phone = _open_phone(data, server, trust, radio)
    try:
        assessment = phone.check()
        days = [
            {
                "day": day.day.isoformat(),
                "level": day.level,
                "band": day.band,
                "near": day.near,
                "chance": day.chance,
                "certainty": day.certainty,
            }
            for day in assessment.days
        ]
        venues = [
            {"day": day.day.isoformat(), "level": day.level, "band": day.band, "certainty": day.certainty}
            for day in phone.risk.venue_days()
        ]
        texts = [dict(warning.texts) for warning in phone.risk.warnings()]
        return {"level": phone.risk.level(), "days": days, "venues": venues, "texts": texts}
    finally:
        phone.close()


@handset.command()
@click.option("--code", help="The code, the slip or the link; without it a report under way continues.")
@click.option("--onset", type=click.DateTime(["%Y-%m-%d"]), help="The day written on a slip; codes need none.")
@click.option("--day", "days", multiple=True, type=click.DateTime(["%Y-%m-%d"]), help="A day (UTC) to send; all.")
@click.option("--visits", is_flag=True, help="Send the visits to venues in these days too.")
@click.option("--yes", "consent", is_flag=True, help="Agree to what is shown, without a question.")
@phone_options
@prints_result(lambda result: (f"{result['state']}: {result['keys']} daily keys",))
def report(
    code: str | None,
    onset: Any,
    days: tuple[Any, ...],
    visits: bool,
    consent: bool,
    data: str | None,
    server: str,
    trust: str | None,
    radio: str,
) -> dict[str, Any]:
    """Warn the people you met. Shows exactly what will be sent, and asks before it sends anything."""

    phone = _open_phone(data, server, trust, radio)
    try:
        onset_date = onset.date() if onset else None
        outcome = report_in_dialogue(phone, code, [day.date() for day in days] or None, consent, visits, onset_date)
        return {
            "state": outcome.state, "keys": outcome.keys,
            "days": [day.isoformat() for day in outcome.dates], "upload_at": outcome.upload_at,
        }  # fmt: skip
    finally:
        phone.close()


def _sent_lines(result: dict[str, Any]) -> Iterable[str]:
    yield f"your data sent: {result['uploads']} times"
    for entry in result["sent"]:
        yield f"  {entry['unix_seconds']:.0f}  {entry['kind']}  {entry['outcome']}  {' '.join(entry['days'])}"
    yield f"random packets: {result['random_packets']}"


@handset.command()
@phone_options
@prints_result(_sent_lines)
def sent(data: str | None, server: str, trust: str | None, radio: str) -> dict[str, Any]:
    """Print all your data that ever left this phone, and how many random packets did."""
    phone = _open_phone(data, server, trust, radio, reading=True)
    try:
        entries = [
            {"unix_seconds": entry.unix_seconds, "kind": entry.kind, "outcome": entry.outcome,
             "days": [day.isoformat() for day in entry.dates]}
            for entry in phone.sent_log.all()
        ]  # fmt: skip
        uploads = sum(entry["kind"] == "keys_sent" and entry["outcome"] == "accepted" for entry in entries)
        return {"uploads": uploads, "sent": entries, "random_packets": phone.sent_log.random_packets}
    finally:
        phone.close()


def _neighbour_lines(result: dict[str, Any]) -> Iterable[str]:
    for neighbour in result["neighbours"]:
        how = "not followed"
        if neighbour["wanted"]:
            how = "followed by every phone" if neighbour["everybody"] else f"followed until {neighbour['until']}"
        yield f"{neighbour['id']}  {neighbour['name_vi']} ({neighbour['name_en']}), {neighbour['address']}: {how}"
        yield f"  checked {neighbour['checked']}, last problem: {neighbour['problem'] or 'none'}"
    if not result["neighbours"]:
        yield "the city names no neighbours"


@handset.command()
@click.option("--follow", "follow", metavar="ID", help="You were there, or are going there: follow its files too.")
@click.option("--leave", "leave", metavar="ID", help="You are back for good: follow them for two more weeks.")
@phone_options
@prints_result(_neighbour_lines)
def neighbours(
    follow: str | None, leave: str | None, data: str | None, server: str, trust: str | None, radio: str
) -> dict[str, Any]:
    """Print the other cities that this phone may follow besides its own, and which of them it follows.

    The server of a neighbour sees the network address from which its files are fetched.
    """
    phone = _open_phone(data, server, trust, radio, reading=not (follow or leave))
    try:
        for id, act in ((follow, phone.neighbours.follow), (leave, phone.neighbours.leave)):
            if id:
                act(id)
        rows = [
            {"id": row.neighbour.id, "name_vi": row.neighbour.name["vi"], "name_en": row.neighbour.name["en"],
             "address": row.neighbour.address, "everybody": row.neighbour.everybody, "wanted": row.is_followed,
             "until": "you leave" if row.until is None else _moment(phone, row.until),
             "checked": _moment(phone, row.checked_at), "problem": row.problem}
            for row in phone.neighbours.all()
        ]  # fmt: skip
        return {"neighbours": rows}
    finally:
        phone.close()


@handset.command(name="begin-anew")
@phone_options
@prints_result(lambda result: (f"the city's lists are followed again, from config {result['config']} on",))
def begin_anew(data: str | None, server: str, trust: str | None, radio: str) -> dict[str, Any]:
    """Start again with the city's lists, after more of its history was missed than it keeps.

    Compare the key given with --trust with the one that the city shows on paper or on its portal. Encounters and
    warnings stay.
    """
    from bluezone.handset.city.config import TrustMissing, parse_trust

    if trust is None:
        raise TrustMissing("give the city's key with --trust, after comparing it with the one that the city shows")
    phone = _open_phone(data, server, trust, radio)
    try:
        phone.city.restart_history(parse_trust(trust))
        return {"config": phone.city.current.number}
    finally:
        phone.close()


@handset.command()
@click.option("--yes", is_flag=True, help="Do not ask.")
@phone_options
@prints_result(lambda _: ("everything on this phone is erased",))
def forget(yes: bool, data: str | None, server: str, trust: str | None, radio: str) -> dict[str, Any]:
    """Erase everything on this phone and destroy the key that sealed it."""
    from bluezone.city_settings import data_folder
    from bluezone.handset.store import erase_folder

    if not yes:
        click.confirm("Erase the encounter log, keys, warnings and the sent list for ever?", abort=True, err=True)
    erase_folder(data_folder(data) / PHONE_FOLDER)
    return {"forgotten": True}


@handset.command()
@click.option("--duty", default="default", show_default=True, type=click.Choice(["default", "mains", "saver"]))
@click.option("--uuid", callback=_uuid, help="16-bit service UUID in hex (default 4e56).")
@click.option("--port", default=0, type=click.IntRange(0, 65535), help="Port of the local page; 0 takes a free one.")
@click.option("--page/--no-page", default=True, show_default=True, help="Serve the local page on 127.0.0.1.")
@phone_options
@prints_result(
    lambda result: (
        "stopped; everything on this phone is erased" if "erased" in result else "stopped; what was heard is kept",
    )
)
def run(
    duty: str, uuid: int | None, port: int, page: bool, data: str | None, server: str, trust: str | None, radio: str
) -> dict[str, Any]:
    """Run the phone until stopped: Bluetooth, checks, warnings, and a page for its owner."""
    from bluezone.handset.agent import run_agent

    phone = _open_phone(data, server, trust, radio)
    try:
        phone.city.trusted()
        run_agent(
            phone, radio, duty, uuid, port if page else None,
            lambda line: click.echo(line, err=True),
        )  # fmt: skip
    finally:
        phone.close()
    from bluezone.handset.store import KEY_FILE

    if (phone.store.folder / KEY_FILE).exists():
        return {"stopped": True}
    return {"stopped": True, "erased": True}


def report_in_dialogue(
    phone: Handset,
    code: str | None,
    days: list[date] | None,
    consent: bool,
    visits: bool = False,
    onset: date | None = None,
) -> ReportOutcome:
    """Report with `code`; without one, continue the current report. Returns when the report is uploaded.

    days: UTC days to send, None for all. consent: whether to send without a question. visits: whether to send the stays
    at venues, too. onset: for a slip, the day that is written on it. The report waits between certificate and upload as
    long as the city's config says. It may be stopped then: the agent or the next `report` continues it.
    """
    if code is None:
        outcome = phone.report.advance()
    else:
        draft = phone.report.prepare_draft(code, onset)
        click.echo("Will be sent: this phone's random codes of these days (UTC):", err=True)
        for key, level in draft.keys:
            click.echo(f"  {unix_day(key.day)}  {LEVELS[level]}", err=True)
        stays = draft.stays if visits else ()
        for stay in stays:
            begin = phone.time.local(stay.in_at)
            end = phone.time.local(stay.out_at or stay.in_at)
            span = f"{begin:%Y-%m-%d %H:%M} to {end:%H:%M}"
            click.echo(f"  venue {stay.label or stay.fingerprint}, {span}", err=True)
        click.echo("Not sent: name, number, location, whom you met. A report cannot be taken back once sent.", err=True)
        click.echo(
            "Where few are ill, someone who has picked up this phone's signal and can read all that the authorities"
            " store may guess\nwhose report it is: with three reports a day rightly about 4 times in 10, and 9 times in"
            " 10 if they copy everything every hour.",
            err=True,
        )
        if not consent and not click.confirm("Agree and send?", err=True):
            raise ConsentMissing("nothing was sent: the owner has not agreed; the code was not used")
        numbers = None if days is None else [(day - unix_day(0)).days for day in days]
        outcome = phone.report.submit_report(draft, numbers, [stay.id for stay in stays], consent=True)
    while outcome.state != "sent":
        seconds = max(1.0, outcome.upload_at - phone.time.now())
        what = "ready; will be sent" if outcome.state == "waiting" else "the city takes no more reports now; next try"
        click.echo(f"{what} in {seconds / 60:.0f} minutes (stopping now loses nothing)", err=True)
        time.sleep(seconds)
        outcome = phone.report.advance()
    return outcome
