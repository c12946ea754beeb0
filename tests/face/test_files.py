# SPDX-License-Identifier: Apache-2.0
"""What is served of the face, and that the list of hashes is of exactly that."""

import hashlib
import html
import json
import re

import pytest

from bluezone.face import bundles
from bluezone.face.files import (
    INDEX,
    LATER,
    OPENING,
    SERVICE_WORKERS,
    STATIC,
    WORKERS,
    page,
    read_words,
    static_files,
    web_files,
)

KEY = "ab" * 32


@pytest.fixture(scope="module")
def served():
    return web_files(KEY)


def kept(served):
    worker = served["service-worker.js"].content.decode()
    return json.loads(re.search(r"const FILES = (\{.*?\});", worker)[1])


def test_the_page_knows_its_engine_and_the_citys_key():
    body = re.search(rb"<body[^>]*>", page("web", city_key=KEY).content)[0].decode()
    assert 'data-engine="web"' in body
    assert f'data-city-key="{KEY}"' in body
    handset = re.search(rb"<body[^>]*>", page("handset").content)[0].decode()
    assert 'data-engine="handset"' in handset
    assert "city-key" not in handset


def test_the_page_cannot_be_written_into_by_what_stands_for_the_key():
    assert b"<script>alert" not in page("web", city_key='"><script>alert(1)</script>').content


def test_the_service_worker_lists_every_file_that_runs_by_the_hash_of_what_is_served(served):
    listed = kept(served)
    assert listed == {path: hashlib.sha256(served[path].content).hexdigest() for path in listed}
    assert {"", "app.css", OPENING, LATER, "scan/decoder.js", "engine/web/puzzleworker.js", "words/en.js"} <= set(
        listed
    )
    sources = {path for path in listed if path.endswith(".js")} - {OPENING, LATER, "oldbrowser.js", *WORKERS}
    assert all(path.startswith("words/") for path in sources)
    assert not any("handset.js" in path or "LICENSE" in path or path == INDEX for path in listed)


def test_a_bundle_holds_each_module_once_as_it_is_served_beside_it_but_for_comments(served):
    bundles = {name: served[name].content.decode() for name in (OPENING, LATER)}
    held = re.findall(r"^// ---- (.+)$", "".join(bundles.values()), re.MULTILINE)
    assert len(held) == len(set(held)) > 90
    # What no bundle changes: every line that neither imports nor exports nor comments.
    for path in held:
        lines = [line.strip() for line in served[path].content.decode().splitlines()]
        plain = [
            line
            for line in lines
            if line and not re.match(r"(import|export|//|/\*|\*|\})|.*(import\(|import\.meta|export\s*\{)", line)
        ]
        bundle = next(text for text in bundles.values() if f"// ---- {path}\n" in text)
        own = bundle.split(f"// ---- {path}\n", 1)[1].split("\n// ---- ", 1)[0]
        assert [line for line in plain if line not in own] == [], path


def test_the_page_loads_its_bundle_and_no_source(served):
    shown = served[""].content.decode()
    assert re.findall(r'<script[^>]* src="([^"]+)"', shown) == ["oldbrowser.js", OPENING]
    assert re.findall(r'<script[^>]* src="([^"]+)"', page("handset").content.decode()) == ["oldbrowser.js", "main.js"]


def test_the_page_says_what_one_agrees_to_before_any_script_is_there(served):
    shown = html.unescape(served[""].content.decode())
    for language in ("vi", "en"):
        words = read_words(language)
        for key in ("title", "lead.web", "web", "does.places", "stays.consent", "never", "before"):
            assert words[f"welcome.{key}"].replace("{disease}", words["disease"]) in shown
    assert "welcome." not in shown
    assert 'class="consent"' not in page("handset").content.decode()


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ('import * as all from "./b.js";', "no bundle holds"),
        ("export let count = 0;", "no bundle holds"),
        ('export * from "./b.js";', "no bundle holds"),
        ('import { a } from "./a.js";', "circle"),
        ('import { c } from "./c.js";', "missing"),
    ],
)
def test_what_a_bundle_cannot_hold_is_refused_where_it_is_made(written, why):
    sources = {"a.js": f"{written}\n", "b.js": "export const b = 1;\n", bundles.REGISTRY: "export {};\n"}
    with pytest.raises(bundles.NotBundled, match=why):
        bundles.bundle_opening(bundles.order_imports(["a.js"], sources), "a.js", (), sources)


def test_every_script_that_runs_beside_the_page_is_known_as_a_worker(served):
    started = set()
    for path, file in static_files().items():
        for name in re.findall(r"""new Worker\(new URL\("([^"]+)\"""", file.content.decode(errors="replace")):
            started.add((STATIC / path).parent.joinpath(name).resolve().relative_to(STATIC.resolve()).as_posix())
    assert started
    assert started | set(SERVICE_WORKERS) == set(WORKERS)


def test_a_changed_file_changes_both_workers_so_that_browsers_see_the_new_edition(served):
    name = "engine/interface.js"
    before = static_files()[name]
    static_files()[name] = type(before)(name, before.content + b"\n", before.media_type)
    try:
        after = web_files(KEY)
    finally:
        static_files()[name] = before
    for worker in ("service-worker.js", "service-worker-module.js"):
        assert after[worker].content != served[worker].content
    assert served["service-worker.js"].content == web_files(KEY)["service-worker.js"].content


def test_every_file_of_the_face_has_a_type_and_every_import_leads_to_a_file_that_is_served(served):
    unknown = [
        path
        for path in STATIC.rglob("*")
        if path.is_file() and path.relative_to(STATIC).as_posix() not in static_files()
    ]
    assert [path.name for path in unknown if not re.match(r"LICEN[CS]E|README|\.gitkeep", path.name)] == []
    for path, file in served.items():
        if not path.endswith(".js") or path.startswith("vendor/") or path in (OPENING, LATER):
            continue
        folder = (STATIC / path).parent
        for name in re.findall(r"""(?:from|import)\s*\(?\s*"(\.[^"]+)\"""", file.content.decode()):
            wanted = (folder / name).resolve().relative_to(STATIC.resolve()).as_posix()
            assert wanted in served or wanted == "engine/handset.js", f"{path} imports {name}"


def test_every_code_the_browser_refuses_with_is_explained():
    docs = STATIC.parents[3] / "docs"
    if not docs.is_dir():
        pytest.skip("needs the repository's docs")
    explained = set(
        re.findall(r"^\| `([a-z_0-9]+)` \|", (docs / "reference" / "problems.md").read_text(), re.MULTILINE)
    )
    own = set(re.findall(r"^\| `([a-z_0-9]+)` \|", (docs / "web-edition.md").read_text(), re.MULTILINE))
    scripts = "\n".join(path.read_text() for path in [*(STATIC / "engine" / "web").glob("*.js"), STATIC / "outbox.js"])
    used = set(re.findall(r"Refusal\(\s*\"([a-z_0-9]+)\"", scripts)) | set(re.findall(r"code_\w+: \"(\w+)\"", scripts))
    assert used - explained - own == set()
    assert own & explained == set(), "explained twice"
    assert own - used == set(), "nobody refuses with it"


def test_no_scripts_of_the_face_import_each_other_in_a_circle():
    imports = {
        path.resolve(): [
            (path.parent / name).resolve()
            for name in re.findall(r"""(?:from|import)\s*\(?\s*"(\.[^"]+)\"""", path.read_text())
        ]
        for path in STATIC.rglob("*.js")
    }
    # Take away, again and again, what imports nothing that is left: what stays is circles and what leads into them.
    while free := [path for path, wanted in imports.items() if not any(name in imports for name in wanted)]:
        for path in free:
            del imports[path]
    left = sorted(path.relative_to(STATIC.resolve()).as_posix() for path in imports)
    assert left == []
