# SPDX-License-Identifier: Apache-2.0
"""Import a ward's list of households while a city works, in a separate data folder: loudspeakers report, gates count,
phones of canvassers send their visits, and desks queue text messages.

Run as a program in a separate process, because Django opens one data folder in a process. Arguments: the data folder,
then "plant", "send", "import" or "directory"; parameters as a JSON line on stdin, the result as one on stdout.
"""

import datetime
import json
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.builders.stores import HOTLINE

from bluezone.city_settings import write_default

WARD = "phuong-duc-xuan"
COMMITTEE = "ubnd-phuong-duc-xuan"
# As in a file of a real ward: 12 family names, 6 middle and 13 given names.
FAMILIES = "Nguyễn Trần Lê Phạm Hoàng Phan Vũ Đặng Bùi Đỗ Nông Lý"
MIDDLES = "Văn Thị Đức Minh Hữu Ngọc"
GIVENS = "An Bình Chi Dũng Giang Hoa Hùng Lan Mai Nam Phúc Sơn Thảo"
Post = Callable[[str, dict[str, Any], str], int]


def bulkwork(data: Path, what: str, **parameters: Any) -> dict[str, Any]:
    """Run this as a program; returns its result."""
    process = subprocess.run(
        [sys.executable, "-m", "tests.builders.bulkwork", str(data), what],
        input=json.dumps(parameters), capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2],
    )  # fmt: skip
    assert process.returncode == 0, process.stderr[-4000:]
    return json.loads(process.stdout.splitlines()[-1])


def rows_of(count: int, groups: int, phones: int = 1) -> bytes:
    """A CSV of this number of households."""
    some = random.Random(7)
    names = [each.split() for each in (FAMILIES, MIDDLES, GIVENS)]
    lines = ["Chủ hộ,Địa chỉ,Tổ,Số điện thoại thông minh"]
    lines += [
        f'{" ".join(map(some.choice, names))},"Số {n + 1}, ngõ {n % 17 + 1}",{n % groups + 1},{phones}'
        for n in range(count)
    ]
    return "\n".join(lines).encode()


def plant(speakers: int, gates: int, phones: int) -> dict[str, Any]:
    """Plant devices of the seed's agencies; returns their tokens, and the message that each would send."""
    from django.utils import timezone
    from tests.builders import bulletins, devices, directives
    from tests.builders.canvass import Phone, street
    from tests.builders.office import user

    from bluezone.directory.models import AdminUnit, Agency
    from bluezone.identity.models import Role
    from bluezone.rollout.bulletins.air import outlets
    from bluezone.rollout.bulletins.models import Airing
    from bluezone.rollout.canvass.models import Household
    from bluezone.rollout.gates import registry

    now = timezone.now()
    hour = datetime.timedelta(hours=1)
    directives.extend_to_today()
    ward = AdminUnit.objects.get(key=WARD)
    committee = Agency.objects.get(key=COMMITTEE)
    centre = Agency.objects.get(key="trung-tam-vhtttt")
    user("importer", Role.OFFICER, within=committee)
    planted: dict[str, Any] = {"speakers": [], "gates": [], "phones": []}
    zones = [bulletins.zone(f"Tổ {n}", centre) for n in range(max(1, speakers // 5))]
    for place in zones:
        outlets.set_quiet_hours("bien", place.outlet, datetime.time(3), datetime.time(3, 20), now - 4 * hour)
        place.outlet.refresh_from_db()
    on_air = bulletins.approved_bulletin(now=now - 4 * hour, keeper=centre, seconds=2.0)
    due = (now + datetime.timedelta(hours=7) - hour).strftime("%H:30")
    bulletins.schedule_bulletin(
        on_air, *(place.outlet for place in zones), times=[due], first=now.date() - 24 * hour, now=now - 26 * hour
    )
    airings = {airing.outlet_id: airing for airing in Airing.objects.filter(due_at__lt=now).order_by("due_at")}
    for n in range(speakers):
        place = zones[n % len(zones)]
        _device, token = bulletins.machine(place, f"Loa {n}", now)
        airing = airings[place.outlet_id]
        began = airing.due_at.timestamp()
        report = {"airing": airing.key, "outcome": "played", "sink": "ffplay", "began": began, "ended": began + 2,
                  "heard": 2.0, "interrupted": 0.0, "reason": ""}  # fmt: skip
        planted["speakers"].append([token, {"reports": [report]}])
    for n in range(gates):
        device, token = devices.connected_device(committee, name=f"Cổng {n}", now=now)
        registry.gate_of(device, now)
        planted["gates"].append([token, int(now.timestamp()) // 300 * 300 - 300])
    for n in range(phones):
        phone = Phone.leasing(street(ward, 20, f"Tổ {900 + n}", now), committee, f"Máy {n}", now)
        doors = Household.objects.filter(places__turf=phone.turf)
        calls = [phone.push(phone.entry(door), last_number=phone.number) for door in doors]
        planted["phones"].append([phone.token, calls])
    return planted


def talkers(planted: dict[str, Any], post: Post) -> dict[str, list[Callable[[int], int]]]:
    """By kind of device: one function for each device, which sends its n-th message and returns the answer's status."""

    def speaker(token: str, body: dict[str, Any]) -> Callable[[int], int]:
        return lambda _n: post("/v1/speakers/played", body, token)

    def gate(token: str, bucket: int) -> Callable[[int], int]:
        return lambda n: post(
            "/v1/gates/counters", {"counters": [[bucket - n % 9 * 300, "in", "running", n % 50 + 1]]}, token
        )

    def phone(token: str, calls: list[dict[str, Any]]) -> Callable[[int], int]:
        return lambda n: post("/v1/canvass/sync", calls[n % len(calls)], token)

    return {
        "speaker": [speaker(*each) for each in planted["speakers"]],
        "gate": [gate(*each) for each in planted["gates"]],
        "upload": [phone(*each) for each in planted["phones"]],
    }


def queued_message(n: int) -> int:
    """Queue a text message as a desk does; always 200."""
    from bluezone.messaging.sms.models import Purpose
    from bluezone.messaging.sms.outbox import queue_sms

    queue_sms(f"+8491{n:07}", "Mời bà con cài Bluezone", "vi", Purpose.ARRIVAL)
    return 200


def waiting_list(content: bytes) -> Any:
    """A list that the ward has uploaded, checked and accepted: a DoorsImport."""
    from bluezone.directory.models import AdminUnit
    from bluezone.identity.models import User
    from bluezone.rollout.canvass.households import door_lists

    user = User.objects.get(username="importer")
    ward = AdminUnit.objects.get(key=WARD)
    doors_import = door_lists.receive(user, ward, "ho.csv", content)
    return door_lists.accept(doors_import, door_lists.preview(doors_import).digest)


class Others:
    """All other writers: for each transaction of the import, each writes once, in a thread with its own connection.

    transactions: those of the import so far. passed: for each of the other writes, how many of these it waited for.
    """

    def __init__(self, transactions: list[Any]) -> None:
        self._transactions = transactions
        self._turn = threading.Condition()
        self._ended = False
        self.wrote = dict.fromkeys(("speaker", "gate", "upload", "sms"), 0)
        self.refused: list[str] = []
        self.passed = [0]
        self._threads: list[threading.Thread] = []

    def begin(self, planted: dict[str, Any]) -> None:
        """Start the threads."""
        says = [(kind, say) for kind, each in talkers(planted, self._post).items() for say in each]
        for kind, say in [*says, ("sms", queued_message)]:
            self._threads.append(threading.Thread(target=self._write, args=(kind, say)))
            self._threads[-1].start()

    def end(self) -> None:
        """Let the writers stop, and wait until all threads have ended."""
        self._ended = True
        for thread in self._threads:
            self.call()
            thread.join()

    def call(self, execute: Any = None, sql: str = "BEGIN", *more: Any) -> Any:
        """A wrapper for the connection of the import: when a transaction begins, all other writers start a write."""
        if sql.startswith("BEGIN"):
            with self._turn:
                self._turn.notify_all()
        return execute(sql, *more) if execute else None

    @staticmethod
    def _post(path: str, body: dict[str, Any], token: str) -> int:
        from django.test import Client

        answer = Client().post(path, body, content_type="application/json", HTTP_AUTHORIZATION=f"Bearer {token}")
        return int(answer.status_code)

    def _wait(self, execute: Any, sql: str, *more: Any) -> Any:
        before = len(self._transactions)
        try:
            return execute(sql, *more)
        finally:
            if sql.startswith("BEGIN"):
                self.passed.append(len(self._transactions) - before)

    def _write(self, kind: str, say: Callable[[int], int]) -> None:
        from django.db import connection, connections

        def is_next(before: int) -> bool:
            return self._ended or len(self._transactions) > before

        while not self._ended:
            before = len(self._transactions)
            try:
                with connection.execute_wrapper(self._wait):
                    status: object = say(self.wrote[kind])
            except Exception as error:  # the test reports it
                status = repr(error)
            self.wrote[kind] += 1
            if status != 200:
                self.refused.append(f"{kind}: {status}")
            with self._turn:
                self._turn.wait_for(lambda: is_next(before), timeout=60)  # noqa: B023 - asked at once
        connections.close_all()


def _import(rows: int, changed: int, groups: int, taken_back: int) -> dict[str, Any]:
    """Import lists while the others write.

    Three lists: one adds `rows` households, one changes `changed` of them, one of `taken_back` rows is taken back after
    half of it, and then imported. Returns the work of each transaction; how often each of the others wrote, and what
    was refused; and the largest number of transactions of the import that one of their writes waited for.
    """
    from django.conf import settings
    from django.db import connection
    from django.test.utils import setup_test_environment
    from django.utils import timezone
    from tests.builders.transactionwork import transaction_work

    from bluezone.messaging.sms.providers import read_sms_url
    from bluezone.rollout.canvass.households import door_lists
    from bluezone.rollout.canvass.models import Household

    settings.SMS = read_sms_url("file:sms-not-sent.log")
    planted = plant(speakers=4, gates=2, phones=2)
    setup_test_environment()
    settings.ROOT_URLCONF = "bluezone.web.urls_public"
    now = timezone.now()
    with transaction_work() as transactions:
        others = Others(transactions)
        others.begin(planted)
        try:
            with connection.execute_wrapper(others.call):
                for count, phones in ((rows, 1), (changed, 3)):
                    door_lists.carry_out(waiting_list(rows_of(count, groups, phones)), now)
                seen = Household.objects.count()
                another = waiting_list(rows_of(taken_back, groups + 1, 2))
                door_lists.carry_out(another, now, transactions=2)
                door_lists.take_back(another)
                door_lists.carry_out(another, now)
        finally:
            others.end()
    return {
        "held": [_measures(transaction) for transaction in transactions],
        "wrote": others.wrote,
        "refused": others.refused,
        "passed": max(others.passed),
        "doors": [seen, Household.everything.count()],
        "changed": Household.objects.filter(smartphones=3).count(),
    }


def _measures(transaction: Any) -> dict[str, Any]:
    return {
        "statements": len(transaction.statements),
        "calls": transaction.calls,
        "names": sorted(transaction.names),
        "rows": transaction.rows,
    }


def units_of(count: int) -> list[tuple[str, ...]]:
    """Rows of a province with this number of communes."""
    communes = [(f"X{n:05}", f"xã số {n}", "xã", "T01") for n in range(count)]
    return [("Mã đơn vị", "Tên đơn vị", "Loại", "Mã cấp trên"), ("T01", "tỉnh số 1", "tỉnh", ""), *communes]


def agencies_of(count: int, communes: int, more: str = "") -> list[tuple[str, ...]]:
    """Rows of `count` agencies: a committee in each commune, then schools. more: the end of each name."""
    headings = ("Mã cơ quan", "Tên cơ quan", "Loại", "Mã địa bàn", "Số cán bộ", "Nguồn", "Tính đến ngày")
    kinds = [("UBND xã số", "Ủy ban nhân dân")] * communes + [("Trường số", "Trường")] * (count - communes)
    return [headings] + [
        (f"A{n:05}", f"{name} {n}{more}", kind, f"X{n % communes:05}", "20", "Sở Nội vụ", "01/8/2020")
        for n, (name, kind) in enumerate(kinds)
    ]


def accepted_list(about: str, rows: list[tuple[str, ...]]) -> Any:
    """A list of units or agencies that somebody has uploaded, checked and accepted: a ListImport."""
    from django.utils import timezone
    from tests.builders.agencies import write_csv

    from bluezone.directory.imports import list_imports
    from bluezone.identity.models import User

    who = User.objects.get(username="importer")
    sent = list_imports.receive_list(who, about, "ds.csv", write_csv(*rows), timezone.localdate())
    return list_imports.accept_list(sent, list_imports.preview_list(sent).digest)


def _directory(agencies: int, communes: int, timed: bool = False) -> dict[str, Any]:
    """Import lists of units and agencies: new, changed, taken back; enter a unit; issue a directive to all committees.

    Returns the work of the transactions of each. timed: measure CPU time instead of counting calls.
    """
    from django.utils import timezone
    from tests.builders.agencies import unit_values
    from tests.builders.office import user
    from tests.builders.transactionwork import timed_work, transaction_work

    from bluezone.directory.imports import list_imports
    from bluezone.directory.models import AdminUnit, Agency, RecipientGroup
    from bluezone.directory.records import changes
    from bluezone.identity.models import Role
    from bluezone.rollout.directives.issuance import approval
    from bluezone.rollout.directives.models import Directive, Task

    now = timezone.now()
    by = user("importer", Role.ADMIN)
    transactions: dict[str, Any] = {}

    def measure(what: str, act: Callable[[], object]) -> None:
        with timed_work() if timed else transaction_work() as noted:
            act()
        transactions[what] = [
            {**_measures(transaction), "cpu_seconds": transaction.cpu_seconds} for transaction in noted
        ]

    def stored(about: str, rows: list[tuple[str, ...]]) -> None:
        list_imports.continue_list(accepted_list(about, rows), now)

    def taken_back() -> None:
        rows = agencies_of(agencies, communes)
        another = accepted_list("agencies", [rows[0], *((f"B{code}", *more) for code, *more in rows[1:])])
        list_imports.continue_list(another, now, transactions=2)
        list_imports.withdraw_list(another)
        list_imports.continue_list(another, now)

    def sent_out() -> None:
        issuer = Agency.objects.filter(kind="committee", code__startswith="A").earliest("pk")
        letter = Directive.objects.create(
            issuer=issuer, number="1", notation="UBND", date=now.date(), subject="x",
            signer_name="Mai", made_by=by, recipients_action="Các xã",
        )  # fmt: skip
        for n in range(5):
            Task.objects.create(directive=letter, position=n, label=str(n), text="x", lead_names="Các xã")
        version = approval.submit(letter, by, now)
        approval.approve(letter, version.sha256, by, now, for_another=True)
        approval.issue(letter, by, now, on_paper=True)
        approval.revoke(letter, "x", by, now)

    measure("units", lambda: stored("units", units_of(communes)))
    measure("agencies", lambda: stored("agencies", agencies_of(agencies, communes)))
    measure("changed", lambda: stored("agencies", agencies_of(agencies, communes, " mới")))
    measure("taken back", taken_back)
    commune = AdminUnit.objects.get(code="X00000")
    measure("by hand", lambda: changes.save_unit("importer", None, unit_values(parent=commune)))
    group = RecipientGroup.objects.create(key="cac-xa", name="Các xã")
    group.agencies.set(Agency.objects.filter(kind="committee", code__startswith="A"))
    measure("directive", sent_out)
    return {"held": transactions, "agencies": Agency.everything.filter(name__endswith="mới").count()}


def _send(rows: int, groups: int, messages: int) -> dict[str, Any]:
    """While `serve` runs: upload a list, accept it, and leave it to the worker; queue messages at the same time.

    Returns how many messages were queued, and the seconds that the slowest took.
    """
    from django.conf import settings

    from bluezone.messaging.sms.providers import read_sms_url

    settings.SMS = read_sms_url("file:sms-not-sent.log")
    spent = [0.0]

    def queue_all() -> None:
        from django.db import connections

        for n in range(messages):
            begun = time.monotonic()
            queued_message(n)
            spent.append(time.monotonic() - begun)
        connections.close_all()

    desk = threading.Thread(target=queue_all)
    desk.start()
    waiting_list(rows_of(rows, groups))
    desk.join()
    return {"queued": len(spent) - 1, "slowest": max(spent)}


def main(data: Path, what: str) -> None:
    """Do what the command line says, and print the result."""
    from bluezone.server.preparation import open_office

    if what == "import":
        write_default(data, name_vi="Bắc Kạn", name_en="Bắc Kạn", hotline=HOTLINE,
                      sms_segments_a_day=1_000_000, sms_segments_a_month=1_000_000)  # fmt: skip
    open_office(data)
    parameters = json.loads(sys.stdin.read())
    result = {"plant": plant, "send": _send, "import": _import, "directory": _directory}[what](**parameters)
    print(json.dumps(result))  # noqa: T201 - its answer


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
