# SPDX-License-Identifier: Apache-2.0
import re

from bluezone.cli.tools.bench import BENCH_FOLDER, bench


def test_the_help_names_every_bench():
    names = {path.stem.removeprefix("bench_").replace("_", "-") for path in BENCH_FOLDER.glob("bench_*.py")}
    assert names
    assert names <= set(re.findall(r"[a-z-]+", bench.help))
