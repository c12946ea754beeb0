# SPDX-License-Identifier: Apache-2.0
"""Fixtures that every part of the suite may use."""

import asyncio
import gc
import os
import sqlite3
import sys
import time
from contextlib import closing
from pathlib import Path
from uuid import uuid4

import pytest
from django.db import connection
from hypothesis import HealthCheck, settings
from hypothesis.internal.conjecture import providers
from tests.builders import marked, processes, turns
from tests.builders.chromium import SharedBrowser, hidden_loop, launched
from tests.builders.stores import migrated_store, rsa_keys

from bluezone.protocol import blindrsa
from bluezone.protocol.upload import puzzle

REPOSITORY = Path(__file__).parents[1]
# A busy machine is no finding, so no example has a deadline and none is drawn too slowly. `make test` looks at the same
# examples every time, so that it fails for what was changed; `make test-slow` looks at new ones, and at more.
UNHURRIED = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
settings.register_profile("same", derandomize=True, max_examples=50, **UNHURRIED)
settings.register_profile("new", max_examples=200, print_blob=True, **UNHURRIED)
settings.load_profile(os.environ.get("BLUEZONE_TEST_EXAMPLES", "same"))
if settings.get_current_profile_name() == "same":
    # Hypothesis reads every module of ours that a process has loaded, seconds in each, and draws from the numbers and
    # texts in them: which these are, and so which examples a test sees, would depend on the tests that ran before.
    providers._get_local_constants = lambda: providers._local_constants
STARTED = processes.ProcessWatch()
FINISHED: list[str] = []
NOT_FAST = ("serve", "browser", "postgres", "slow")
REAL_PUZZLE_BITS = puzzle.PUZZLE_BITS
BROWSER = ("browser", "scenarios")
# Where it is set every process that a test starts compiles all of Django and of ours anew.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False
# What is imported stays: while tests are collected nothing is looked for among it, and afterwards it is left out.
gc.disable()


def pytest_addoption(parser) -> None:
    parser.addoption(
        "--cpu-seconds", type=float, help="start no test after so many seconds of processor time: make test-affected"
    )


def pytest_collection_modifyitems(config, items) -> None:
    """Mark `serve` each test that starts processes of bluezone, by the functions that it and its fixtures reach.

    Tests that drive a browser are in the folders where .ci/run looks for them, so that it need not collect the others.
    """
    for item in items:
        if item.get_closest_marker("browser") and item.path.relative_to(REPOSITORY / "tests").parts[0] not in BROWSER:
            raise pytest.UsageError(
                f"{item.nodeid} drives a browser: it belongs into one of tests/{{{','.join(BROWSER)}}}"
            )
        fixtures = [fixture.func for same_name in item._fixtureinfo.name2fixturedefs.values() for fixture in same_name]
        if processes.starts_processes([item.function, *fixtures]):
            item.add_marker(pytest.mark.serve)
    # Where single files are asked for nobody need read them all.
    for mark in marked.MARKS if config.args_source == config.ArgsSource.TESTPATHS else ():
        found = marked.files_of(mark)
        left_out = {item.nodeid for item in items if item.path not in found and item.get_closest_marker(mark)}
        if left_out:
            raise pytest.UsageError(f"tests/builders/marked.py does not see why these are marked {mark}: {left_out}")


def pytest_collection_finish() -> None:
    """Collect garbage from here on, of the tests alone."""
    gc.freeze()
    gc.set_threshold(10_000, 10, 10)
    gc.enable()


def pytest_runtest_logfinish(nodeid) -> None:
    """Count what has run, for the message of the next hook."""
    FINISHED.append(nodeid)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item) -> None:
    """Stop where `make test-affected` has used its time: the tests closest to the change come first."""
    most = item.config.getoption("--cpu-seconds")
    used = sum(os.times()[:4])
    if most is not None and used > most:
        left = len(item.session.items) - len(FINISHED)
        item.session.shouldstop = (
            f"{used:.0f} s of processor time are used; {left} tests farther from the change did not run"
        )


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item) -> None:
    """Begin no test while a day is about to end; what that costs is a minute or three, twice a day."""
    others = any(item.get_closest_marker(mark) for mark in ("serve", "browser"))
    time.sleep(turns.seconds_to_wait(time.time(), turns.WITH_OTHERS_SECONDS if others else turns.ALONE_SECONDS))


@pytest.fixture(autouse=True)
def no_unmarked_process(request):
    """What `make test-fast` and `make test-affected` run starts no process of bluezone."""
    is_fast = not any(request.node.get_closest_marker(mark) for mark in NOT_FAST)
    STARTED.test = request.node.nodeid if is_fast else ""
    yield
    STARTED.test = ""
    unmarked = STARTED.unmarked.copy()
    STARTED.unmarked.clear()
    assert unmarked == []


@pytest.fixture(autouse=True)
def fresh_limits():
    """What other tests of this process tried from the same address costs this one no puzzle."""
    yield
    for module, limits in (
        ("bluezone.identity.signin.attempts", "_limits"),
        ("bluezone.publicpages.form_limits", "_puzzles"),
    ):
        if module in sys.modules:
            getattr(sys.modules[module], limits).cache_clear()


@pytest.fixture(autouse=True)
def own_journal(tmp_path_factory, monkeypatch):
    """Cities of different tests may share a key, but never what was published."""
    monkeypatch.setenv("BLUEZONE_HEADS", str(tmp_path_factory.getbasetemp() / "heads" / uuid4().hex))


@pytest.fixture(scope="session", autouse=True)
def keys_made_before():
    """A server of this process that needs an RSA key gets one that was made before: a tenth of a second for each.

    What imports generate() by name makes its own, as tests/protocol/test_blindrsa.py does.
    """
    drawn, make = rsa_keys(), blindrsa.generate
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            blindrsa,
            "generate",
            lambda bits=blindrsa.MODULUS_BITS: next(drawn) if bits == blindrsa.MODULUS_BITS else make(bits),
        )
        yield


@pytest.fixture(autouse=True)
def easy_puzzles(request):
    """Puzzles of 12 bits instead of 20: two milliseconds instead of half a second for each that a test solves.

    Where a test talks to processes of bluezone they are real, as theirs are.
    """
    if request.node.get_closest_marker("serve") is None:
        puzzle.PUZZLE_BITS = 12
    yield
    puzzle.PUZZLE_BITS = REAL_PUZZLE_BITS


@pytest.fixture
def real_puzzles(monkeypatch):
    """Puzzles as they are, where a test is about their work."""
    monkeypatch.setattr(puzzle, "PUZZLE_BITS", REAL_PUZZLE_BITS)


@pytest.fixture(scope="session")
def vectors() -> Path:
    """Published and own test vectors that are part of the repository."""
    return REPOSITORY / "tests" / "vectors"


@pytest.fixture(scope="session")
def shared() -> Path:
    """Measuring data and vectors of other projects, which lie beside the repository and are not part of it."""
    folder = REPOSITORY.parent / "shared"
    if not (folder / "data").is_dir():
        pytest.skip("needs ../shared, which is not here")
    return folder


@pytest.fixture(scope="session")
def shared_chromium():
    """One browser for each process of tests, started by the first that asks; and the event loop that drives it."""
    with launched() as browser, hidden_loop() as loop:
        yield SharedBrowser(browser), loop


@pytest.fixture(scope="module")
def chromium(shared_chromium):
    """The browser, with its event loop running while the tests of a module use it and no longer."""
    browser, loop = shared_chromium
    asyncio._set_running_loop(loop)
    yield browser
    asyncio._set_running_loop(None)


@pytest.fixture(scope="session")
def django_db_setup(request, django_test_environment, django_db_blocker) -> None:
    """Django's test database: on SQLite in memory, copied from a store that was migrated once, not once a process.

    Elsewhere as pytest-django has it; tests/builders/postgresql.py copies a template there.
    """
    if connection.vendor != "sqlite":
        request.getfixturevalue("django_db_setup")
        return
    template = migrated_store()
    with django_db_blocker.unblock():
        connection.close()
        connection.settings_dict["NAME"] = "file:bluezone?mode=memory&cache=shared"
        connection.ensure_connection()
        with closing(sqlite3.connect(template)) as store:
            store.backup(connection.connection)
