# SPDX-License-Identifier: Apache-2.0
import json
import zipfile

import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from tests.builders.protocol import EXPORT_KEY_PEM, GENERATED_AT, make_export

from bluezone.cli.main import root
from bluezone.protocol.exports.files import read_export


def inspect(*arguments):
    return CliRunner().invoke(root, ["export", "inspect", *map(str, arguments)])


@pytest.fixture
def files(tmp_path):
    (tmp_path / "export.zip").write_bytes(make_export(count=30))
    (tmp_path / "export.bin").write_bytes(read_export(make_export(count=30)).export_bin)
    (tmp_path / "public.pem").write_text(EXPORT_KEY_PEM)
    return tmp_path


def test_an_export_is_printed_as_one_json_object(files):
    result = inspect(files / "export.zip", "--public-key", files / "public.pem", "--json")
    printed = json.loads(result.stdout)

    assert result.exit_code == 0
    assert {name: value for name, value in printed.items() if name != "keys"} == {
        "region": "VN",
        "start": GENERATED_AT - 7200,
        "end": GENERATED_AT,
        "batch_num": 1,
        "batch_size": 1,
        "signature": "verified",
        "revised_keys": [],
    }
    assert [key["key"] for key in printed["keys"]] == [key.key.hex() for key in read_export(make_export(count=30)).keys]
    assert set(printed["keys"][0]) == {"key", "start", "period", "level", "report_type", "days_since_onset"}
    assert printed["keys"][0]["level"] is None


@pytest.mark.parametrize(
    ("file", "with_key", "signature"),
    [
        ("export.zip", True, "verified"),
        ("export.zip", False, "unchecked"),
        ("export.bin", True, "absent"),
        ("export.bin", False, "absent"),
    ],
)
def test_the_state_of_the_signature_is_told(files, file, with_key, signature):
    key = ["--public-key", files / "public.pem"] if with_key else []
    result = inspect(files / file, *key, "--json")

    assert (result.exit_code, json.loads(result.stdout)["signature"]) == (0, signature)


def test_an_invalid_signature_is_printed_and_fails(files, shared):
    other = shared / "data" / "exports" / "google-server-example.pem"
    result = inspect(files / "export.zip", "--public-key", other, "--json")

    assert (result.exit_code, json.loads(result.stdout)["signature"]) == (1, "invalid")
    assert len(json.loads(result.stdout)["keys"]) == 30


def test_the_reference_servers_example_verifies_and_with_one_bit_flipped_does_not(tmp_path, shared):
    example = shared / "data" / "exports" / "google-server-example.zip"
    key = example.with_suffix(".pem")
    for position, bit in ((30, 1), (-1, 128)):
        with zipfile.ZipFile(example) as source, zipfile.ZipFile(tmp_path / "flipped.zip", "w") as copy:
            export_bin = bytearray(source.read("export.bin"))
            export_bin[position] ^= bit
            copy.writestr("export.bin", bytes(export_bin))
            copy.writestr("export.sig", source.read("export.sig"))
        assert inspect(tmp_path / "flipped.zip", "--public-key", key).exit_code == 1

    assert inspect(example, "--public-key", key).exit_code == 0


def test_a_person_reads_a_summary_and_the_first_keys(files):
    result = inspect(files / "export.zip")

    assert "30 keys, 0 revised" in result.stdout
    assert "... and 10 more" in result.stdout


def test_a_damaged_export_is_refused_with_a_code(files):
    (files / "export.zip").write_bytes(make_export()[:-5])
    result = inspect(files / "export.zip", "--json")

    assert (result.exit_code, json.loads(result.stdout)["error"]["code"]) == (1, "export_invalid")


def test_a_public_key_of_another_kind_is_refused(files):
    other = Ed25519PrivateKey.generate().public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    for content in (b"no key", other):
        (files / "public.pem").write_bytes(content)
        result = inspect(files / "export.zip", "--public-key", files / "public.pem", "--json")
        assert (result.exit_code, json.loads(result.stdout)["error"]["code"]) == (1, "public_key_invalid")


def test_a_file_that_is_not_there_is_a_usage_error(tmp_path):
    assert inspect(tmp_path / "none.zip").exit_code == 2
