# SPDX-License-Identifier: Apache-2.0
import json

import pytest
from click.testing import CliRunner

from bluezone.cli.main import root


def check(*files):
    return CliRunner().invoke(root, ["vectors", "check", "--json", *map(str, files)])


def counts(result):
    return {
        name: (family["passed"], family["failed"], family["skipped"])
        for name, family in json.loads(result.stdout)["families"].items()
    }


OURS = {
    "exposure_notification": (73, 0, 0),
    "bluezone2020.derive": (10, 0, 0),
    "bluezone2020.convert": (3, 0, 0),
    "bluezone2020.match": (17, 0, 0),
    "bluezone2020.id_changed": (3, 0, 0),
    "bluezone2020.quirks": (3, 0, 0),
    "bluezone2020.real_device_capture": (6, 0, 0),
    "ours_v1.upload_code": (4, 0, 0),
    "ours_v1.upload_commit": (4, 0, 0),
    "ours_v1.venue": (1, 0, 0),
    "ours_v1.gate": (1, 0, 0),
    "rfc9474": (2, 0, 0),
}

LOG = {
    "transparency.roots": (8, 0, 0),
    "transparency.inclusion": (8, 0, 0),
    "transparency.consistency": (8, 0, 0),
    "transparency.note": (1, 0, 0),
}


def test_every_vector_of_the_repository_passes(vectors):
    files = ("exposure_notification", "bluezone2020", "presence", "reciprocity", "epoch", "transparency")
    result = check(*(vectors / f"{name}.json" for name in files))

    assert (result.exit_code, counts(result), json.loads(result.stdout)["failed"]) == (
        0,
        OURS | LOG | {"reciprocity": (3, 0, 0), "epoch": (2, 0, 0), "ours_v1.event": (1, 0, 0)},
        [],
    )


def test_every_vector_beside_the_repository_passes(shared):
    result = check(*sorted((shared / "vectors").glob("*.json")))

    assert (result.exit_code, counts(result)) == (0, OURS | {"riskscore.cwa": (4, 0, 0)})


def mutate(document, path, value):
    *way, last = path
    for step in way:
        document = document[step]
    document[last] = value


@pytest.mark.long
@pytest.mark.parametrize(
    ("file", "path", "family"),
    [
        ("exposure_notification", ["rpik"], "exposure_notification"),
        ("exposure_notification", ["rpi_aem", 3, "aem"], "exposure_notification"),
        ("bluezone2020", ["derive", 1, "ids", 5], "bluezone2020.derive"),
        ("bluezone2020", ["derive", 6, "export_info", 1, "info", "daily_key"], "bluezone2020.derive"),
        ("bluezone2020", ["convert", 2, "id"], "bluezone2020.convert"),
        ("bluezone2020", ["match", 4, "is_contact"], "bluezone2020.match"),
        ("bluezone2020", ["match", 7, "windows_sample", 2, "id"], "bluezone2020.match"),
        ("bluezone2020", ["id_changed", 2, "changed"], "bluezone2020.id_changed"),
        ("bluezone2020", ["quirks", 0, "id_first_call"], "bluezone2020.quirks"),
        ("bluezone2020", ["quirks", 1, "id_first_call"], "bluezone2020.quirks"),
        ("bluezone2020", ["quirks", 2, "id_cached_call"], "bluezone2020.quirks"),
        (
            "bluezone2020",
            ["real_device_capture", "second_phone", "own_ids", 0, "blid"],
            "bluezone2020.real_device_capture",
        ),
        ("presence", ["ours_v1", "upload_code", "valid", 1], "ours_v1.upload_code"),
        ("presence", ["ours_v1", "upload_commit", 2, "M_hex"], "ours_v1.upload_commit"),
        ("presence", ["rfc9474", "vectors", 1, "sig"], "rfc9474"),
        ("presence", ["rfc9474", "vectors", 0, "blinded_msg"], "rfc9474"),
        ("transparency", ["roots", 4, "root"], "transparency.roots"),
        ("transparency", ["inclusion", 5, "proof", 1], "transparency.inclusion"),
        ("transparency", ["consistency", 3, "old_root"], "transparency.consistency"),
        ("transparency", ["log_key"], "transparency.note"),
    ],
)
def test_a_wrong_expectation_fails_by_name(vectors, tmp_path, file, path, family):
    document = json.loads((vectors / f"{file}.json").read_text())
    mutate(document, path, "123456789012")
    (tmp_path / "changed.json").write_text(json.dumps(document))
    result = check(tmp_path / "changed.json")
    failed = json.loads(result.stdout)["failed"]

    assert result.exit_code == 1
    assert [case["family"] for case in failed] == [family]
    assert set(failed[0]) == {"family", "case", "got", "expected"}


def test_a_kind_that_is_not_known_is_skipped_by_name(tmp_path):
    files = {
        "new.json": {"cases": [1]},
        "later.json": {"family": "bluezone2020", "later": [{"name": "a"}, {"name": "b"}]},
        "presence.json": {"family": "presence", "ours_v1": {"help": {}}, "rfc9999": {"vectors": [1]}},
    }
    for name, document in files.items():
        (tmp_path / name).write_text(json.dumps(document))
    result = check(*(tmp_path / name for name in files))

    assert result.exit_code == 0
    assert counts(result) == {
        "new": (0, 0, 1),
        "bluezone2020.later": (0, 0, 2),
        "ours_v1.help": (0, 0, 1),
        "rfc9999": (0, 0, 1),
    }


def test_a_case_of_another_form_fails_and_does_not_stop_the_rest(vectors, tmp_path):
    document = json.loads((vectors / "bluezone2020.json").read_text())
    document["convert"][0] = 5
    (tmp_path / "changed.json").write_text(json.dumps(document))
    result = check(tmp_path / "changed.json")

    assert (result.exit_code, counts(result)["bluezone2020.convert"]) == (1, (2, 1, 0))


def test_what_is_no_vector_file_is_refused(tmp_path):
    for content in ("", "[]", "{", '{"family": "presence", "ours_v1": 5}', '{"family": "riskscore", "cwa": []}'):
        (tmp_path / "bad.json").write_text(content)
        result = check(tmp_path / "bad.json")
        assert (result.exit_code, json.loads(result.stdout)["error"]["code"]) == (1, "vectors_invalid")
