# SPDX-License-Identifier: Apache-2.0
"""The home page: one state, what to do, and the figures beneath it.

Source: ../shared/look/texts.md sections 1 and 2; specs/attacks.md row 11 (no time of day, RSSI or identifier).
"""

from html import escape

from bluezone.handset.overview import Overview, State, overview
from bluezone.handset.page.frame import icon, page, paragraph, post_button
from bluezone.handset.page.words import Words
from bluezone.handset.phone import Handset
from bluezone.handset.warnings import Warning

LOOKS: dict[State, tuple[str, str]] = {
    "A": ("ok", "ok"), "B1": ("warn", "stop"), "B2": ("warn", "stop"), "B3": ("warn", "stop"),
    "C": ("warn", "warn"), "D": ("alert", "alert"),
}  # fmt: skip


def home(handset: Handset, words: Words, base: str, next_check: float | None) -> str:
    """The whole page. next_check: Unix seconds, None while there is no plan."""
    seen = overview(handset)
    warnings = handset.warnings()
    body = [_state(handset, seen, warnings, words, base, next_check)]
    body += [_stop(handset, seen, words, stop) for stop in seen.stops if seen.state != stop]
    body += _notices(handset, seen, words)
    body += [_what_to_do(warnings, words, handset)] if warnings else []
    body += [_figures(handset, seen, words), _encounters(handset, words), _report(seen, words, base, handset)]
    return page(words, _title(seen, words), body, base=base, refresh=True)


def _title(seen: Overview, words: Words) -> str:
    _ = words.gettext
    return {
        "A": _("No risk found"),
        "C": _("Possible risk, not certain"),
        "D": _("You may have been infected"),
    }.get(seen.state, _("Bluezone has stopped"))


def _state(
    handset: Handset, seen: Overview, warnings: list[Warning], words: Words, base: str, next_check: float | None
) -> str:
    _ = words.gettext
    look, mark = LOOKS[seen.state]
    lines = [paragraph(text) for text in _state_texts(handset, seen, warnings, words)]
    checked = _moment(handset, words, seen.checked_at)
    small = _("Checked {at}").format(at=checked) if checked else _("Not checked yet")
    if coming := _moment(handset, words, next_check):
        small += " · " + _("next about {at}").format(at=coming)
    action = ""
    if warnings:
        action = f'<a class="button quiet" href="#warning">{escape(_("See what to do"))}</a>'
    elif seen.state in ("A", "B2"):
        action = post_button(_("Check now"), base + "check", quiet=seen.state == "A")
    return (
        f'<section class="card state {look}">{icon(mark, 56)}<div><h1>{escape(_title(seen, words))}</h1>'
        f"{''.join(lines)}<p><small>{escape(small)}</small></p>{action}</div></section>"
    )


def _state_texts(handset: Handset, seen: Overview, warnings: list[Warning], words: Words) -> list[str]:
    _ = words.gettext
    if warnings:
        return [_exposure_line(warnings[0], words)]
    if seen.state in ("B1", "B2", "B3"):
        return [_stop_text(handset, seen, words, seen.state)]
    since = words.short_date(handset.local(seen.installed_at).date())
    nothing = _("Since {day} this phone has recorded no time near a confirmed case who reported through Bluezone.")
    foot = _("People who do not use Bluezone cannot be seen. Keep wearing a mask, washing hands, keeping distance.")
    return [_running_text(handset, seen, words), nothing.format(day=since), foot]


def _running_text(handset: Handset, seen: Overview, words: Words) -> str:
    _ = words.gettext
    if seen.bluetooth == "running":
        since = _moment(handset, words, seen.running_since)
        return _("Bluezone is running since {at}.").format(at=since)
    return _("Bluetooth is sending and listening, but has heard no phone with Bluezone in the last 15 minutes.")


def _stop_text(handset: Handset, seen: Overview, words: Words, stop: State) -> str:
    _ = words.gettext
    if stop == "B1":
        if since := _moment(handset, words, seen.off_since):
            return _("Bluetooth has been off since {at}. Nothing near you has been recorded since.").format(at=since)
        return _("Bluetooth is off. Nothing near you is being recorded. Turn Bluetooth on.")
    if stop == "B2":
        if seen.list_made_at is None:
            return _("Not checked yet: this phone has not reached the server. Everything on this phone is kept.")
        days = max(1, round((handset.now() - seen.list_made_at) / 86_400))
        text = words.ngettext(
            "No new list for {days} day. Everything on this phone is kept.",
            "No new list for {days} days. Everything on this phone is kept.",
            days,
        )
        return text.format(days=days)
    hours = abs(seen.clock_error_seconds) / 3600
    amount = _("{count} hours").format(count=round(hours)) if hours >= 1 else _("{count} minutes").format(
        count=round(hours * 60)
    )  # fmt: skip
    return _("This phone's clock is {amount} off, so warnings may be wrong. Turn on automatic time.").format(
        amount=amount
    )


def _stop(handset: Handset, seen: Overview, words: Words, stop: State) -> str:
    return (
        f'<section class="card note warn">{icon("stop")}{paragraph(_stop_text(handset, seen, words, stop))}</section>'
    )


def _notices(handset: Handset, seen: Overview, words: Words) -> list[str]:
    _ = words.gettext
    texts = []
    if seen.check_problem in ("offline", "server_answer_refused"):
        texts.append(_("The server could not be reached. The old result stands; the phone tries again by itself."))
    elif seen.check_problem:
        told = _(
            "The downloaded list was not used because it is not as the city signed it ({code}). The old result stands."
        )
        texts.append(told.format(code=seen.check_problem))
    if seen.notice:
        texts.append(
            _("This phone was away so long that it started again as newly installed. Earlier warnings are kept.")
        )
    if seen.store_problem:
        texts.append(_("No space left on this phone: what is near is not being recorded. Free some space."))
    if seen.report_upload_at is not None:
        at = _moment(handset, words, seen.report_upload_at)
        texts.append(
            _("Your report is ready and will be sent by itself at about {at}. No new code is needed.").format(at=at)
        )
    elif seen.report_begun:
        texts.append(
            _("Not finished: network lost. It is kept on this phone and will go on by itself; no new code needed.")
        )
    return [f'<section class="card note">{icon("warn")}{paragraph(text)}</section>' for text in texts]


def _exposure_line(warning: Warning, words: Words) -> str:
    _ = words.gettext
    if warning.level == "high":
        told = _("{day}: your phone was near the phone of a case for about {minutes} minutes. Certainty: {certainty}.")
    else:
        told = _(
            "{day}: your phone was near the phone of a case for about {minutes} minutes, certainty: {certainty}. "
            "You may have been on two sides of a wall."
        )
    certainty = {"low": _("not certain"), "medium": _("medium"), "high": _("high")}[warning.certainty]
    band = {"<10": _("under 10"), ">30": _("over 30")}.get(warning.band, warning.band.replace("-", "\u2060–\u2060"))
    line = told.format(day=words.long_date(warning.day), minutes=band, certainty=certainty)
    return line[0].upper() + line[1:]


def _what_to_do(warnings: list[Warning], words: Words, handset: Handset) -> str:
    """The steps for the latest day with a risk, and a line for each other day."""
    _ = words.gettext
    latest = warnings[0]
    texts = latest.texts[words.language]
    config = handset.city.held
    assert config is not None
    steps = "".join(f"<li>{escape(texts[name])}</li>" for name in ("step_1", "step_2", "step_3"))
    number = "".join(sign for sign in config.hotline if sign in "+0123456789")
    others = "".join(paragraph(_exposure_line(warning, words)) for warning in warnings[1:])
    return (
        f'<section class="card warning {"alert" if latest.level == "high" else "warn"}" id="warning">'
        f"<h2>{escape(_('What to do'))}</h2>{paragraph(texts['lead'])}<ol>{steps}</ol>"
        f'<a class="button" href="tel:{number}">{icon("phone")}{escape(_("Call the health station"))} '
        f'<span class="num">{escape(config.hotline)}</span></a>'
        f"{paragraph(texts['not_known'], 'soft')}{paragraph(texts['doubt'], 'soft')}"
        + (f"<h2>{escape(_('Other days'))}</h2>{others}" if others else "")
        + "</section>"
    )


def _figures(handset: Handset, seen: Overview, words: Words) -> str:
    _ = words.gettext
    last = _moment(handset, words, seen.last_record) or "–"
    return (
        f'<section class="card figures num"><p><b>{escape(last)}</b>'
        f"<small>{escape(_('last Bluetooth record'))}</small></p>"
        f"<p><b>{words.number(seen.uploads)}</b><small>{escape(_('times your data was sent'))}</small></p>"
        f"<p><b>{words.number(seen.random_packets)}</b><small>{escape(_('random packets'))}</small></p></section>"
    )


def _encounters(handset: Handset, words: Words) -> str:
    _ = words.gettext
    counts = handset.encounters_per_day()
    title = f"<h2>{escape(_('Heard over Bluetooth, by day'))}</h2>"
    if not counts:
        empty = _(
            "Nothing yet. When a phone with Bluezone is near, its random codes are noted here, on this phone only."
        )
        return f'<section class="card">{title}{paragraph(empty, "soft")}</section>'
    most = max(counts.values())
    rows = "".join(
        f'<tr><th scope="row">{escape(words.short_date(day))}</th>'
        f'<td class="bar"><meter min="0" max="{most}" value="{count}">{count}</meter></td>'
        f'<td class="num">{words.number(count)}</td></tr>'
        for day, count in reversed(counts.items())
    )
    note = _("Random codes heard. Each phone changes its code every 10 to 20 minutes: this is not a number of people.")
    return f'<section class="card">{title}<table>{rows}</table>{paragraph(note, "soft")}</section>'


def _report(seen: Overview, words: Words, base: str, handset: Handset) -> str:
    _ = words.gettext
    text = _("With a code from your health worker you can warn those you met. They are not told who you are.")
    link = f'<a class="button quiet" href="{base}report">{icon("send")}{escape(_("I tested positive"))}</a>'
    return f'<section class="card"><h2>{escape(_("Warn the people you met"))}</h2>{paragraph(text)}{link}</section>'


def _moment(handset: Handset, words: Words, unix_seconds: float | None) -> str:
    """A moment in the owner's zone, "" where there is none."""
    return "" if unix_seconds is None else words.moment(handset.local(unix_seconds), handset.today())
