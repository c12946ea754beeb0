# SPDX-License-Identifier: Apache-2.0
"""The agency's seal: signed by the office, checked on its pages, and by anybody with the file alone."""

import base64
import hashlib
import json

import pytest
from click.testing import CliRunner
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from tests.builders.agencies import agency_values
from tests.builders.directives import NOW, approve_letter, enter_letter, person

from bluezone.cli.tools.letter import letter as letter_command
from bluezone.directory.models import Agency
from bluezone.directory.records.changes import save_agency
from bluezone.letters.files.seals import SealInvalid, canonical, read_seal, sign_seal, write_seal
from bluezone.rollout.directives.issuance import approval, attachments, versions
from bluezone.rollout.directives.models import Directive, LetterSeal

WARD = "ubnd-phuong-song-cau"


@pytest.fixture
def ward(committee):
    return Agency.objects.get(key=WARD)


@pytest.fixture
def sealed(directive):
    """The file of the letter that was sent."""
    return versions.seal_file(directive)


def told(client, address, who):
    client.cookies.load({"bluezone-language": "en"})
    client.force_login(who)
    return client.get(address).text


def test_a_reader_that_shares_no_code_finds_the_offices_signature_over_letter_number_day_and_recipients(
    directive, sealed
):
    said = json.loads(sealed)
    plain = json.dumps(said["seal"], sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()
    letter = json.dumps(said["letter"], sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()
    key = Ed25519PublicKey.from_public_bytes(base64.b64decode(said["key"]))
    key.verify(base64.b64decode(said["signature"]), b"bluezone letter seal 1\0" + plain)
    with pytest.raises(InvalidSignature):
        key.verify(base64.b64decode(said["signature"]), b"bluezone letter seal 1\0" + plain + b" ")

    assert hashlib.sha256(plain).hexdigest() == directive.seal
    assert hashlib.sha256(letter).hexdigest() == said["seal"]["confirmed"] == directive.approved_version.sha256
    assert (said["seal"]["number"], said["seal"]["date"]) == (directive.number, directive.date.isoformat())
    assert len(said["seal"]["sent_to"]) == directive.dispatches.count()
    assert said["letter"]["text"] == directive.text


@pytest.mark.parametrize(
    ("part", "change"),
    [
        ("seal", {"number": "459"}),
        ("seal", {"date": "2020-08-08"}),
        ("seal", {"sent_to": []}),
        ("letter", {"text": "Lệnh khác"}),
        ("letter", {"tasks": []}),
    ],
    ids=["number", "day", "recipients", "text", "tasks"],
)
def test_what_was_changed_after_sealing_is_refused(sealed, part, change):
    said = json.loads(sealed)
    said[part] |= change
    with pytest.raises(SealInvalid):
        read_seal(json.dumps(said).encode())


def test_a_letter_that_somebody_else_sealed_is_known_by_its_key(sealed, tmp_path):
    whole = json.loads(sealed)
    forged = write_seal(whole["letter"], whole["seal"], sign_seal(whole["seal"], Ed25519PrivateKey.generate()))
    (tmp_path / "seal.json").write_bytes(forged)
    key = read_seal(sealed).fingerprint
    run = CliRunner().invoke(letter_command, ["check", str(tmp_path / "seal.json"), "--key", key])

    assert read_seal(forged).fingerprint != key
    assert run.exit_code == 1
    assert "NOT the key given" in run.output


@pytest.mark.parametrize("data", [b"", b"{}", b"[1]", b"null", b'{"bluezone": "bluezone letter seal 1"}', b"\xff"])
def test_what_is_no_seal_is_refused_without_an_error(data):
    with pytest.raises(SealInvalid):
        read_seal(data)


def test_the_command_line_checks_a_letter_and_its_files_without_the_office(committee, clerk, signer, tmp_path):
    draft = enter_letter(committee, clerk)
    attachments.add(draft, b"Danh s\xc3\xa1ch k\xc3\xa8m theo\n", "danh-sach.txt")
    approve_letter(draft, clerk, signer)
    approval.issue(draft, clerk, NOW, on_paper=True)
    seal, file, other = (tmp_path / name for name in ("seal.json", "danh-sach.txt", "khac.txt"))
    seal.write_bytes(versions.seal_file(draft))
    file.write_bytes(b"Danh s\xc3\xa1ch k\xc3\xa8m theo\n")
    other.write_bytes(b"khac")
    key = read_seal(seal.read_bytes()).fingerprint
    spaced = " ".join(key[at : at + 4].upper() for at in range(0, 64, 4))
    good = CliRunner().invoke(letter_command, ["check", str(seal), str(file), "--key", spaced, "--json"])
    bad = CliRunner().invoke(letter_command, ["check", str(seal), str(other)])

    assert good.exit_code == 0, good.output
    result = json.loads(good.output)
    assert (result["seal"], result["key_fits"], result["others"]) == (draft.seal, True, [])
    assert [one["state"] for one in result["files"] if one["name"] == "danh-sach.txt"] == ["as sent"]
    assert bad.exit_code == 1
    assert "khac.txt is not a file of this letter" in bad.output


def test_the_pages_of_issuer_and_recipient_say_that_the_seal_fits_until_something_is_changed(
    client, directive, clerk, ward
):
    reader = person("reader", "officer", ward)
    dispatch = directive.dispatches.get(agency=ward)
    pages = [(f"/directives/{directive.pk}/", clerk), (f"/inbox/{dispatch.pk}/", reader)]
    before = [told(client, *page) for page in pages]
    Directive.objects.filter(pk=directive.pk).update(number="459")
    after = [told(client, *page) for page in pages]
    Directive.objects.filter(pk=directive.pk).update(number=directive.number)
    LetterSeal.objects.update(key=sign_seal({}, Ed25519PrivateKey.generate())["key"])
    another = [told(client, *page) for page in pages]

    assert all("are the ones sealed" in text for text in before)
    assert all("is not the one that was sealed" in text for text in [*after, *another])


def test_the_file_goes_to_parties_of_the_letter_alone(client, directive, ward, sealed):
    own, address = f"/directives/{directive.pk}/seal/", f"/inbox/{directive.dispatches.get(agency=ward).pk}/seal/"
    client.force_login(person("reader", "officer", ward))
    taken = client.get(address)
    assert client.get(own).status_code == 404
    without = save_agency("test", None, agency_values(ward.unit, name="Trường mầm non", kind="school"))
    client.force_login(person("stranger", "officer", without))

    assert taken.content == sealed
    assert "458-UBND-VP.seal.json" in taken.headers["Content-Disposition"]
    assert client.get(address).status_code == 404


def test_a_letter_of_practice_is_not_signed(committee, clerk, signer):
    draft = enter_letter(committee, clerk)
    Directive.objects.filter(pk=draft.pk).update(training=True)
    draft = Directive.everything.get(pk=draft.pk)
    version = draft.versions.model(content={}, sha256="0" * 64)

    assert len(versions.seal(draft, version, [])) == 64
    assert not LetterSeal.objects.exists()


def test_the_same_content_has_one_canonical_form():
    assert canonical({"b": "ấ", "a": 1}) == '{"a":1,"b":"ấ"}'.encode()
