# SPDX-License-Identifier: Apache-2.0
"""What systemd is told through its socket, as sd_notify(3) describes it."""

import os
import socket
import subprocess
import time

import pytest
from tests.builders.serving import BLUEZONE, free_port

from bluezone.edge.speaker.book import SpeakerBook
from bluezone.servicemanager import ServiceManager


@pytest.fixture(params=["file", "abstract"])
def listening(request, tmp_path):
    """A manager's socket, and its name as NOTIFY_SOCKET gives it."""
    name = str(tmp_path / "notify") if request.param == "file" else f"@bluezone-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        channel.bind("\0" + name[1:] if request.param == "abstract" else name)
        channel.setblocking(False)
        yield channel, name


def heard(channel):
    said = []
    while True:
        try:
            said.append(channel.recv(4096).decode())
        except BlockingIOError:
            return said


def test_ready_reloading_and_stopping_are_told_to_whoever_started_it(listening):
    channel, name = listening
    manager = ServiceManager({"NOTIFY_SOCKET": name})
    manager.ready()
    manager.reloading()
    manager.alive()
    manager.stopping()
    ready, reloading, stopping = heard(channel)

    assert (ready, stopping) == ("READY=1", "STOPPING=1")
    assert reloading.startswith("RELOADING=1\nMONOTONIC_USEC=")


def test_it_says_that_it_lives_twice_within_the_watchdogs_time_and_not_at_every_look(listening):
    channel, name = listening
    manager = ServiceManager({"NOTIFY_SOCKET": name, "WATCHDOG_USEC": "3600000000", "WATCHDOG_PID": str(os.getpid())})
    manager.alive()
    manager.alive()

    assert manager.beat_seconds == 1800
    assert heard(channel) == ["WATCHDOG=1"]


def test_a_watchdog_of_another_process_is_not_fed(listening):
    channel, name = listening
    ServiceManager({"NOTIFY_SOCKET": name, "WATCHDOG_USEC": "1000000", "WATCHDOG_PID": "1"}).alive()

    assert heard(channel) == []


def test_processes_started_from_here_do_not_inherit_the_socket(listening):
    environment = {"NOTIFY_SOCKET": listening[1], "WATCHDOG_USEC": "1", "WATCHDOG_PID": "1", "PATH": "/bin"}
    ServiceManager(environment)

    assert environment == {"PATH": "/bin"}


def test_without_a_manager_or_with_one_that_is_gone_nothing_happens(tmp_path):
    for environment in ({}, {"NOTIFY_SOCKET": str(tmp_path / "gone")}):
        manager = ServiceManager(environment)
        manager.ready()
        manager.stopping()


@pytest.mark.parametrize("program", ["gate", "speaker"])
def test_gate_and_loudspeaker_say_that_they_are_ready_alive_and_going(tmp_path, program):
    options = {
        "gate": ["--training", "--radio", "none"],
        "speaker": ["--sink", "null", "--server", f"http://127.0.0.1:{free_port()}"],
    }[program]
    # Connected once, long ago; the office is out of reach.
    book = SpeakerBook(tmp_path / "data/speaker", time.time)
    book.put("token", "given")
    book.close()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        channel.bind(str(tmp_path / "notify"))
        channel.settimeout(120)
        environment = {**os.environ, "NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "200000"}
        command = [BLUEZONE, program, "run", "--data", tmp_path / "data", *options]
        said = []
        with subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL) as process:
            try:
                while not {b"READY=1", b"WATCHDOG=1"} <= set(said):
                    said.append(channel.recv(99))
                process.terminate()
                while said[-1] != b"STOPPING=1":
                    said.append(channel.recv(99))
            finally:
                process.kill()

    assert said.count(b"READY=1") == 1
