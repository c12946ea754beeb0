# SPDX-License-Identifier: Apache-2.0
"""Row 15: the operator links code and keys. What is stored after many reports joins nothing to nobody."""

import datetime
import itertools
import random

import pytest
from tests.builders.keyserver import HOUR, NOON, Phone, keys_for, poster

from bluezone.city_settings import City
from bluezone.keyserver.storage.store import key_prefix
from bluezone.protocol.upload import Status
from bluezone.protocol.upload.codes import Credential

ONSET = datetime.date(2026, 11, 23)
# Every report costs a blind signature and, on PostgreSQL, a dozen calls to another process.
SIZES = [pytest.param(40, id="short"), pytest.param(1000, id="whole", marks=pytest.mark.slow)]


def reports(server, count, rng):
    """Cases that get a code, a certificate and upload, from addresses of their own, some minutes apart."""
    phones = []
    for number in range(count):
        issued = server.codes.issue_code("confirmed", ONSET)
        remote = f"2001:db8:{number:x}::77" if number % 2 else f"198.51.{number // 250}.{number % 250}"
        phone = Phone(
            poster(server, remote), server, Credential.from_text(issued.code),
            keys=keys_for(NOON), salt=rng.randbytes(32), rand=rng.randbytes(32),
        )  # fmt: skip
        phone.certified()
        assert phone.upload().status is Status.OK
        phone.issued, phone.remote = issued, remote
        phones.append(phone)
    return phones


def dump(store):
    """Every row of every table that is not noise or bookkeeping."""
    if store.dialect == "sqlite":
        names = store.read("SELECT name FROM sqlite_master WHERE type = 'table'")
    else:
        names = store.read("SELECT tablename FROM pg_tables WHERE schemaname = current_schema()")
    tables = [name for (name,) in names if name not in ("noise", "migration", "duty", "lease")]
    return {table: store.read(f"SELECT * FROM {table}") for table in tables}


@pytest.mark.long
@pytest.mark.parametrize("count", SIZES)
def test_no_value_joins_codes_to_keys_and_nothing_of_a_phone_is_stored(server, caplog, count):
    caplog.set_level(0)
    phones = reports(server, count, random.Random(15))
    server.clock.pass_by(HOUR)
    server.tick()
    code_tables, key_tables = dump(server.codes_store), dump(server.keys_store)

    def values(tables):
        return {value for rows in tables.values() for row in rows for value in row if isinstance(value, (bytes, str))}

    assert not values(code_tables) & values(key_tables)
    # Numbers that differ between cases and stand on both sides would join them; classes, days and hours do not differ.
    for code_rows, key_rows in itertools.product(code_tables.values(), key_tables.values()):
        for left, right in itertools.product(zip(*code_rows, strict=True), zip(*key_rows, strict=True)):
            shared = {v for v in left if isinstance(v, int)} & {v for v in right if isinstance(v, int)}
            assert len(shared) <= 3

    stored = b"".join(path.read_bytes() for path in server.data_dir.glob("*.sqlite3*"))
    stored += repr((code_tables, key_tables)).encode() + caplog.text.encode()
    for phone in phones:
        secrets = [phone.rand, phone.salt, phone.signature, phone.credential.value, phone.blinded.message]
        texts = [phone.issued.code, phone.issued.code.replace("-", ""), phone.issued.link, phone.remote]
        for secret in secrets:
            assert secret not in stored
            assert repr(secret)[2:-1].encode() not in stored
        for text in texts:
            assert text.encode() not in stored


@pytest.mark.long
@pytest.mark.parametrize("count", SIZES)
def test_the_order_of_the_table_tells_nothing_about_who_came_with_whom(server, count):
    server.tick()
    phones = reports(server, count, random.Random(16))
    server.clock.pass_by(HOUR)
    server.tick(server.clock.now)
    owner = {
        name: number
        for number, phone in enumerate(phones)
        for key in phone.keys
        for name in (key.key, key_prefix(key.key))
    }
    # SQLite's tables have no row numbers; without an index to use it reads them as they lie. Random keys lie between.
    by_place = " ORDER BY ctid" if server.keys_store.dialect == "postgresql" else ""
    for column, table in (("prefix", "known_key"), ("key", "waiting_key")):
        rows = server.keys_store.read(f"SELECT {column} FROM {table}{by_place}")
        order = [owner[key] for (key,) in rows if key in owner]

        # Three keys each: by chance about two pairs in all stand side by side, whatever the number of cases, and more
        # than 20 never. As they came it would be twice as many pairs as cases.
        assert len(order) == 3 * count
        assert sum(one == two for one, two in itertools.pairwise(order)) <= 20


@pytest.mark.postgres
@pytest.mark.parametrize("count", SIZES)
def test_postgresql_does_not_remember_which_keys_were_written_together(server, count):
    if server.keys_store.dialect != "postgresql":
        pytest.skip("only PostgreSQL marks rows with their transaction")
    server.tick()
    phones = reports(server, count, random.Random(17))
    server.clock.pass_by(HOUR)
    server.tick()

    keys = [key.key for phone in phones for key in phone.keys]
    for column, table, real in (("prefix", "known_key", set(map(key_prefix, keys))), ("key", "waiting_key", set(keys))):
        rows = server.keys_store.read(f"SELECT xmin::text, {column} FROM {table}")
        writers = {xmin for xmin, key in rows if key in real}
        assert len(writers) == 1
        # Random keys were written with them: whose transaction it was does not tell the real ones.
        assert sum(xmin in writers and key not in real for xmin, key in rows) > 100


@pytest.mark.postgres
def test_postgresql_does_not_remember_in_which_order_codes_were_written(server):
    if server.codes_store.dialect != "postgresql":
        pytest.skip("only PostgreSQL marks rows with their transaction")
    server.tick()
    reports(server, 20, random.Random(20))
    for _ in range(20):
        server.codes.issue_code("confirmed", ONSET)
    server.clock.pass_by(HOUR)
    server.tick()

    # Into which free place of which page a row goes is PostgreSQL's choice and changes with vacuuming; which command of
    # the transaction wrote it is ours, and that is all that a row knows of its turn.
    rows = server.codes_store.read("SELECT xmin::text, cmin::text::bigint, handle FROM credential ORDER BY 2")
    assert len({xmin for xmin, _, _ in rows}) == 1
    assert len({cmin for _, cmin, _ in rows}) == len(rows) > 100, "decoys among them"
    handles = [bytes(handle) for _, _, handle in rows]
    assert handles == sorted(handles)


def test_no_column_says_when_a_code_was_used_or_to_the_minute_when_a_key_came(server):
    reports(server, 1, random.Random(18))
    columns = "class, onset_day, digits_expire, link_expire, state, told"
    # The Monday after: NOON is of a Wednesday.
    end = (NOON // 86400 + 5) * 86400
    row = server.codes_store.read(f"SELECT {columns} FROM credential")[0]
    server.clock.pass_by(5 * HOUR)
    again = server.codes_store.read(f"SELECT {columns} FROM credential")[0]
    key = server.keys_store.read("SELECT start, level, class, received_hour FROM waiting_key")[0]

    assert row == again == (None, None, end, end, 1, 0), "its end is that of a week"
    assert key[3] == NOON // HOUR


@pytest.mark.long
def test_residual_an_operator_who_watches_live_is_right_once_in_as_many_as_wait_at_the_same_time():
    # Phones wait U(0, the city's setting) between verify and upload. Whoever sees the times of both guesses among those
    # who verified in the hour before an upload. With one report every four minutes that is one in about sixteen.
    rng, longest = random.Random(19), City.verify_to_upload_seconds
    verified = list(itertools.accumulate(rng.expovariate(1 / 240) for _ in range(4000)))
    uploaded = [moment + rng.uniform(0, longest) for moment in verified]
    chances = [1 / sum(moment - longest <= other <= moment for other in verified) for moment in uploaded[100:-100]]

    assert sum(chances) / len(chances) < 0.08
