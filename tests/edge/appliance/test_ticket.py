# SPDX-License-Identifier: Apache-2.0
"""A box without a screen and the office's ticket: from a stick, from the boot partition, from the box's own page."""

import base64
import dataclasses
import http.client
import json
import os
import re
import subprocess
import threading
from pathlib import Path

import pytest
from tests.builders.serving import BLUEZONE, serving

from bluezone.edge.appliance.intake import SetupPage, take
from bluezone.edge.appliance.ticket import (
    FILE_NAME,
    SETUP_ADDRESS,
    Ticket,
    TicketExpired,
    TicketForeign,
    TicketInvalid,
    read_ticket,
    waiting,
)

REPOSITORY = Path(__file__).parents[3]
NOW = 1_795_900_000.0
CITY, OTHER = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "ab" * 32
TICKET = Ticket(
    "https://bluezone.example.vn", CITY, "gate", 7, "Cổng chính", "UBND phường Sông Cầu", "123-456-789-012",
    int(NOW) + 86_400,
)  # fmt: skip


def stick(tmp_path, ticket=TICKET, name="stick"):
    place = tmp_path / name
    place.mkdir(exist_ok=True)
    (place / FILE_NAME).write_bytes(ticket.file())
    return place


def taken(tmp_path, place, city="", now=NOW):
    for account in ("bluezone-gate", "bluezone-speaker"):
        (tmp_path / "var" / account).mkdir(parents=True, exist_ok=True)
    (tmp_path / "city.key").write_text(city)
    return take(now, [tmp_path / "nothing", place], tmp_path / "var", tmp_path / "city.key", lambda _account: None)


def test_a_ticket_is_the_same_as_a_file_as_a_link_and_behind_its_hash():
    link = TICKET.link()

    assert link.startswith(SETUP_ADDRESS + "#")
    assert [read_ticket(one, NOW) for one in (TICKET.file(), link, link.rpartition("#")[2])] == [TICKET] * 3


@pytest.mark.parametrize(
    "changed",
    [
        {"kind": "canvass"}, {"server": "ftp://example.org"}, {"server": "https://example.org/path"}, {"city": "ab"},
        {"code": "123456789012"}, {"device": 0}, {"device": True}, {"until": "morgen"}, {"name": ""},
        {"agency": "x" * 301},
    ],
)  # fmt: skip
def test_a_ticket_that_does_not_fit_is_refused(changed):
    said = {**json.loads(TICKET.file()), **changed}
    with pytest.raises(TicketInvalid):
        read_ticket(json.dumps(said), NOW)


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", "#", "https://bluezone.example.vn/connect/#123", b"\xff", "x" * 5000]
)
def test_what_is_no_ticket_is_refused(text):
    with pytest.raises(TicketInvalid):
        read_ticket(text, NOW)


def test_a_ticket_is_bounded_in_time_and_a_board_without_a_clock_takes_it():
    with pytest.raises(TicketExpired):
        read_ticket(TICKET.file(), TICKET.until)
    assert read_ticket(TICKET.file(), 0) == TICKET


def test_a_stick_gives_its_ticket_once_to_the_program_it_is_for_and_keeps_no_code(tmp_path):
    place = stick(tmp_path)

    assert taken(tmp_path, place).unit == "bluezone-gate.service"
    found = waiting(tmp_path / "var/bluezone-gate")
    assert found.ticket == TICKET
    assert (tmp_path / "var/bluezone-gate/enrol.json").stat().st_mode & 0o777 == 0o600
    assert waiting(tmp_path / "var/bluezone-speaker") is None
    assert TICKET.code.encode() not in b"".join(path.read_bytes() for path in place.iterdir())
    assert taken(tmp_path, place) is None
    found.used()
    assert waiting(tmp_path / "var/bluezone-gate") is None


def test_a_speaker_s_ticket_is_the_loudspeaker_s(tmp_path):
    place = stick(tmp_path, dataclasses.replace(TICKET, kind="speaker"))

    assert taken(tmp_path, place).unit == "bluezone-speaker.service"


def test_a_box_of_one_city_takes_no_ticket_of_another(tmp_path):
    foreign = dataclasses.replace(TICKET, city=OTHER)
    with pytest.raises(TicketForeign):
        taken(tmp_path, stick(tmp_path, foreign), city=CITY)
    taken(tmp_path, stick(tmp_path), city=CITY)
    waiting(tmp_path / "var/bluezone-gate").used()
    # Without a city in its image it belongs to that of its first ticket.
    with pytest.raises(TicketForeign):
        taken(tmp_path, stick(tmp_path, foreign))
    assert taken(tmp_path, stick(tmp_path)).ticket == TICKET


def test_what_the_account_of_a_program_left_in_its_folder_leads_root_nowhere(tmp_path):
    elsewhere = tmp_path / "shadow"
    elsewhere.write_text("kept")
    folder = tmp_path / "var/bluezone-gate"
    folder.mkdir(parents=True)
    for name in ("enrol.json", ".enrol.json.new"):
        (folder / name).symlink_to(elsewhere)
    taken(tmp_path, stick(tmp_path))

    assert elsewhere.read_text() == "kept"
    assert waiting(folder).ticket == TICKET


@pytest.fixture
def page(tmp_path):
    found = SetupPage(tmp_path, lambda: NOW, "127.0.0.1", 0)
    thread = threading.Thread(target=found.serve)
    thread.start()
    yield found
    found.stop()
    thread.join()


def asked(page, method, path, body=None, **headers):
    connection = http.client.HTTPConnection("127.0.0.1", page.port, timeout=60)
    connection.request(method, path, body, headers)
    answer = connection.getresponse()
    return answer.status, answer.read()


def test_the_page_of_a_box_takes_a_ticket_and_lays_it_where_root_looks(page, tmp_path):
    own = {"Origin": f"http://127.0.0.1:{page.port}"}
    for path in ("/", "/setup.js", "/setup.css"):
        assert asked(page, "GET", path)[0] == 200
    assert asked(page, "GET", "/ticket")[0] == 404
    sent = json.dumps({"ticket": TICKET.link()})
    # Another site's page, which a phone in this network may have open, sends nothing here.
    for origin in ({}, {"Origin": "https://example.org"}):
        assert asked(page, "POST", "/ticket", sent, **origin)[0] == 403
    assert asked(page, "POST", "/ticket", json.dumps({"ticket": "x"}), **own)[0] == 422
    assert asked(page, "POST", "/ticket", "[]", **own)[0] == 400
    assert asked(page, "POST", "/ticket", " " * 9000, **own)[0] == 403
    assert not (tmp_path / FILE_NAME).exists()

    status, said = asked(page, "POST", "/ticket", sent, **own)

    assert (status, json.loads(said)["name"]) == (200, "Cổng chính")
    assert taken(tmp_path, tmp_path).ticket == TICKET


SETUP = """
import base64
from django.utils import timezone
from tests.builders.devices import agency, device
from bluezone.devices.views import box_ticket
for kind, name in (("gate", "Hộp cổng"), ("speaker", "Loa tổ 5")):
    found, code = device(agency(), kind, name, now=timezone.now())
    print("FILE", base64.b64encode(box_ticket(found, code, ORIGIN).file()).decode())
"""


def until_ready(*command):
    program = subprocess.Popen([BLUEZONE, *command], stderr=subprocess.PIPE, text=True)
    for line in program.stderr:
        if line.startswith("ready"):
            return program
    raise AssertionError(f"ended with {program.wait()}")


def end(program):
    program.terminate()
    program.communicate()


@pytest.mark.field
@pytest.mark.long
def test_the_file_of_the_office_s_page_connects_a_gate_and_a_loudspeaker_without_a_keyboard(tmp_path):
    with serving(tmp_path / "data") as served:
        setup = SETUP.replace("ORIGIN", repr(served.public))
        ran = subprocess.run(
            [BLUEZONE, "manage", "--data", served.data, "shell", "-c", setup],
            capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        )  # fmt: skip
        files = [base64.b64decode(one) for one in re.findall(r"FILE (\S+)", ran.stdout)]
        assert len(files) == 2, ran.stdout + ran.stderr
        state, stick = tmp_path / "var", tmp_path / "stick"
        stick.mkdir()
        commands = {
            "bluezone-gate": ("gate", "run", "--radio", "none"),
            "bluezone-speaker": ("speaker", "run", "--sink", "null"),
        }
        for content, (account, command) in zip(files, commands.items(), strict=True):
            (stick / FILE_NAME).write_bytes(content)
            (state / account).mkdir(parents=True)
            said = subprocess.run(
                [BLUEZONE, "appliance", "take", "--from", stick, "--state", state, "--own", "--json"],
                capture_output=True, text=True, check=False,
            )  # fmt: skip
            assert json.loads(said.stdout)["unit"] == f"{account}.service", said.stderr
            for _ in range(2):
                # The second start is that after a power cut: no ticket, no option, the same office.
                end(until_ready(*command, "--data", state / account))
            assert not (state / account / "enrol.json").exists()
        # A ticket that was used already leaves a box that is connected as it is.
        (state / "bluezone-gate/enrol.json").write_bytes(files[0])
        end(until_ready("gate", "run", "--radio", "none", "--data", state / "bluezone-gate"))
        assert (state / "bluezone-gate/enrol.refused.json").exists()
