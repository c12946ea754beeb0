# SPDX-License-Identifier: Apache-2.0
"""`bluezone twin`: a rehearsal of the whole system with a city's phones (docs/twin.md)."""

import gettext
import sys
import tempfile
from collections.abc import Callable, Iterable
from importlib.resources import files
from pathlib import Path
from typing import Any

import click

from bluezone.cli.output import prints_result

FAILURES = ("server", "restore", "clock", "night")


def catalogues() -> dict[str, Callable[[str], str]]:
    """For each language the function that translates a text of the report; Django is not loaded in a rehearsal."""
    vietnamese = gettext.translation("django", str(files("bluezone.web") / "locale"), ["vi"])
    return {"vi": vietnamese.gettext, "en": str}


def _lines_of_other_city(result: dict[str, Any]) -> Iterable[str]:
    more = result["file_bytes"] - result["home_bytes"]
    yield (
        f"other city     {result['travellers']} phones went there, {result['following']} follow it, each for up to "
        f"{more / 1e6:.1f} MB more"
    )
    yield (
        f'               {result["abroad"]} of them were near a case of it alone, {result["abroad_told"]} say "high"; '
        f"{result['not_following']} others were, and do not follow it"
    )


def _lines(result: dict[str, Any]) -> Iterable[str]:
    settings = result["asked"]
    failures = ", ".join(settings["failures"]) or "none"
    yield (
        f"{result['phones']:,} phones, {settings['days']} days, {result['meetings']:,} meetings, "
        f"seed {settings['seed']}; failures: {failures}"
    )
    yield (
        f"reports        {result['reports']} of {result['cases']} cases taken, {result['missing']} of them and "
        f"{result['missing_keys']} keys lost; {result['waited']} waited for the server"
    )
    yield f'should say     {result["should"]} phones were near a case; {result["should_told"]} of them say "high"'
    yield f'say "high"     {result["told"]} phones, {result["unmet"]} of them without having met a case'
    yield (
        f"like the crowd {result['whole_equal']} of {result['whole']} phones that share nothing say exactly what the "
        "crowd says of them"
    )
    if result["delays"]:
        delays = sorted(result["delays"])
        yield f"delay          {delays[len(delays) // 2]:.1f} h in the median, {delays[-1]:.1f} h at most"
    yield (
        f"cost           {result['files']} files, {result['home_bytes'] / 1e6:.1f} MB a phone; stores up to "
        f"{result['store_bytes'] / 1e6:.1f} MB; server {result['server_seconds']:.0f} s of {result['seconds']:.0f} s "
        "of processor time"
    )
    if settings["cities"] > 1:
        yield from _lines_of_other_city(result)
    yield ""
    yield 'People who met one case once: how many, how many say "high", how many were to be expected'
    yield f"{'':10}" + "".join(f"{name:>22}" for name in ("5-10 min", "10-25", "25-60", "60-120"))
    for name, row in zip(("0.3-1 m", "1-2 m", "2-4 m", "4-12 m"), result["cells"], strict=True):
        cells = (f"{cell['met']:6} {cell['told']:5} {cell['expected']:8.1f}" for cell in row)
        yield f"{name:10}" + "".join(f"{cell:>22}" for cell in cells)

    for name, part in (("within two metres", result["near"]), ("farther away", result["far"])):
        yield (
            f'{name}: {part["told"]} say "high", {part["expected"]:.0f} expected, one standard error '
            f"{part['error']:.0f}"
        )


@click.command()
@click.option("--phones", type=int, default=2000, show_default=True, help="About how many phones run it, from 300.")
@click.option("--days", type=int, default=14, show_default=True, help="Days to rehearse.")
@click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True, help="Selects the invented city.")
@click.option("--whole", type=click.IntRange(min=1), help="Phones that share nothing.  [default: 1 in 100]")
@click.option("--failure", "failures", multiple=True, type=click.Choice(FAILURES), help="May be given more than once.")
@click.option("--cities", type=click.IntRange(1, 2), default=1, show_default=True, help="Two have travellers between.")
@click.option("--everybody", is_flag=True, help="With two cities: every phone follows the other, not travellers alone.")
@click.option("--html", "page", type=click.Path(dir_okay=False, path_type=Path), help="Write a report with pictures.")
@prints_result(_lines)
def twin(
    phones: int,
    days: int,
    seed: int,
    whole: int | None,
    failures: tuple[str, ...],
    cities: int,
    everybody: bool,
    page: Path | None,
) -> dict[str, Any]:
    """Rehearse the whole system: a model's people, real phones and a real key server, compared with what happened.

    failure: from noon of the middle day, "server" is away for a day, "restore" makes it come back from a backup, and
    "clock" puts the clock of a third of the phones three days ahead; "night": phones are off from ten to six.
    """
    from bluezone.twin.picture import write_page
    from bluezone.twin.rehearsal import Asked, Rehearsal

    settings = Asked(phones, days, seed, whole or max(phones // 100, 1), failures, cities, everybody)

    def progress(day: int) -> None:
        if sys.stderr.isatty():
            click.echo(f"\rday {day + 1} of {days + 2} ", nl=False, err=True)

    with tempfile.TemporaryDirectory(prefix="bluezone-twin-") as folder:
        result = Rehearsal(settings, Path(folder), progress).run().as_json()
    if page is not None:
        page.write_text(write_page(result, catalogues()), "utf-8")
    return result
