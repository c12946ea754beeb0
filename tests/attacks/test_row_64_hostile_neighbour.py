# SPDX-License-Identifier: Apache-2.0
"""Row 64: a neighbour city, or whoever has its keys, lies to the phones that follow it, stalls them or fills them."""

import socket
import threading
from contextlib import contextmanager

import pytest
from tests.builders.handset import city_with_phones, meet_phone, report_patient
from tests.builders.keyserver import set_city
from tests.builders.neighbours import NAMES, meet_abroad, publish, two_cities

from bluezone.handset.city import neighbours


def following(phone):
    (known,) = phone.neighbours.all()
    phone.neighbours.follow(known.neighbour.id)
    return known.neighbour.id


def test_row_64_what_a_neighbour_makes_up_reaches_those_alone_who_follow_it_and_says_whose_it_is(tmp_path):
    with two_cities(tmp_path) as (here, phones, there, others, world):
        # Nobody is ill: the neighbour's operator walks by with a phone and publishes its keys.
        follower, native = meet_abroad(phones, others, there, world)
        name = following(follower)
        publish(world, here, there)
        assert (follower.check().level, native.check().level) == ("high", "none")
        (warning,) = follower.risk.warnings()
        assert warning.neighbours == (name,)


def test_row_64_a_neighbour_cannot_name_others_or_lead_phones_to_them(tmp_path):
    with two_cities(tmp_path) as (here, phones, there, _, world):
        elsewhere = {**NAMES, "address": "https://elsewhere.example", "key": "ab" * 32, "everybody": 1}
        set_city(there.key_server, neighbours=(elsewhere,))
        publish(world, here, there)
        phone = phones.new("phone")
        phone.check()
        following(phone)
        phone.check()
        (known,) = phone.neighbours.all()
        assert (known.neighbour.name["vi"], known.problem) == ("Bình An", None)


def test_row_64_what_the_own_city_names_no_more_is_forgotten(tmp_path):
    with two_cities(tmp_path) as (here, phones, there, _, world):
        phone = phones.new("phone")
        phone.check()
        following(phone)
        phone.check()
        set_city(here.key_server, neighbours=())
        publish(world, here, there)
        there.requests.clear()
        phone.check()
        assert (phone.neighbours.all(), there.requests) == ([], [])
        with phone.store.transaction() as connection:
            names = [name for (name,) in connection.execute("SELECT name FROM state")]
        assert not [name for name in names if name.startswith("neighbour")]


@contextmanager
def stalling(asked):
    """A server that answers a byte now and then, for half a minute, and then as if nothing had been.

    asked: called at each request. Yields its address.
    """
    over = threading.Event()
    listening = socket.create_server(("127.0.0.1", 0))

    def answer():
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            with connection:
                try:
                    connection.recv(65536)
                    asked()
                    connection.sendall(b"HTTP/1.1 200 OK\r\nX: ")
                    for _ in range(600):
                        connection.sendall(b"x")
                        if over.wait(0.05):
                            break
                    connection.sendall(b"\r\nContent-Length: 0\r\n\r\n")
                except OSError:
                    pass

    thread = threading.Thread(target=answer)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        over.set()
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        thread.join()


def test_row_64_a_neighbour_that_answers_a_byte_now_and_then_holds_nothing_up(tmp_path, monkeypatch):
    monkeypatch.setattr(neighbours, "MOST_SECONDS", 0.5)
    checked = []
    with (
        stalling(lambda: checked.append(phone.store.get("checked_at"))) as address,
        city_with_phones(tmp_path, neighbours=[{**NAMES, "address": address, "key": "ab" * 32}]) as (
            server,
            phones,
            world,
        ),
    ):
        phone, patient = phones.new("phone"), phones.new("patient")
        for one in (phone, patient):
            one.check()
        following(phone)
        meet_phone(phone, patient, 30, world=world)
        report_patient(patient, server)
        publish(world, server)
        assert phone.check().level == "high"
        assert checked == [phone.time.now()], (
            "its own city's lists were taken in and noted before the neighbour was asked"
        )
        assert phone.neighbours.all()[0].problem == "offline", "cut off, and not waited for"


@pytest.mark.parametrize("path", ["/v1/config", "/v1/exports/index.json", ".zip", "/v1/venues/index.json", ".bin"])
def test_row_64_a_neighbour_that_answers_without_measure_is_not_read_to_the_end(tmp_path, monkeypatch, path):
    monkeypatch.setattr(neighbours, "MOST_BYTES", 300_000)
    with two_cities(tmp_path) as (here, phones, there, others, world):
        follower, _ = meet_abroad(phones, others, there, world)
        following(follower)
        publish(world, here, there)
        there.tamper = lambda asked, body: body + bytes(400_000) if asked.endswith(path) else body
        there.requests.clear()
        # Venues come after the files, which are kept then.
        assert follower.check().level == ("high" if path in ("/v1/venues/index.json", ".bin") else "none")
        assert follower.neighbours.all()[0].problem == "server_answer_refused"
        assert there.requests[-1][0].endswith(path), "the first of them is the last that is asked for"
