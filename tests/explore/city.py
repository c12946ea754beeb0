# SPDX-License-Identifier: Apache-2.0
"""A city under exploration: its machine with the service on it, its phones, and what is true of both.

Time is simulated: the machine's clock and the phones' are moved, and every round of the worker is a call.
"""

import base64
import json
import math
import os
import random
import re
import shutil
import socket
import threading
import urllib.error
import urllib.request
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

from tests.builders.handset import PhoneClock, World
from tests.builders.keyserver import DAY, HOUR, NOON
from tests.builders.stores import prepared_store, with_week_keys
from tests.explore.alerts import Record
from tests.explore.machine import NEVER, READY, Died, Disk, Forks, Machine, Process, Refusal, Violation
from tests.explore.phones import BURST_SECONDS, EARLIER, EarlierPhone, Phone
from tests.explore.service import OPERATOR, SERVER, SIGNER, run_command, run_server, run_signer

from bluezone.city_settings import FILE_NAME, CityInvalid, load_city, write_default
from bluezone.handset import Handset
from bluezone.keyserver.keys.keyfolder import open_signing_keys
from bluezone.keyserver.signer.client import FOLDER_NAME
from bluezone.keyserver.statistics import late_after_seconds
from bluezone.protocol.exports.files import read_export
from bluezone.refusal import Refused

PERIOD = 2 * HOUR
# How long a wait may be at most, and how often the worker makes a round in it: fewer are harder and faster.
# `serve` makes one every 15 seconds.
ROUNDS = ((6 * HOUR, 20 * 60), (math.inf, PERIOD))
PHONES = 3
ALL_PHONES = PHONES + len(EARLIER)
# How long two phones are near each other, and how long each has the same identifier.
MEETING_BURSTS = 40
IDENTIFIER_BURSTS = 20
# A phone looks this often here, which is four times as often as in a city.
LOOK = HOUR
# After this time without faults everything must have arrived: a day, for today's keys, and two periods.
HEALED_AFTER = DAY + 2 * PERIOD + HOUR
SETTINGS = {
    "name_vi": "Bắc Kạn", "name_en": "Bac Kan", "hotline": "0209 3870 000", "padding_mean": 2,
    "verify_to_upload_seconds": 0, "publish_period_seconds": PERIOD,
}  # fmt: skip


class Place:
    """Into which folder a backup is restored, and when the old folder is at hand."""

    SAME_NAME = 0
    OLD_FOLDER_LATER = 1
    OTHER_NAME = 2


@dataclass(frozen=True)
class Contact:
    """A true encounter: who was near whom, and when it ended (Unix seconds)."""

    listener: int
    other: int
    at: float


@dataclass
class Reported:
    """What was acknowledged, with the true time: keys, and the last report of a phone."""

    keys: dict[bytes, float] = field(default_factory=dict)
    patients: dict[int, float] = field(default_factory=dict)


class City:
    """One city, in `folder` of this machine. seed: for what its phones draw."""

    def __init__(self, folder: Path, forks: Forks, seed: int, first_clock_error: float = 0.0) -> None:
        self.folder = folder
        self.data = folder / "city"
        self.data.mkdir(parents=True)
        self.clock_server = _ClockServer(self)
        write_default(self.data, **SETTINGS, clock_server=f"http://127.0.0.1:{self.clock_server.server_port}/")
        with_week_keys(self.data, NOON)
        prepared_store(self.data)
        self._first_settings = (self.data / FILE_NAME).read_text()
        self.trust = open_signing_keys(self.data / "keys").signing_key.public_key().public_bytes_raw().hex()
        self.mirror = folder / "mirror"
        self._forks = forks
        self.machine = Machine(self.data, NOON + first_clock_error, forks)
        self.machine.control.synchronised = int(not first_clock_error)
        self.world = _Time(self.machine)
        self.port = _free_port()
        self.server: Process | None = None
        self.signer: Process | None = None
        self.signer_wanted = True
        self.phones: list[Phone | EarlierPhone] = []
        self._draws = random.Random(seed)
        self.contacts: list[Contact] = []
        self.reported = Reported()
        self.refused: list[str] = []
        self.fresh_at = self.world.now
        self.looked_at = self.world.now
        self.newest = 0
        # What a monitor sees, once it is switched on, and whether no step has harmed the city since.
        self.record: Record | None = None
        self.is_quiet = True
        # Until when a phone is switched on but never online.
        self.offline_until = [self.world.now] * ALL_PHONES
        # Copies of the signer's record, and backups, oldest first: the true time and the file.
        self.records: list[bytes] = []
        self.backups: list[tuple[float, Path]] = []
        # Data folders that a restore has replaced, newest last.
        self.replaced: list[Path] = []

    # The service

    def keep_running(self) -> None:
        """Start what should run and does not, as the supervisor does."""
        if self.signer is None and self.signer_wanted:
            self.signer = self._start(SIGNER, run_signer, self.data)
        if self.server is None:
            self.server = self._start(SERVER, run_server, self.data, self.port)

    def _start(self, role: int, run: Any, *arguments: Any) -> Process | None:
        process = self.machine.start(role, run, *arguments)
        try:
            answer = process.receive()
        except Died:
            self._after_power_cut()
            process.kill()
            return None
        if answer == READY:
            return process
        process.kill()
        self.refused.append(f"start: {answer.code}: {answer.message}")
        # On a broken disk no start may succeed; what runs must go on.
        if answer.code.startswith("crash") and self.machine.control.fault == Disk.SOUND:
            raise Violation(f"a process does not start: {answer.code}: {answer.message}")
        return None

    def call(self, name: str, *arguments: Any) -> Any:
        """Have the server do something; None if it does not run or dies of it, a Refusal if it refuses."""
        if self.server is None:
            return None
        try:
            answer = self.server.call(name, *arguments)
        except Died:
            self._after_power_cut()
            self.stop_server()
            return None
        except TimeoutError:
            raise Violation(f"the server hangs in {name}") from None
        if isinstance(answer, Refusal):
            self._note(answer)
            if answer.code.startswith("crash"):
                self.stop_server()
        return answer

    def _note(self, refusal: Refusal) -> None:
        self.refused.append(f"{refusal.code}: {refusal.message}")
        if refusal.code.startswith("crash"):
            raise Violation(f"a process ended with {refusal.code}: {refusal.message}")

    def _after_power_cut(self) -> None:
        self.machine.control.kill_after = NEVER

    def stop_server(self) -> None:
        """End the server at once."""
        if self.server:
            self.server.kill()
        self.server = None

    def stop_signer(self) -> None:
        """End the signer at once."""
        if self.signer:
            self.signer.kill()
        self.signer = None

    def round(self) -> None:
        """One round of the worker, and of those who keep it running."""
        self.keep_running()
        if self.record is None:
            self.call("tick")
        else:
            self.call("measured tick")
            page = self.call("metrics")
            self.record.note(self.world.now, page if isinstance(page, str) else None)
        self._hear_signer()
        self._mirror()

    def _mirror(self) -> None:
        """Another machine copies what is published, as a CDN does."""
        for name in ("exports", "venues", "configs"):
            (self.mirror / name).mkdir(parents=True, exist_ok=True)
            for file in _numbered(self.data / name) - _numbered(self.mirror / name):
                shutil.copyfile(self.data / name / file, self.mirror / name / file)
            index = self.data / name / "index.json"
            if index.exists():
                shutil.copyfile(index, self.mirror / name / index.name)

    def _hear_signer(self) -> None:
        if self.signer is None:
            return
        try:
            self.refused += [f"signer: {message}" for message in self.signer.call("refusals")]
        except Died:
            self._after_power_cut()
            self.stop_signer()

    def command(self, *arguments: str) -> tuple[int, str]:
        """A command of the operator: exit code and output."""
        process = self.machine.start(OPERATOR, run_command, *arguments)
        try:
            answer: tuple[int, str] = process.receive()
        except Died:
            self._after_power_cut()
            answer = (137, "")
        process.kill()
        return answer

    def back_up(self) -> None:
        """Write a backup, and copy the keys of its days to another machine."""
        target = self.folder / f"{len(self.backups)}.bzbackup"
        code, _ = self.command("backup", "--data", str(self.data), "--out", str(target))
        if code == 0:
            self.backups.append((self.world.now, target))
            shutil.copytree(self.data / "keys" / "days", self.folder / "days", dirs_exist_ok=True)

    def restore(self, which: int, place: int) -> None:
        """The machine's data folder is replaced by a backup, and the old one put aside, as docs/operating.md says.

        place: one of Place. What was acknowledged since the backup and is in no file is lost, and noted as lost.
        """
        made_at, backup = self.backups[which]
        listed = self.stored_in_files()
        self.stop_server()
        self.stop_signer()
        before = self.data
        old = before.with_name(f"replaced-{len(self.replaced)}")
        before.rename(old)
        if place == Place.OTHER_NAME:
            self._move_to(self.folder / f"city-{len(self.replaced)}")
        places = () if place == Place.OLD_FOLDER_LATER else (old, self.mirror)
        code, output = self.command(
            "restore", str(backup), "--data", str(self.data), "--day-keys", str(self.folder / "days"),
            *(word for folder in places for word in ("--published", str(folder))),
        )  # fmt: skip
        if code and not (self.data / FILE_NAME).exists():
            # Refused, as for a doubted date: the operator keeps the old folder.
            shutil.rmtree(self.data, ignore_errors=True)
            old.rename(before)
            self._move_to(before)
            self.refused.append(f"restore: {output}")
            return
        self.replaced.append(old)
        self._begin_period()
        lost = {key for key, at in self.reported.keys.items() if at >= made_at and not listed[key]}
        for key in lost:
            del self.reported.keys[key]
        reports = self.reported.patients.items()
        self.reported.patients = {number: at for number, at in reports if at < made_at}

    def _move_to(self, folder: Path) -> None:
        self.data = folder
        self.machine.control.folder = str(folder).encode()

    def change_setting(self, name: str, value: int) -> None:
        """Write a number into `city.toml` and start again; a value that does not go with the others is not applied."""
        path = self.data / FILE_NAME
        before = path.read_text()
        path.write_text(re.sub(rf"(?m)^{name} = .*$", f"{name} = {value}", before))
        try:
            load_city(self.data)
        except CityInvalid:
            path.write_text(before)
            return
        self._apply_settings()

    def restore_settings(self) -> None:
        """Write the first `city.toml` again and start again."""
        path = self.data / FILE_NAME
        if path.read_text() != self._first_settings:
            path.write_text(self._first_settings)
            self._apply_settings()

    def _apply_settings(self) -> None:
        # docs/playbooks/settings-outdated.md: settings that were applied before are applied again by a command.
        self.stop_server()
        self.stop_signer()
        self.keep_running()
        code, output = self.command("settings", "--data", str(self.data), "--apply")
        if code:
            self.refused.append(f"settings: {output}")
        self.stop_server()
        self.keep_running()
        self._begin_period()

    def _begin_period(self) -> None:
        """Phones can expect a file a period from now."""
        self.fresh_at = self.world.now

    def may_wait_seconds(self) -> float:
        """How long a phone may go without a new file before the service must admit it: a period, its grace, two looks.

        Without a period files are made when there are keys.
        """
        period = load_city(self.data).publish_period_seconds
        return period + late_after_seconds(period) + 2 * LOOK if period else float("inf")

    def put_back_files(self) -> bool:
        """Put files of the mirror where they belong; False if all that it has are there and the same."""
        is_changed = False
        for series in ("exports", "venues"):
            for copy in (self.mirror / series).glob("[0-9]*.*"):
                path = self.data / series / copy.name
                if not path.exists() or path.read_bytes() != copy.read_bytes():
                    shutil.copyfile(copy, path)
                    is_changed = True
        return is_changed

    def health(self) -> dict[str, Any]:
        """What `/v1/health` answers; `{"status": "unreachable"}` without an answer."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/v1/health", timeout=60) as answer:
                return dict(json.loads(answer.read()))
        except urllib.error.HTTPError as error:
            return dict(json.loads(error.read()))
        except OSError:
            return {"status": "unreachable", "failing": []}

    def start_monitor(self) -> None:
        """From now on a monitor reads the metrics."""
        self.record = Record(self.world.now)
        self.round()

    # Time

    def wait(self, seconds: float) -> None:
        """Let time pass: rounds of the worker, and a look at whether phones get what is new."""
        ends_at = self.world.now + seconds
        pause = next(pause for longest, pause in ROUNDS if seconds <= longest)
        while self.world.now < ends_at:
            step = min(pause, ends_at - self.world.now)
            self.world.pass_by(step)
            self.round()
            if self.world.now - self.looked_at >= LOOK:
                self.compare_health()
                self.compare_earlier_phones()

    def compare_health(self) -> None:
        """What the service says of itself must be true for a phone. Raises Violation."""
        number, problem = self.look(self.phone(self._online(PHONES)[0]))
        self.looked_at = self.world.now
        if number > self.newest:
            self.newest = number
            self.fresh_at = self.world.now
        late = self.world.now - self.fresh_at > self.may_wait_seconds()
        if self.record and self.is_quiet:
            self.record.require_quiet(self.world.now)
        if not late and problem is None:
            return
        health = self.health()
        if self.record and late and health["status"] != "ok":
            self.record.require_alert(self.world.now, health["failing"])
        if health["status"] == "ok":
            reason = problem or f"no new file for {(self.world.now - self.fresh_at) / HOUR:.1f} hours"
            raise Violation(f"health is ok, but a phone gets nothing: {reason}")

    def compare_earlier_phones(self) -> None:
        """What the service says of itself must be true for phones of earlier releases, too. Raises Violation."""
        for number in self._online()[len(self._online(PHONES)) :]:
            phone = self.phone(number)
            _, problem = self.look(phone)
            if problem and self.health()["status"] == "ok":
                raise Violation(f"health is ok, but {phone.name} gets nothing: {problem}")

    def look(self, phone: Phone | EarlierPhone) -> tuple[int, str | None]:
        """What a phone finds now: the number of its newest file, and why it could not follow (a code), if so."""
        problem = None
        try:
            phone.check()
        except Refused as refused:
            problem = None if refused.code in ("offline", "server_answer_refused") else refused.code
        return phone.newest(), problem

    def _online(self, count: int = ALL_PHONES) -> list[int]:
        """Which of the first phones, of those that are on, have a network."""
        numbers = range(min(count, max(PHONES, len(self.phones))))
        return [number for number in numbers if self.offline_until[number] <= self.world.now]

    def take_offline(self, number: int, days: int) -> None:
        """A phone is without a network for some days, while the city continues and the other phones look each day."""
        self.phone(number)
        # One phone of today at least is online, and says what phones get.
        if self._online(PHONES) in ([], [number]):
            return
        self.offline_until[number] = self.world.now + days * DAY
        for _ in range(days):
            self.wait(DAY)
            for other in self._online():
                with suppress(Refused):
                    self.phone(other).check()

    # People

    def phone(self, number: int) -> Phone | EarlierPhone:
        """A phone; the first use switches all on, and each looks once, which sets its clock.

        Numbers from PHONES on are phones of earlier versions, which a use of the others leaves off.
        """
        if not self.phones:
            self._switch_on([self._phone_of_today(name) for name in range(PHONES)])
        if number >= len(self.phones):
            self._switch_on([self._earlier_phone(name, version) for name, version in enumerate(EARLIER, PHONES)])
        return self.phones[number]

    def _switch_on(self, phones: list[Phone] | list[EarlierPhone]) -> None:
        self.phones += phones
        for phone in phones:
            with suppress(Refused):
                phone.check()

    def _phone_of_today(self, number: int) -> Phone:
        clock = PhoneClock(self.world, self.world.now - DAY)
        rng = random.Random(self._draws.random())
        folder = self.folder / f"phone-{number}"
        return Phone(Handset.open(folder, self._address(), clock, rng, trust=self.trust), f"phone {number}")

    def _earlier_phone(self, number: int, version: str) -> EarlierPhone:
        machine = Machine(self.folder / f"phone-{number}", self.world.now, self._forks.earlier(version))
        self.world.machines.append(machine)
        return EarlierPhone(machine, number, version, self._address(), self.trust)

    def _address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def let_meet(self, listener: int, other: int) -> None:
        """Two phones are near each other for twenty minutes."""
        hearing = self.phone(listener)
        heard = self.phone(other)
        for burst in range(MEETING_BURSTS):
            if burst % IDENTIFIER_BURSTS == 0:
                payload = heard.payload()
            hearing.hear(payload, burst + 1)
            self.world.pass_by(BURST_SECONDS)
        hearing.store_sightings()
        self.round()
        self.contacts.append(Contact(listener, other, self.world.now))

    def report_by(self, number: int) -> None:
        """The owner of a phone gets a code and reports; nothing is noted unless the server acknowledged it."""
        onset = self.phone(number).today()
        code = self.call("issue", onset.isoformat())
        if not isinstance(code, str):
            return
        phone = self.phone(number)
        try:
            is_sent = phone.report(code)
        except Refused as refused:
            self.refused.append(f"phone: {refused.code}")
            return
        if is_sent:
            self.reported.patients[number] = self.world.now

    def report_from_crowd(self, days: int) -> None:
        """A phone without a radio reports random keys."""
        keys = self.call("report", days)
        if isinstance(keys, list):
            self.reported.keys.update(dict.fromkeys(keys, self.world.now))

    # What was published

    def published(self) -> Counter[bytes]:
        """How often each key is in a file that the index lists, as a phone fetches them. Raises Violation."""
        base = f"http://127.0.0.1:{self.port}/v1/exports"
        with urllib.request.urlopen(f"{base}/index.json", timeout=60) as answer:
            payload = json.loads(base64.b64decode(json.loads(answer.read())["payload"]))
        counts: Counter[bytes] = Counter()
        for entry in payload["entries"]:
            try:
                with urllib.request.urlopen(f"{base}/{entry['name']}", timeout=60) as answer:
                    export = read_export(answer.read())
            except (OSError, Refused) as error:
                raise Violation(f"file {entry['name']} is listed and cannot be read: {error}") from None
            counts.update(key.key for key in export.keys)
        return counts

    def stored_in_files(self) -> Counter[bytes]:
        """How often each key is in a file that was published here and can still be read somewhere."""
        counts: Counter[bytes] = Counter()
        for path in (self.mirror / "exports").glob("[0-9]*.zip"):
            with suppress(OSError, Refused):
                counts.update(key.key for key in read_export(path.read_bytes()).keys)
        return counts

    def record_file(self) -> Path:
        """The signer's record."""
        return self.data / FOLDER_NAME / "signed.jsonl"

    def close(self) -> None:
        """End all processes and remove the folder."""
        self.stop_server()
        self.stop_signer()
        for phone in self.phones:
            phone.close()
        self.clock_server.shutdown()
        self.clock_server.server_close()
        shutil.rmtree(self.folder, ignore_errors=True)


class _ClockServer(HTTPServer):
    """The server of another machine, with a clock that is right."""

    def __init__(self, city: City) -> None:
        super().__init__(("127.0.0.1", 0), _SaysTime)
        self.city = city
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()


class _SaysTime(BaseHTTPRequestHandler):
    server: _ClockServer

    def do_HEAD(self) -> None:
        self.send_response(HTTPStatus.NO_CONTENT)
        self.end_headers()

    def date_time_string(self, timestamp: float | None = None) -> str:
        return super().date_time_string(self.server.city.world.now)

    def log_message(self, format: str, *args: Any) -> None:
        pass


class _Time(World):
    """True time, with which the clocks of machines run."""

    def __init__(self, machine: Machine) -> None:
        super().__init__(float(NOON))
        self.machines = [machine]

    def pass_by(self, seconds: float) -> None:
        super().pass_by(seconds)
        for machine in self.machines:
            machine.pass_by(seconds)


def _numbered(folder: Path) -> set[str]:
    """The names of the numbered files of a folder."""
    names = os.listdir(folder) if folder.exists() else []
    return {name for name in names if name[0].isdigit()}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
