# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: E501 (lines of JavaScript)
"""The web edition without a network, through updates of its service worker, and woken by a push: real Chromium, real files."""

import pytest
from tests.builders.webedition import Browser, browsers, issue_code, publish_venue, web_city

from bluezone.face.files import StaticFile, static_files, web_files

pytestmark = pytest.mark.browser
HOUR = 3600
WORKING = """
    const registration = await navigator.serviceWorker.ready;
    while (!navigator.serviceWorker.controller) await new Promise((resolve) => setTimeout(resolve, 20));
    return registration.active.scriptURL;
"""
PREPARE = "window.draft = await engine.prepareReport(x)"
SEND = "window.sending = engine.sendReport({visits: draft.visits.map(({id}) => id), consent: true})"


@pytest.fixture
def city(tmp_path):
    with web_city(tmp_path) as server:
        server.key_server.tick()
        yield server


class App(Browser):
    """A browser with the app itself open, its service worker in control, and an engine of the test beside the page's."""

    start = "/app/"

    def __init__(self, chromium, server, database="beside"):
        self.database = database
        super().__init__(chromium, server, server.world.now)
        self.worker = self.run(WORKING)
        self.engine()
        self.run("await engine.start({}); await engine.began")

    def engine(self):
        told = [self.server.trust(), {"database": self.database} if self.database else {}]
        self.run("await openEngine(...x); await engine.began", told)


def another_edition(city, path="app.css", content=b"/* another edition */"):
    """What is served after an update of one file; with the list of hashes that belongs to it."""
    kept = static_files()[path]
    static_files()[path] = StaticFile(path, kept.content + content, kept.media_type)
    try:
        return web_files(city.trust())
    finally:
        static_files()[path] = kept


def test_after_the_first_load_everything_works_without_a_network_and_a_warning_comes_with_it(chromium, city):
    poster = publish_venue(city)
    with browsers(chromium, city, "patient") as (patient,):
        app = App(chromium, city)
        assert app.worker.endswith("/app/service-worker-module.js")
        app.context.set_offline(True)
        app.reload()
        assert app.page.title()
        app.page.wait_for_function("() => document.querySelectorAll('h1').length === 1")
        seen = app.run("return engine.readVenue(x)", poster.link)
        visit = app.run("return engine.checkIn(x, {remember: true})", poster.link)
        patient.run("await engine.checkIn(x, {})", poster.link)
        app.run("await passBy(x)", 40 * 60)
        out = app.run("return engine.checkOut(x)", visit["id"])
        assert (seen["name"], out["outAt"] - out["inAt"]) == ("Chợ Bắc Kạn", 40 * 60)
        assert app.run("return refused(() => engine.check())")["refused"] == "offline"
        app.reload()
        diary = app.run("return engine.diary()")
        assert [visit["label"] for visit in diary[0]["visits"]] == ["Chợ Bắc Kạn"]

        patient.live(3 * HOUR)
        patient.run(PREPARE, issue_code(city))
        patient.run(SEND + "; await sending")
        city.world.pass_by(HOUR)
        city.key_server.tick()
        app.run("await passBy(x - sim.now)", city.world.now)
        assert app.run("return (await engine.state()).warnings") == []
        app.context.set_offline(False)
        # Chromium tells the page that the network is back before the worker has it: the look then fails, a later one does not.
        app.wait("(await passBy(60), (await engine.state()).warnings.length === 1)")
        assert app.run("return (await engine.state()).state") == "D"
        app.close()


def test_an_update_waits_for_the_upload_that_is_on_its_way_and_then_takes_over(chromium, city):
    poster = publish_venue(city)
    app = App(chromium, city)
    app.rehearse_later()
    app.run("await engine.checkIn(x, {})", poster.link)
    app.live(3 * HOUR)
    app.run(
        """
        const {Updates} = await modules('updates');
        window.updates = new Updates('beside-report', () => {});
        await updates.register(new URL('/app/', location.href).href);
        window.held = new Promise((resolve) => { window.release = resolve; });
        window.uploading = new Promise((resolve) => { window.begun = resolve; });
        engine.parts.environment.fetch = async (address, options) => {
          if (address.endsWith('/v1/upload')) { begun(); await held; }
          return fetch(address, options);
        };
        """
    )
    app.run(PREPARE, issue_code(city))
    app.run(SEND + "; await uploading")
    city.app = another_edition(city)
    app.run("await updates.registration.update()")
    app.wait("updates.ready")
    # The owner agrees to the update while the report is being sent.
    app.run("window.applied = updates.apply()")
    still = app.run(
        "await new Promise((resolve) => setTimeout(resolve, 500)); return {ready: updates.ready, state: (await engine.reportState()).state}"
    )
    assert still == {"ready": True, "state": "waiting"}
    with app.page.expect_event("load"):
        app.run("release()")
    app.run(WORKING)
    style = app.run("return (await fetch('/app/app.css')).text()")
    assert "another edition" in style
    app.engine()
    assert app.run("return (await engine.reportState()).state") == "sent"
    assert sum(path == "/v1/upload" for path, _ in city.requests) == 1
    assert len(city.key_server.keys_store.read("SELECT tag FROM waiting_item")) >= 2
    app.close()


def test_an_update_during_an_upload_that_kills_the_page_sends_the_report_all_the_same(chromium, city):
    poster = publish_venue(city)
    app = App(chromium, city)
    app.rehearse_later()
    app.run("await engine.checkIn(x, {})", poster.link)
    app.live(3 * HOUR)
    app.run(
        """
        engine.parts.environment.fetch = (address, options) => address.endsWith('/v1/upload') ? new Promise(() => {}) : fetch(address, options);
        """
    )
    app.run(PREPARE, issue_code(city))
    app.run(SEND)
    app.wait("(await engine.reportState()).state === 'waiting'")
    city.app = another_edition(city)
    app.reload()
    assert app.run("return (await engine.reportState()).state") == "sent"
    assert sum(path == "/v1/upload" for path, _ in city.requests) == 1
    app.close()


def test_row_46_a_file_that_the_list_does_not_name_is_not_installed_and_the_edition_before_stays(chromium, city):
    app = App(chromium, city)
    edition = another_edition(city)
    edition["app.css"] = StaticFile("app.css", b"/* not the file that was listed */", "text/css")
    city.app = edition
    got = app.run(
        """
        const registration = await navigator.serviceWorker.ready;
        const ended = new Promise((resolve) => registration.addEventListener('updatefound', () => {
          const worker = registration.installing;
          worker.addEventListener('statechange', () => worker.state === 'redundant' && resolve(worker.state));
        }));
        await registration.update().catch(() => {});
        return ended;
        """
    )
    assert got == "redundant"
    assert "not the file" not in app.run("return (await fetch('/app/app.css')).text()")
    app.close()


def test_only_what_changed_is_fetched_for_an_update_and_the_old_is_dropped_afterwards(chromium, city):
    app = App(chromium, city)
    keys = "return (await (await caches.open('bluezone-files')).keys()).map(({url}) => url)"
    before = app.run(keys)
    assert 12 <= len(before) <= 20, (
        "the page, its bundles, its workers, words, fonts and icons, and none of the sources"
    )
    city.app = another_edition(city)
    app.run("await (await navigator.serviceWorker.ready).update()")
    app.wait("(await navigator.serviceWorker.ready).waiting !== null")
    during = app.run(keys)
    assert len(set(during) - set(before)) == 1
    assert set(before) <= set(during)
    app.page.goto("about:blank")
    app.page.goto(city.url + "/app/")
    app.wait("(await (await caches.open('bluezone-files')).keys()).length === " + str(len(before)))
    app.close()


def registration(app, devtools):
    """The number by which the browser knows the service worker of the app, once that is at work."""
    # What is delivered to a worker that is still being installed is lost.
    app.wait("(await navigator.serviceWorker.ready).active.state === 'activated'")
    found = []
    devtools.on("ServiceWorker.workerRegistrationUpdated", lambda told: found.extend(told["registrations"]))
    devtools.send("ServiceWorker.enable")
    for _ in range(1200):
        for one in found:
            if one["scopeURL"].startswith(app.server.url) and not one["isDeleted"]:
                return one["registrationId"]
        app.page.wait_for_timeout(100)
    raise AssertionError(found)


def test_a_push_shows_one_sentence_that_names_nothing_and_takes_it_away_when_nothing_is_new(whole_chromium, city):
    # The worker looks for the page's own store.
    app = App(whole_chromium, city, database=None)
    app.context.grant_permissions(["notifications"], origin=city.url)
    devtools = app.context.new_cdp_session(app.page)
    number = registration(app, devtools)
    city.requests.clear()
    # The worker may look at once, and would take the sentence away before this page has seen it.
    city.answers.clear()
    devtools.send(
        "ServiceWorker.deliverPushMessage",
        {"origin": city.url, "registrationId": number, "data": "COVID-19 Nguyễn Văn A"},
    )
    app.wait("(await (await navigator.serviceWorker.ready).getNotifications()).length > 0")
    shown = app.run(
        "return (await (await navigator.serviceWorker.ready).getNotifications()).map(({title, body}) => [title, body])"
    )
    assert shown == [["Bluezone", "Bluezone có thông báo mới. Mở để xem."]]
    city.answers.set()
    deadline = 120_000
    while deadline and not any(path == "/v1/venues/index.json" for path, _ in city.requests):
        app.page.wait_for_timeout(250)
        deadline -= 250
    asked = [path for path, _ in city.requests]
    assert asked[:2] == ["/v1/config", "/v1/venues/index.json"], asked
    assert not any(path in ("/v1/verify", "/v1/upload") for path in asked)
    # Nothing is unread, so nothing is left to be looked at.
    app.wait("(await (await navigator.serviceWorker.ready).getNotifications()).length === 0")
    app.close()


def test_what_is_sent_passes_the_service_worker_by(chromium, city):
    app = App(chromium, city)
    kept = app.run("return (await (await caches.open('bluezone-files')).keys()).map(({url}) => new URL(url).pathname)")
    assert all(path.startswith("/app/") for path in kept)
    source = static_files()["service-worker.js"].content.decode()
    assert 'request.method !== "GET"' in source
    app.close()


# What Chrome 90 does not have, taken away before any script runs.
CHROME_90 = """
    for (const [owner, name] of [[Array.prototype, 'at'], [String.prototype, 'at'], [Object, 'hasOwn'], [self, 'structuredClone'],
      [Crypto.prototype, 'randomUUID'], [Array.prototype, 'findLast'], [Array.prototype, 'findLastIndex'], [AbortSignal, 'timeout'],
      [AbortSignal, 'any'], [Array.prototype, 'toSorted'], [Array.prototype, 'toReversed'], [Array, 'fromAsync'],
      [Promise, 'withResolvers'], [Object, 'groupBy'], [Map, 'groupBy'], [Uint8Array, 'fromHex'], [Uint8Array.prototype, 'toHex'],
      [Uint8Array, 'fromBase64'], [Uint8Array.prototype, 'toBase64'], [String.prototype, 'isWellFormed']]) delete owner[name];
    const {importKey} = SubtleCrypto.prototype;
    SubtleCrypto.prototype.importKey = function (...told) {
      const name = told[2] && (told[2].name || told[2]);
      if (name === 'Ed25519' || name === 'X25519') return Promise.reject(new DOMException('Unrecognized name.', 'NotSupportedError'));
      return importKey.apply(this, told);
    };
    if (navigator.serviceWorker) {
      const {register} = ServiceWorkerContainer.prototype;
      ServiceWorkerContainer.prototype.register = function (script, options = {}) {
        return options.type === 'module' ? Promise.reject(new TypeError('no module workers')) : register.call(this, script, options);
      };
    }
"""


def test_with_only_what_chrome_90_has_the_engine_works_and_the_classic_worker_keeps_it_offline(chromium, city):
    poster = publish_venue(city)

    class Old(App):
        def _page(self):
            if not getattr(self, "old", False):
                self.context.add_init_script(CHROME_90)
                self.old = True
            return super()._page()

    app = Old(chromium, city)
    assert app.worker.endswith("/app/service-worker.js")
    assert app.run("return [1].at === undefined && crypto.randomUUID === undefined")
    app.context.set_offline(True)
    app.reload()
    visit = app.run("return engine.checkIn(x, {})", poster.link)
    assert visit["fingerprint"] == poster.fingerprint
    app.context.set_offline(False)
    app.live(3 * HOUR)
    app.run(PREPARE, issue_code(city))
    app.run(SEND + "; await sending")
    assert app.run("return (await engine.reportState()).state") == "sent"
    app.close()


def test_a_slow_phone_reads_a_poster_and_blinds_a_report_in_good_time(chromium, city):
    """Six times slower than this machine, about a phone of 2 GB; what takes longer is done in a worker.

    The best of twenty tries, because other programs may want the processor.
    """
    poster = publish_venue(city)
    with browsers(chromium, city, "slow") as (slow,):
        slow.context.new_cdp_session(slow.page).send("Emulation.setCPUThrottlingRate", {"rate": 6})
        timed = """
            const timed = async (work) => { const begun = performance.now(); await work(); return performance.now() - begun; };
            const {blind, publicKey} = await modules('blindrsa');
            const {verifyEd25519} = await modules('ed25519');
            const {randomBytes} = await modules('bytes');
            const key = publicKey((await engine.parts.city.held()).weekKeys[0]);
            return {
              poster: await timed(() => engine.readVenue(x)),
              stay: await timed(() => engine.checkIn(x, {})),
              blind: await timed(() => blind(key, randomBytes(64), {randomBytes})),
              signature: await timed(() => verifyEd25519(new Uint8Array(32).fill(3), randomBytes(64), randomBytes(900), 'vendored')),
              state: await timed(() => engine.state()),
            };
            """
        took = slow.run(timed, poster.link)
        for _ in range(19):
            if max(took.values()) >= 2000:
                took = {name: min(took[name], again) for name, again in slow.run(timed, poster.link).items()}
    assert max(took.values()) < 2000, took


def test_a_daily_look_while_the_page_is_closed_fetches_and_says_nothing_when_there_is_nothing(chromium, city):
    app = App(chromium, city, database=None)
    app.context.grant_permissions(["notifications"], origin=city.url)
    devtools = app.context.new_cdp_session(app.page)
    number = registration(app, devtools)
    city.requests.clear()
    told = {"origin": city.url, "registrationId": number, "tag": "bluezone-check"}
    devtools.send("ServiceWorker.dispatchPeriodicSyncEvent", told)
    for _ in range(1200):
        if any(path == "/v1/venues/index.json" for path, _ in city.requests):
            break
        app.page.wait_for_timeout(100)
    assert [path for path, _ in city.requests][:2] == ["/v1/config", "/v1/venues/index.json"]
    shown = app.run("return (await (await navigator.serviceWorker.ready).getNotifications()).length")
    assert shown == 0
    app.close()
