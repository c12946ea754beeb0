# SPDX-License-Identifier: Apache-2.0
"""The report as a conversation at the terminal: what would be sent, consent, and the wait before the upload."""

import time
from datetime import date

import click

from bluezone.handset import Handset
from bluezone.handset.reporting import ConsentMissing, ReportOutcome, unix_day

LEVELS = {1: "standard", 2: "high"}


def dialogue(
    phone: Handset, code: str | None, days: list[date] | None, consent: bool, visits: bool = False
) -> ReportOutcome:
    """Report with `code`, or go on with the report under way; returns once it is uploaded.

    visits: send the stays at venues in the infectious days too.

    The wait between certificate and upload may take as long as the city's config says; whoever stops it loses
    nothing, because the agent and the next `report` go on.
    """
    if code is None:
        outcome = phone.reporting.go_on(phone.now())
    else:
        draft = phone.prepare_report(code)
        click.echo("Will be sent: this phone's random codes of these days (UTC):", err=True)
        for key, level in draft.keys:
            click.echo(f"  {unix_day(key.day)}  {LEVELS[level]}", err=True)
        stays = draft.visits if visits else ()
        for stay in stays:
            span = f"{phone.local(stay.in_at):%Y-%m-%d %H:%M} to {phone.local(stay.out_at or stay.in_at):%H:%M}"
            click.echo(f"  venue {stay.label or stay.fingerprint}, {span}", err=True)
        click.echo("Not sent: name, number, location, whom you met. It cannot be taken back once sent.", err=True)
        if not consent and not click.confirm("Agree and send?", err=True):
            raise ConsentMissing("nothing was sent: the owner has not agreed; the code was not used")
        numbers = None if days is None else [(day - unix_day(0)).days for day in days]
        outcome = phone.send_report(draft, numbers, [stay.id for stay in stays], consent=True)
    while outcome.state == "waiting":
        seconds = max(1.0, outcome.upload_at - phone.now())
        click.echo(f"ready; will be sent in {seconds / 60:.0f} minutes (stopping now loses nothing)", err=True)
        time.sleep(seconds)
        outcome = phone.reporting.go_on(phone.now())
    return outcome
