# SPDX-License-Identifier: Apache-2.0
"""`bluezone bench`: run a bench of the repository."""

import importlib.util
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click

from bluezone.cli.output import prints_result
from bluezone.refusal import Refused

BENCH_FOLDER = Path(__file__).parents[4] / "bench"


class BenchMissing(Refused):
    """There is no bench of this name; benches are part of the repository, not of an installed package."""

    code = "bench_missing"


def _bench_lines(result: dict[str, Any]) -> Iterable[str]:
    yield f"{result['name']}: {result['value']} {result['unit']}"
    yield f"  baseline {result['baseline']}, ratio {result['ratio']}"
    for key, value in result.items():
        if key not in {"name", "value", "unit", "baseline", "ratio"}:
            yield f"  {key}: {value}"


@click.command()
@click.argument("name")
@click.argument("sizes", nargs=-1, type=click.IntRange(min=1))
@click.option(
    "--recordings",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="FOLDER",
    help="For accuracy: a collection of recordings (docs/accuracy.md).",
)
@click.option("--cases-a-day", type=click.FloatRange(min=0.1, max=300), help="For linking: one rate; all if not given.")
@click.option("--seed", type=click.IntRange(min=0), help="For linking: selects the invented cities.")
@click.option("--hold-hours", type=click.IntRange(0, 24), help="For linking: how long the city holds keys back.")
@click.option(
    "--manners",
    type=click.Choice(["usual", "prompt", "late", "unused", "weekend", "one-place", "three-places", "drawn"]),
    help="For linking: how people behave; drawn: everything by chance, from the seed.",
)
@click.option("--cases", type=click.IntRange(min=1), help="For linking: how many cases are evaluated at least.")
@click.option("--write", is_flag=True, help="For front and start: write the figures into docs/performance.")
@prints_result(_bench_lines)
def bench(
    name: str,
    sizes: tuple[int, ...],
    recordings: Path | None,
    cases_a_day: float | None,
    seed: int | None,
    hold_hours: int | None,
    manners: str | None,
    cases: int | None,
    write: bool,
) -> dict[str, Any]:
    """Run a bench: matching, phone, export, upload, verify, retention, air, idle, gate, airings, speakers, sms, pages,
    front, hostile, start, restore, bulk, publish-day, plan, million, yield; linking, what copies of the stores reveal
    about who reported; accuracy, how well near is distinguished from far; letters, how well letters are read; and
    scenarios, who is warned after which meeting, which takes an hour.

    SIZES, of `phone`: how many neighbours it has; 2, 10, 40 and 200 by default. Of `plan`: how many people. Of
    `million`, a whole plan for a million people: how many seeds."""
    module_name = f"bench_{name.replace('-', '_')}"
    path = BENCH_FOLDER / f"{module_name}.py"
    if not module_name.isidentifier() or not path.is_file():
        raise BenchMissing(f"no bench named {name!r} with this installation")
    spec = importlib.util.spec_from_file_location(module_name, path)
    assert spec is not None
    assert spec.loader is not None
    # Benches of several files import each other by their folder's name.
    sys.path.insert(0, str(BENCH_FOLDER.parent))
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    if sizes and not hasattr(module, "SIZES"):
        raise click.UsageError(f"the bench {name} has one size only")
    options = {
        "recordings": recordings, "cases_a_day": cases_a_day, "seed": seed, "manners": manners,
        "hold_hours": hold_hours, "cases": cases, "write": write or None,
    }  # fmt: skip
    if write and name not in ("front", "start"):
        raise click.UsageError(f"the bench {name} writes no page")
    chosen = {option: value for option, value in options.items() if value is not None}
    result: dict[str, Any] = module.run(lambda line: click.echo(line, err=True), *sizes, **chosen)
    return result
