# SPDX-License-Identifier: Apache-2.0
"""Published files in a real S3 server, which may be slow, gone, full of something else, or lose its answer."""

import hashlib
import json
import subprocess
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from tests.builders.keyserver import DAY, HOUR, call, exchange, open_server, report_of
from tests.builders.machines import wait_until
from tests.builders.objectserver import BUCKET, object_server
from tests.builders.relay import Relay
from tests.builders.serving import BLUEZONE, serving
from tests.builders.signer import signing
from tests.keyserver.publication.test_history import a_phone_ahead_of_a_backup, is_warned, restored

from bluezone.keyserver.publication import bucket as publication_bucket
from bluezone.keyserver.publication import folder
from bluezone.keyserver.publication.bucket import (
    CachedFiles,
    ExportsBucketMissing,
    ExportsDenied,
    ExportsUnreachable,
    ExportsUrlInvalid,
    ObjectFiles,
)
from bluezone.keyserver.publication.folder import LocalFiles, PublishedChanged, PublishedDiffers
from bluezone.keyserver.publication.log.journal import FOLDER_VARIABLE
from bluezone.keyserver.service import KeyServer
from bluezone.protocol.exports.files import read_export
from bluezone.protocol.signed.index import CHAIN_START, chain_value, follow_index
from bluezone.protocol.upload import Status

BUSY = b"HTTP/1.1 503 Slow Down\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


@pytest.fixture(scope="module")
def bucket(tmp_path_factory):
    with object_server(tmp_path_factory.mktemp("s3")) as server:
        yield server


@pytest.fixture
def relay(bucket):
    between = Relay("127.0.0.1", bucket.port)
    yield between
    between.close()


@pytest.fixture
def address(bucket, relay, monkeypatch):
    """A prefix of its own in the bucket, behind a relay; the environment has what a server needs.

    On a busy machine the bucket may take longer to answer than a city would wait.
    """
    monkeypatch.setattr("bluezone.keyserver.publication.bucket._TIMEOUT_SECONDS", 120.0)
    for name, value in bucket.environment(relay.port).items():
        monkeypatch.setenv(name, value)
    return f"s3://{BUCKET}/{uuid4().hex}"


@pytest.fixture(params=["folder", "bucket"])
def files(request, tmp_path):
    if request.param == "folder":
        return LocalFiles(tmp_path)
    return ObjectFiles(request.getfixturevalue("address"))


@pytest.fixture
def server(city_folder, clock, address, monkeypatch):
    monkeypatch.delenv("BLUEZONE_DATABASE_URL", raising=False)
    monkeypatch.setenv("BLUEZONE_EXPORTS_URL", address)
    key_server = open_server(city_folder, clock)
    yield key_server
    key_server.close()


def published(server):
    """Every key that a phone finds which follows the whole index, and fetches what it lists."""
    keys = []
    for entry in follow_index(server.indexes.read_index(), 0, CHAIN_START):
        answered = call(server, "GET", f"/v1/exports/{entry.name}")
        assert (answered.status, hashlib.sha256(answered.body).hexdigest()) == (200, entry.sha256)
        keys += [key.key for key in read_export(answered.body).keys]
    assert len(keys) == len(set(keys))
    return set(keys)


# The same from both places


def test_a_file_is_put_once_and_never_becomes_another(files):
    files.put_if_absent("exports/1-a.zip", b"one")
    files.put_if_absent("exports/1-a.zip", b"one")
    with pytest.raises(PublishedDiffers):
        files.put_if_absent("exports/1-a.zip", b"other")
    assert files.get("exports/1-a.zip") == b"one"


def test_an_index_is_replaced_and_files_are_listed_and_removed(files):
    for content in (b"first", b"second"):
        held = files.version("exports/index.json")
        files.replace("exports/index.json", content, held and held[1])
    files.put_if_absent("exports/1-a.zip", b"one")
    files.put_if_absent("venues/1-b.bin", b"two")

    assert files.get("exports/index.json") == b"second"
    assert sorted(files.names("exports")) == ["exports/1-a.zip", "exports/index.json"]
    for _ in range(2):
        files.remove("exports/1-a.zip")
    assert files.names("exports") == ["exports/index.json"]
    assert files.get("exports/1-a.zip") is None
    assert files.names("nothing") == []


def test_two_publishers_with_different_bytes_under_one_name_leave_one_of_them(files):
    def put(content):
        try:
            files.put_if_absent("exports/7-a.zip", content)
        except PublishedDiffers:
            return None
        return content

    with ThreadPoolExecutor(2) as pool:
        put_by = list(pool.map(put, (b"a" * 200_000, b"b" * 200_000)))
    assert put_by.count(None) == 1
    assert files.get("exports/7-a.zip") in put_by


def test_an_index_that_somebody_else_has_replaced_is_not_overwritten(files):
    with pytest.raises(PublishedChanged):
        files.replace("exports/index.json", b"mine", "a version that never was")
    files.replace("exports/index.json", b"first", None)
    seen = files.version("exports/index.json")[1]
    files.replace("exports/index.json", b"theirs", seen)

    for version in (seen, None):
        with pytest.raises(PublishedChanged):
            files.replace("exports/index.json", b"mine", version)
    assert files.get("exports/index.json") == b"theirs"


# What phones get


def test_phones_get_files_and_indexes_from_the_bucket_with_their_cache_headers(server, bucket, address):
    server.tick()
    keys = {key.key for key in upload(server).keys}
    server.clock.pass_by(2 * HOUR)
    server.tick()

    assert keys <= published(server)
    entry = server.indexes.read_index().entries[-1]
    prefix = f"http://127.0.0.1:{bucket.filer}/buckets/{address.removeprefix('s3://')}"
    for name, caching in ((f"exports/{entry.name}", "immutable"), ("exports/index.json", "max-age=60")):
        with urllib.request.urlopen(f"{prefix}/{name}") as stored:
            assert caching in stored.headers["Cache-Control"]
            assert stored.read() == call(server, "GET", f"/v1/{name}").body
        assert caching in call(server, "GET", f"/v1/{name}").headers["Cache-Control"]
    assert call(server, "GET", "/v1/venues/index.json").status == 200
    assert call(server, "GET", f"/v1/exports/9-{'0' * 32}.zip").status == 404
    assert not (server.data_dir / "exports").exists()


def test_a_machine_that_has_nothing_but_old_stores_and_keys_learns_from_the_bucket_what_was_published(
    server, city_folder, clock, monkeypatch, tmp_path
):
    """As after a promotion, and on another machine: without the journal, and with fewer configs."""
    server.tick()
    upload(server)
    clock.pass_by(8 * DAY)
    server.tick()
    index, configs = server.indexes.read_index(), server.configs.newest_number()
    assert (index.number, configs) == (2, 2)
    server.keys_store.write(lambda transaction: transaction.execute("DELETE FROM export_file WHERE number = 2"))
    server.configs.path(configs).unlink()
    monkeypatch.setenv("BLUEZONE_HEADS", str(tmp_path / "nothing"))
    server.close()

    again = open_server(city_folder, clock)
    clock.pass_by(2 * HOUR)
    again.tick()
    assert again.indexes.read_index().entries[:2] == index.entries
    assert again.configs.newest_number() == configs
    again.close()


def test_files_that_have_had_their_time_leave_the_bucket(server, clock):
    server.tick()
    clock.pass_by(15 * DAY)
    server.tick()

    left = {"exports/index.json", f"exports/{server.indexes.read_index().entries[0].name}"}
    assert set(server.publication.published.names("exports")) == left


def test_what_lay_in_the_folder_is_brought_over_when_a_bucket_is_set(city_folder, clock, address, monkeypatch):
    before = open_server(city_folder, clock)
    before.tick()
    upload(before)
    clock.pass_by(2 * HOUR)
    before.tick()
    had = published(before)
    before.close()

    monkeypatch.setenv("BLUEZONE_EXPORTS_URL", address)
    server = open_server(city_folder, clock)
    assert published(server) == had
    assert list((city_folder / "exports").glob("*.zip")) == []
    server.close()


def upload(server):
    phone = report_of(server)
    assert phone.upload().status is Status.OK
    return phone


# What may go wrong


FAULTS = {
    "lost answer": lambda relay, times: relay.lose_answer_to(b"PUT /", times),
    "no answer": lambda relay, times: relay.hold_answer_to(b"PUT /", times),
    "503": lambda relay, times: relay.answer(b"PUT /", BUSY, times),
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("calls", [1, 2, pytest.param(4, marks=pytest.mark.slow)])
def test_a_file_whose_put_failed_is_published_once_by_this_tick_or_the_next(
    server, address, relay, clock, fault, calls
):
    server.tick()
    keys = {key.key for key in upload(server).keys}
    before = server.indexes.read_index()
    clock.pass_by(2 * HOUR)
    patient = server.publication.published
    if fault == "no answer":
        exchange(server, patient, ObjectFiles(address, timeout_seconds=1.0))
    FAULTS[fault](relay, calls)
    try:
        server.tick()
    except ExportsUnreachable:
        # Whatever was put, nothing is listed that a phone could not fetch.
        relay.no_more_faults()
        published(server)
        exchange(server, server.publication.published, patient)
        server.tick()

    assert keys <= published(server)
    assert [entry.number for entry in server.indexes.read_index().entries] == [1, 2]
    assert server.indexes.read_index().entries[0] == before.entries[0]
    assert len([name for name in server.publication.published.names("exports") if "/2-" in name]) == 1


def test_while_the_bucket_is_gone_reports_are_taken_phones_keep_what_there_was_and_stores_forget(server, relay, clock):
    server.tick()
    listed = server.indexes.read_index().entries[0]
    assert call(server, "GET", "/v1/exports/index.json").status == 200
    assert call(server, "GET", f"/v1/exports/{listed.name}").status == 200
    relay.lose_server()

    keys = {key.key for key in upload(server).keys}
    unused = bytes.fromhex(server.codes.issue_code("confirmed", datetime.fromtimestamp(clock(), UTC).date()).row_id)
    clock.pass_by(3 * DAY)
    with pytest.raises(ExportsUnreachable):
        server.tick()
    assert server.codes_store.read("SELECT 1 FROM credential WHERE handle = ?", (unused,)) == []
    assert call(server, "GET", "/v1/exports/index.json").status == 200
    assert call(server, "GET", f"/v1/exports/{listed.name}").status == 200
    unseen = call(server, "GET", f"/v1/exports/9-{'0' * 32}.zip")
    assert (unseen.status, unseen.body[:38]) == (503, b'{"error": {"code": "exports_unreachabl')
    assert unseen.headers["Retry-After"]
    health = call(server, "GET", "/v1/health")
    assert (health.status, b"exports_unreachable" in health.body) == (503, True)

    relay.find_server()
    server.tick()
    assert keys <= published(server)


def test_a_server_starts_while_the_bucket_is_gone_and_publishes_when_it_is_back(
    city_folder, clock, address, relay, monkeypatch
):
    monkeypatch.setenv("BLUEZONE_EXPORTS_URL", address)
    relay.lose_server()
    server = open_server(city_folder, clock)
    upload(server)
    assert call(server, "GET", "/v1/exports/index.json").status == 503

    relay.find_server()
    server.tick()
    assert len(published(server)) > 1000
    server.close()


@pytest.mark.parametrize("periods", [2, 5, 50])
def test_a_bucket_that_takes_no_files_for_many_periods_holds_publication_up_and_no_longer_under_a_signer(
    city_folder, clock, address, relay, monkeypatch, periods
):
    monkeypatch.setenv("BLUEZONE_EXPORTS_URL", address)
    with signing(city_folder, clock):
        server = open_server(city_folder, clock, padding_mean=5)
        server.tick()
        before = server.indexes.read_index()
        keys = {key.key for key in upload(server).keys}
        relay.answer(b"PUT ", BUSY, times=100_000)
        for _ in range(periods):
            clock.pass_by(2 * HOUR)
            with pytest.raises(ExportsUnreachable):
                server.tick()
        relay.no_more_faults()
        server.tick()

        assert len(follow_index(server.indexes.read_index(), before.number, chain_value(before, before.number))) == 2
        assert keys <= set(published(server))
        server.close()


def test_wrong_credentials_and_a_missing_bucket_have_codes_of_their_own(address, monkeypatch):
    with pytest.raises(ExportsBucketMissing):
        ObjectFiles("s3://nowhere/v1").put_if_absent("exports/1-a.zip", b"one")
    with pytest.raises(ExportsBucketMissing):
        ObjectFiles("s3://nowhere/v1").get("exports/index.json")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "not that")
    denied = ObjectFiles(address)
    for asked in (lambda: denied.put_if_absent("exports/1-a.zip", b"one"), lambda: denied.get("exports/index.json"),
                  lambda: denied.names("exports")):  # fmt: skip
        with pytest.raises(ExportsDenied) as refused:
            asked()
        assert "not that" not in refused.value.message


@pytest.mark.parametrize("url", ["gs://bucket/v1", "s3://", "https://bucket/v1", "nonsense", "s3://user@bucket/v1"])
def test_an_address_that_is_no_bucket_is_refused(url):
    with pytest.raises(ExportsUrlInvalid):
        ObjectFiles(url)


def test_a_process_remembers_files_up_to_a_size_and_asks_for_an_index_now_and_then(address, monkeypatch):
    files = ObjectFiles(address)
    remembered = CachedFiles(files)
    monkeypatch.setattr(publication_bucket, "_REMEMBERED_BYTES", 250)
    digest = hashlib.sha256(bytes(100)).hexdigest()[: folder.NAME_DIGITS]
    names = [f"exports/{number}-{digest}.zip" for number in range(4)]
    for name in names:
        files.put_if_absent(name, bytes(100))
        assert remembered.get(name) == bytes(100)
    assert list(remembered._fixed) == names[2:]

    files.replace("exports/index.json", b"first", None)
    assert remembered.get("exports/index.json") == b"first"
    files.replace("exports/index.json", b"second", files.version("exports/index.json")[1])
    assert remembered.get("exports/index.json") == b"first"
    monkeypatch.setattr(publication_bucket, "_INDEX_SECONDS", 0.0)
    assert remembered.get("exports/index.json") == b"second"


def test_a_whole_serve_starts_with_a_bucket_and_hands_out_what_lies_there(bucket, address, tmp_path):
    # What reaches a bucket has threads of its own, which a copy of a process would not have.
    with serving(tmp_path / "data", environment={**bucket.environment(), "BLUEZONE_EXPORTS_URL": address}) as served:

        def is_current():
            with urllib.request.urlopen(f"{served.public}/v1/exports/index.json", timeout=120) as answer:
                return answer.read() == ObjectFiles(address).get("exports/index.json")

        # The bucket is asked for its index every ten seconds at most, and the worker may have signed it again.
        wait_until(is_current)
        assert not (tmp_path / "data" / "exports" / "index.json").exists()


def test_after_a_restore_on_another_machine_a_phone_is_warned_by_the_next_file_for_the_bucket_knows_what_was_published(
    bucket, address, tmp_path, monkeypatch
):
    monkeypatch.setenv("BLUEZONE_EXPORTS_URL", address)
    # Days pass at once here, and an index that was fetched before would be of another day.
    monkeypatch.setattr(publication_bucket, "_INDEX_SECONDS", 0.0)
    with a_phone_ahead_of_a_backup(tmp_path) as (server, phones, world, phone, backup):
        # Nothing is left of the machine: no folder, no journal.
        monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path / "another journal"))
        restored(server, world, backup, tmp_path / "anew")
        assert server.key_server.ticks.history_problem is None
        assert is_warned(phone, server, phones, world)
        assert phone.downloads.position.number > 4
        assert phone.store.get("notice") is None


def test_the_drill_of_a_city_with_a_bucket_follows_from_the_bucket_and_writes_nothing_there(
    bucket, address, tmp_path, monkeypatch
):
    monkeypatch.setenv("BLUEZONE_EXPORTS_URL", address)
    city, now = tmp_path / "city", time.time()
    server = open_server(city, lambda: now - 5 * HOUR)
    server.tick()
    server.close()
    subprocess.run([BLUEZONE, "backup", "--data", city], check=True, capture_output=True)
    server = KeyServer.open(city, lambda: now - HOUR)
    server.tick()
    newest, files = server.indexes.read_index(), ObjectFiles(address)
    before = files.get("exports/index.json"), files.names("exports")
    server.close()
    said = subprocess.run([BLUEZONE, "drill", "--data", city, "--json"], capture_output=True, text=True).stdout
    told = json.loads(said)
    assert (told["ok"], told["problem"]) == (True, ""), told
    assert told["followed"]["exports"][0] == newest.number >= 2
    assert (files.get("exports/index.json"), files.names("exports")) == before
