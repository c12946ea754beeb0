# SPDX-License-Identifier: Apache-2.0
"""`bluezone bench NAME`: run one bench of the repository and print its figure beside its baseline."""

import importlib.util
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click

from bluezone.cli.output import command_result
from bluezone.refusal import Refused

BENCH_FOLDER = Path(__file__).parents[4] / "bench"


class BenchMissing(Refused):
    """No such bench here: benches are part of the repository, not of an installed package."""

    code = "bench_missing"


def _lines(result: dict[str, Any]) -> Iterable[str]:
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
@command_result(_lines)
def bench(name: str, sizes: tuple[int, ...], recordings: Path | None) -> dict[str, Any]:
    """Run a bench: matching, phone, export, upload, verify, retention, air, idle, gate, airings, speakers, sms, pages,
    front, hostile, start, publish-day; accuracy, how well near is told from far; and scenarios, who is warned after
    which meeting, which takes an hour.

    SIZES, of `phone` alone: how many neighbours it has; 2, 10, 40 and 200 if not said."""
    module_name = f"bench_{name.replace('-', '_')}"
    path = BENCH_FOLDER / f"{module_name}.py"
    if not module_name.isidentifier() or not path.is_file():
        raise BenchMissing(f"no bench named {name!r} beside this installation")
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
    given = {} if recordings is None else {"recordings": recordings}
    result: dict[str, Any] = module.run(lambda line: click.echo(line, err=True), *sizes, **given)
    return result
