# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: E501 (lines of JavaScript)
"""The offline outbox: through reloads, kills and two tabs nothing is lost and nothing is sent twice under another id."""

import pytest
from tests.builders.webedition import Browser, web_city

pytestmark = pytest.mark.browser
OPEN = "const {Outbox} = await import('/app/outbox.js'); window.outbox = await Outbox.open('visits', {now: () => window.clock || 1000});"


@pytest.fixture(scope="module")
def city(tmp_path_factory):
    with web_city(tmp_path_factory.mktemp("city")) as server:
        yield server


@pytest.fixture
def tab(chromium, city):
    opened = Browser(chromium, city)
    opened.run(OPEN)
    yield opened
    opened.close()


def second(tab):
    """Another tab of the same profile."""
    other = Browser.__new__(Browser)
    other.server, other.context, other.now = tab.server, tab.context, None
    other.page = other._page()
    other.run(OPEN)
    return other


def test_entries_survive_a_kill_and_leave_in_the_order_of_entering(tab):
    ids = tab.run(
        "const ids = []; for (let n = 0; n < 12; n += 1) ids.push(await outbox.append('visit', {n})); return ids"
    )
    tab.page.close()
    tab = second(tab)
    assert [entry["id"] for entry in tab.run("return outbox.list()")] == ids
    got = tab.run(
        "const seen = []; const flushed = await outbox.flush(async (entry) => { seen.push(entry); }); return {seen, flushed}"
    )
    assert [entry["body"]["n"] for entry in got["seen"]] == list(range(12))
    assert [entry["id"] for entry in got["seen"]] == ids
    assert got["flushed"] == {"ran": True, "sent": 12, "left": 0, "error": None}
    assert tab.run("return outbox.list()") == []


def test_ids_are_version_seven_and_sort_by_time(tab):
    ids = tab.run(
        """
        const {uuid7} = await import('/app/uuid7.js');
        return [1795608000, 1795608000.001, 1795608001, 1800000000].map((moment) => uuid7(moment));
        """
    )
    assert ids == sorted(ids)
    assert all(one[14] == "7" and one[19] in "89ab" and len(one) == 36 for one in ids)
    assert int(ids[0].replace("-", "")[:12], 16) == 1795608000_000


def test_an_entry_that_was_sent_before_a_kill_is_sent_again_under_the_same_id(tab):
    number = tab.run("return outbox.append('visit', {door: 4})")
    tab.run(
        "outbox.flush(async ({id}) => { window.sent = id; await new Promise(() => {}); }); while (!window.sent) await new Promise((resolve) => setTimeout(resolve, 10))"
    )
    assert tab.run("return sent") == number
    tab.page.close()
    tab = second(tab)
    assert tab.run("const seen = []; await outbox.flush(async ({id}) => { seen.push(id); }); return seen") == [number]


@pytest.mark.parametrize("web_locks", [True, False])
def test_two_tabs_do_not_send_twice(tab, web_locks):
    if not web_locks:
        tab.context.add_init_script("Object.defineProperty(navigator, 'locks', {value: undefined})")
        tab.page.reload()
        tab.run(OPEN)
        assert tab.run("return navigator.locks === undefined")
    other = second(tab)
    tab.run("for (let n = 0; n < 6; n += 1) await outbox.append('visit', {n})")
    slow = """
        window.seen = [];
        window.flushing = outbox.flush(async ({body}) => { await new Promise((resolve) => setTimeout(resolve, 80)); seen.push(body.n); });
    """
    tab.run(slow)
    other.run(slow)
    results = [one.run("const result = await flushing; return {ran: result.ran, seen}") for one in (tab, other)]
    assert sorted(results[0]["seen"] + results[1]["seen"]) == list(range(6))
    assert [one["ran"] for one in results].count(True) == 1
    assert other.run("return (await outbox.flush(async () => {})).ran"), "afterwards the other may"


def test_two_tabs_that_append_at_once_lose_nothing(tab):
    other = second(tab)
    for one in (tab, other):
        one.run("window.appending = Promise.all(Array.from({length: 25}, (_, n) => outbox.append('visit', {n})))")
    ids = tab.run("return appending") + other.run("return appending")
    assert {entry["id"] for entry in tab.run("return outbox.list()")} == set(ids)
    assert len(set(ids)) == 50


def test_without_a_network_an_entry_waits_longer_each_time_and_the_order_stays(tab):
    tab.run("await outbox.append('visit', {n: 1}); await outbox.append('visit', {n: 2}); window.tries = []")
    fail = "const {sent, left, error} = await outbox.flush(async ({body}) => { tries.push(body.n); throw new Error('offline'); }); return {sent, left, error: error && error.message}"
    assert tab.run(fail) == {"sent": 0, "left": 2, "error": "offline"}
    assert tab.run(fail) == {"sent": 0, "left": 2, "error": None}, "not before its time"
    waits = []
    for _ in range(10):
        first = tab.run("return (await outbox.list())[0]")
        waits.append(first["nextAt"] - tab.run("return window.clock || 1000"))
        tab.run("window.clock = x", first["nextAt"])
        tab.run(fail)
    assert tab.run("return new Set(tries).size") == 1
    assert waits[0] < 8
    assert 900 <= waits[-1] <= 1350
    assert tab.run(
        "const seen = []; await outbox.flush(async ({body}) => { seen.push(body.n); }, {force: true}); return seen"
    ) == [1, 2]


def test_what_the_server_will_never_take_stays_in_the_list_and_lets_the_others_go(tab):
    tab.run("for (let n = 0; n < 3; n += 1) await outbox.append('visit', {n})")
    got = tab.run(
        """
        const refuse = async ({body}) => { if (body.n === 1) throw Object.assign(new Error('no'), {permanent: true, code: 'visit_invalid'}); };
        return {flushed: await outbox.flush(refuse), again: await outbox.flush(refuse), list: await outbox.list()};
        """
    )
    assert got["flushed"] == {"ran": True, "sent": 2, "left": 1, "error": None}
    assert got["again"]["sent"] == 0
    assert [(entry["body"]["n"], entry["refused"]) for entry in got["list"]] == [(1, "visit_invalid")]
    tab.run("await outbox.remove(x)", got["list"][0]["id"])
    assert tab.run("return outbox.list()") == []


def test_bodies_are_encrypted_and_erasing_destroys_them(tab):
    tab.run("await outbox.append('visit', {name: 'Nguyễn Văn A'})")
    raw = tab.run(
        """
        const database = await new Promise((resolve) => { const asked = indexedDB.open('bluezone-outbox-visits'); asked.onsuccess = () => resolve(asked.result); });
        const records = await new Promise((resolve) => { const asked = database.transaction('records').objectStore('records').getAll(); asked.onsuccess = () => resolve(asked.result); });
        database.close();
        return records.map(({data}) => new TextDecoder().decode(data)).join();
        """
    )
    assert "Nguyễn" not in raw
    tab.run("await outbox.erase()")
    tab.run(OPEN)
    assert tab.run("return outbox.list()") == []
