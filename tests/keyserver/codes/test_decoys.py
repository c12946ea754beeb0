# SPDX-License-Identifier: Apache-2.0
import collections
import os
import random
import threading

from tests.builders.keyserver import DAY, HOUR, NOON, Phone, poster, report_of

from bluezone.keyserver.codes.decoys import AN_HOUR, add_decoys, random_rows
from bluezone.keyserver.codes.issued_codes import OLDEST_ONSET_DAYS, State
from bluezone.keyserver.storage.migrations import migrate, statements_of
from bluezone.keyserver.storage.sqlite import SqliteStore
from bluezone.protocol.upload import Status
from bluezone.protocol.upload.codes import Credential

COLUMNS = "class, onset_day, digits_expire, link_expire, state, used_digest, told, sealed_digits, sealed_link"


def rows_of(server):
    return server.codes_store.read(f"SELECT {COLUMNS} FROM credential")


def kind(row):
    """What can be told of a row but its numbers: state, which columns are empty, and of which grain its ends are."""
    _klass, _onset, *ends, state, _digest, told, _by_digits, _by_link = row
    whole = [next(grain for grain in (7 * DAY, DAY, HOUR, 1) if (end - 4 * DAY) % grain == 0) for end in ends]
    grain = whole[0] if whole[0] == whole[1] and whole[0] > DAY else HOUR if max(whole) >= HOUR else 1
    return state, told, grain, tuple(value is None for value in row)


def test_a_real_row_and_a_decoy_are_told_apart_by_nothing(server, clock, onset):
    report_of(server)
    clock.pass_by(DAY)
    server.codes.issue_code("confirmed", onset)
    report_of(server)
    real = {kind(row) for row in rows_of(server)}
    server.tick()
    clock.pass_by(HOUR)
    server.tick()

    decoys = collections.Counter(map(kind, rows_of(server)))
    # An open one, one used today and one of a day before.
    assert len(real) == 2
    told = {(state, 1, *rest) for state, _told, *rest in real if state == State.USED}
    assert set(decoys) == real | told
    assert min(decoys.values()) > 1


def test_each_hour_has_its_decoys_once_and_a_new_store_those_of_two_days(server, clock):
    server.tick()
    ends = {row[3] for row in rows_of(server) if row[4] == State.OPEN}
    # An hour in nine has none.
    assert ends <= {NOON + hour * HOUR for hour in range(1, 50)}
    assert len(ends) > 25

    before = len(rows_of(server))
    server.tick()
    assert len(rows_of(server)) == before

    clock.pass_by(3 * HOUR)
    server.tick()
    added = {row[3] for row in rows_of(server) if row[4] == State.OPEN} - ends
    assert added <= {NOON + (4 - back) * HOUR + 2 * DAY for back in range(3)}


def test_a_code_is_used_and_revoked_while_decoys_are_put_beside_it(server, onset):
    """On PostgreSQL every row is written again then."""
    phones = [
        Phone(poster(server), server, Credential.from_text(server.codes.issue_code("confirmed", onset).code))
        for _ in range(12)
    ]
    revoked = [server.codes.issue_code("confirmed", onset) for _ in range(12)]
    going = threading.Event()

    def put():
        hour = 0
        while not going.is_set():
            hour += 1
            add_decoys(server.codes_store, server.keys_store, NOON + hour * HOUR, "Asia/Ho_Chi_Minh", 50)

    putting = threading.Thread(target=put)
    putting.start()
    try:
        for phone, issued in zip(phones, revoked, strict=True):
            phone.certified()
            server.codes.revoke_code(issued.code)
    finally:
        going.set()
        putting.join()

    assert {server.codes.status(issued.code) for issued in revoked} == {"revoked"}
    assert {phone.check_code().status for phone in phones} == {Status.OK}
    assert {server.codes.find_row(phone.credential).state for phone in phones} == {State.USED}


def test_decoys_end_as_codes_do(server, clock):
    server.tick()
    clock.pass_by(10 * DAY)
    server.tick()

    assert min(row[3] for row in rows_of(server)) > clock()


def test_so_many_decoys_come_as_the_documents_say():
    hour = NOON // HOUR
    seeds = random.Random(400)
    rows = [row for _ in range(400) for row in random_rows(seeds.randbytes(32), hour, NOON, "Asia/Ho_Chi_Minh")]
    counts = collections.Counter(row[7] for row in rows)

    # Two sums of 400 draws whose variance is 12: five times their error.
    for state in (State.OPEN, State.USED):
        assert abs(counts[state] - 400 * AN_HOUR) < 5 * (400 * 12) ** 0.5
    assert len({row[0] for row in rows}) == len(rows)
    # No onset for which a code is issued stands out.
    onsets = {NOON // DAY - row[4] for row in rows if row[7] == State.OPEN}
    assert onsets == set(range(OLDEST_ONSET_DAYS + 1))


def test_rows_of_an_earlier_version_lose_what_joins_them_to_the_office(tmp_path):
    store = SqliteStore(tmp_path / "codes.sqlite3")
    folder = "src/bluezone/keyserver/storage/migrations/codes/sqlite"

    def old(transaction):
        transaction.execute("CREATE TABLE migration (number INTEGER PRIMARY KEY)")
        for number, name in enumerate(sorted(os.listdir(folder))[:3], 1):
            with open(f"{folder}/{name}", encoding="utf-8") as script:
                for statement in statements_of(script.read()):
                    transaction.execute(statement)
            transaction.execute("INSERT INTO migration VALUES (?)", (number,))
        day = NOON // DAY
        names = [bytes([number]) * 32 for number in range(4)]
        for number, (hashed, klass, end, state) in enumerate(
            [(True, 1, NOON + 2 * DAY, 0), (True, None, (day + 3) * DAY, 1), (False, None, day * DAY, 0),
             (False, None, day * DAY, 1)]
        ):  # fmt: skip
            hashes = (names[number], names[number]) if hashed else (None, None)
            transaction.execute(
                "INSERT INTO credential (handle, digits_hash, link_hash, class, issue_day, digits_expire, link_expire,"
                " state) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (names[number][:16], *hashes, klass, day, end, end, state),
            )

    store.write(old)
    migrate(store, "codes")

    found = store.read("SELECT handle, digits_hash, link_expire, state FROM credential ORDER BY state")
    assert [row[1:] for row in found] == [
        (bytes([0]) * 32, NOON + 2 * DAY, 0),
        (bytes([1]) * 32, (NOON // DAY + 5) * DAY, 1),
    ]
    assert not {row[0] for row in found} & {bytes([number]) * 16 for number in range(4)}
    columns = [row[0] for row in store.read("SELECT name FROM pragma_table_info('credential')")]
    assert "issue_day" not in columns
    store.close()
