# SPDX-License-Identifier: Apache-2.0
"""`bluezone handset` as its owner types it, in processes of its own."""

import datetime
import json
import signal
import subprocess
import sys
import time
import urllib.request

import pytest
from click.testing import CliRunner
from tests.builders.handset import World, city_with_phones

from bluezone.cli.handset import handset
from bluezone.keyserver.venues.registrar import VenueDescription


@pytest.fixture
def real_time_city(tmp_path):
    """A city whose clock is the machine's, because the command's is."""
    with city_with_phones(tmp_path, World(time.time())) as (server, _, world):
        world.now = time.time()
        server.key_server.tick()
        yield server, tmp_path / "data"


def ask(server, data, *arguments, answer=""):
    """Run a command with --json; returns (exit code, JSON)."""
    options = ["--data", str(data), "--server", server.url, "--radio", "virtual:127.0.0.1:1", "--json"]
    done = CliRunner().invoke(handset, [*arguments, *options], input=answer)
    return done.exit_code, json.loads(done.stdout.splitlines()[-1])


def test_a_phone_checks_reports_and_forgets(real_time_city):
    server, data = real_time_city
    nothing = {"level": "none", "days": [], "venues": [], "texts": []}
    assert ask(server, data, "check", "--trust", server.trust()) == (0, nothing)
    code, status = ask(server, data, "status")
    assert (code, status["state"], status["bluetooth"], status["checked_at"] is not None) == (0, "B1", "off", True)
    assert ask(server, data, "encounters") == (0, {"days": {}})

    onset = datetime.datetime.now(datetime.UTC).date() - datetime.timedelta(days=1)
    digits = server.key_server.codes.issue_code("confirmed", onset).code
    exit_code, refused = ask(server, data, "report", "--code", digits, "--yes")
    assert (exit_code, refused["error"]["code"]) == (1, "nothing_to_report")
    exit_code, sent = ask(server, data, "sent")
    assert [entry["kind"] for entry in sent["sent"]] == ["code_checked"]
    assert (sent["uploads"], sent["random_packets"]) == (0, 0)

    assert ask(server, data, "forget", "--yes") == (0, {"forgotten": True})
    assert ask(server, data, "status")[1]["error"]["code"] == "handset_missing"


def test_a_report_shows_what_it_sends_and_sends_nothing_without_a_yes(real_time_city):
    from bluezone.handset import Handset

    server, data = real_time_city
    phone = Handset.open(data / "handset", server.url, trust=server.trust())
    phone.encounters.payload()
    phone.close()
    onset = datetime.datetime.now(datetime.UTC).date() - datetime.timedelta(days=1)
    digits = server.key_server.codes.issue_code("confirmed", onset).code

    exit_code, refused = ask(server, data, "report", "--code", digits, answer="n\n")
    assert (exit_code, refused["error"]["code"]) == (1, "consent_missing")
    assert server.key_server.codes.status(digits) == "open"
    exit_code, told = ask(server, data, "report", "--code", digits, answer="y\n")
    assert (exit_code, told["state"], told["keys"]) == (0, "sent", 1)
    assert ask(server, data, "sent")[1]["uploads"] == 1


def test_visits_go_only_where_the_owner_says_so_and_are_shown_before(real_time_city):
    from bluezone.handset import Handset

    server, data = real_time_city
    venue = server.key_server.registrar.register_venue("dk-1", VenueDescription("Quán phở Bắc Hồ", "Tổ 5"))
    phone = Handset.open(data / "handset", server.url, trust=server.trust())
    phone.check()
    phone.stays.begin_stay(venue.venue, phone.time.now() - 4000, remember=True)
    phone.close()
    onset = datetime.datetime.now(datetime.UTC).date() - datetime.timedelta(days=1)
    digits = server.key_server.codes.issue_code("confirmed", onset).code
    options = ["--data", str(data), "--server", server.url, "--radio", "virtual:127.0.0.1:1"]
    done = CliRunner().invoke(handset, ["report", "--code", digits, "--visits", "--yes", *options])

    assert done.exit_code == 0, done.output
    assert "venue Quán phở Bắc Hồ, " in done.stderr
    assert len(server.key_server.keys_store.read("SELECT * FROM waiting_item")) >= 1


def test_an_owner_follows_another_city_and_is_back(tmp_path):
    named = {"name_vi": "Bình An", "name_en": "Binh An", "address": "http://127.0.0.1:9", "key": "0f" * 32}
    with city_with_phones(tmp_path, World(time.time()), neighbours=[named]) as (server, _, world):
        world.now, data = time.time(), tmp_path / "data"
        server.key_server.tick()
        ask(server, data, "check", "--trust", server.trust())
        (known,) = ask(server, data, "neighbours")[1]["neighbours"]
        assert (known["name_vi"], known["wanted"], known["checked"]) == ("Bình An", False, "never")

        exit_code, told = ask(server, data, "neighbours", "--follow", known["id"])
        assert (exit_code, told["neighbours"][0]["wanted"], told["neighbours"][0]["until"]) == (0, True, "you leave")
        assert ask(server, data, "check")[0] == 0, "though the neighbour is away"
        assert ask(server, data, "neighbours")[1]["neighbours"][0]["problem"] == "offline"
        (back,) = ask(server, data, "neighbours", "--leave", known["id"])[1]["neighbours"]
        assert back["wanted"]
        assert back["until"] != "you leave"
        assert ask(server, data, "neighbours", "--follow", "nobody")[1]["error"]["code"] == "neighbour_unknown"


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (("--server", "ftp://city"), "server_address_invalid"),
        (("--server", "http://city/path"), "server_address_invalid"),
        (("--server", "http://[::1"), "server_address_invalid"),
        (("--server", "http://" + "a" * 64 + ".city"), "server_address_invalid"),
        (("--trust", "nonsense"), "trust_invalid"),
    ],
)
def test_bad_options_have_stable_codes(tmp_path, options, code):
    done = CliRunner().invoke(handset, ["check", "--data", str(tmp_path), *options, "--json"])
    assert done.exit_code == 1
    assert json.loads(done.stdout)["error"]["code"] == code


def test_the_agent_does_not_run_before_it_was_told_whom_to_believe(real_time_city):
    server, data = real_time_city
    assert ask(server, data, "run")[1]["error"]["code"] == "trust_missing"


def test_the_agent_runs_serves_its_page_and_stops_whole_on_sigterm(real_time_city):
    server, data = real_time_city
    program = [sys.executable, "-c", "from bluezone.cli.main import main; main()"]
    agent = subprocess.Popen(
        [*program, "handset", "run", "--data", str(data), "--server", server.url, "--trust", server.trust(),
         "--radio", "virtual:127.0.0.1:1", "--json"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        url = agent.stderr.readline().removeprefix("ready ").strip()
        opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
        assert "Bluezone" in opener.open(url, timeout=120).read().decode()
        assert ask(server, data, "status")[0] == 0
        assert ask(server, data, "check")[1]["error"]["code"] == "handset_busy"
        assert ask(server, data, "forget", "--yes")[1]["error"]["code"] == "handset_busy"
    finally:
        agent.send_signal(signal.SIGTERM)
        printed, _ = agent.communicate(timeout=120)
    assert agent.returncode == 0
    assert json.loads(printed) == {"stopped": True}
    assert ask(server, data, "status")[0] == 0
