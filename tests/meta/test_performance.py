# SPDX-License-Identifier: Apache-2.0
"""Pages of figures that a bench writes have the rows that the bench measures."""

import pytest
from bench import bench_front, bench_start, figures


@pytest.mark.parametrize(("name", "bench"), [("front", bench_front), ("start", bench_start)])
def test_a_page_has_the_rows_of_its_bench(name, bench):
    assert figures.row_names(name) == list(bench.ROWS.values())


def test_what_a_bench_writes_replaces_what_it_wrote_before(tmp_path, monkeypatch):
    monkeypatch.setattr(figures, "PAGES", tmp_path)
    page = tmp_path / "front.md"
    page.write_text("# Before\n\n<!-- written by `bluezone bench front --write` -->\n\nold\n\n<!-- end -->\n\nAfter.\n")
    table = figures.table(["answer", "µs"], [["index", "1"], ["config", "2"]])
    for _ in range(2):
        figures.write("front", ["Measured.", table])

    assert figures.row_names("front") == ["index", "config"]
    assert page.read_text() == (
        "# Before\n\n<!-- written by `bluezone bench front --write` -->\n\nMeasured.\n\n"
        "| answer | µs |\n| --- | --- |\n| index | 1 |\n| config | 2 |\n\n<!-- end -->\n\nAfter.\n"
    )
