# SPDX-License-Identifier: Apache-2.0
"""`serve --tls`, asked by a real HTTPS client that trusts the authority and by one that does not."""

import datetime
import hashlib
import http.client
import http.cookiejar
import json
import re
import socket
import ssl
import subprocess
import time
import urllib.parse
import urllib.request
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest
from tests.builders.serving import BLUEZONE, HOTLINE, serving

from bluezone.tls import OWN, SELF, Tls, TlsFilesInvalid, ensure_identity, machine_addresses, names_of

NOW = datetime.datetime(2026, 11, 24, 9, 0, tzinfo=datetime.UTC)
# Answered as soon as a connection is; health says more than these tests ask, such as whether the signer is busy.
LIVE = "/v1/health/live"
PASSWORD = "suối chảy qua bản nhỏ"


def https(address):
    return address.replace("http://", "https://")


def trusting(authority):
    return ssl.create_default_context(cafile=authority)


def get(url, context):
    with urllib.request.urlopen(url, context=context, timeout=120) as answer:
        return answer, answer.read()


def certificate_of(address, context):
    """The certificate that a server shows, in DER."""
    parts = urllib.parse.urlsplit(address)
    with (
        socket.create_connection((parts.hostname, parts.port), timeout=120) as plain,
        context.wrap_socket(plain, server_hostname=parts.hostname) as secured,
    ):
        return secured.getpeercert(binary_form=True)


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """A server with a local authority."""
    with serving(tmp_path_factory.mktemp("tls") / "data", "--tls", "self") as running:
        yield running


@pytest.fixture(scope="module")
def context(served):
    """A client that trusts the authority and nothing else."""
    return trusting(served.data / "keys" / "tls" / "authority.pem")


def test_a_client_that_trusts_the_authority_reaches_both_origins(served, context):
    for url in (f"{https(served.public)}{LIVE}", f"{https(served.office)}/sign-in/"):
        answer, _ = get(url, context)
        assert answer.status == 200
        assert "Strict-Transport-Security" not in answer.headers
    answer, _ = get(https(served.public).replace("localhost", "127.0.0.1") + LIVE, context)
    assert answer.status == 200


def test_a_client_that_does_not_is_warned(served):
    with pytest.raises(urllib.error.URLError) as refused:
        get(f"{https(served.public)}{LIVE}", ssl.create_default_context())

    assert isinstance(refused.value.reason, ssl.SSLCertVerificationError)


def test_plain_http_is_not_answered(served):
    for address in (served.public, served.office):
        parts = urllib.parse.urlsplit(address)
        connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=120)
        connection.request("GET", "/")
        with pytest.raises((http.client.HTTPException, OSError)):
            connection.getresponse()
        connection.close()


def test_the_first_administrator_signs_in_over_tls_with_cookies_that_go_nowhere_else(served, context):
    link = re.search(r"^first administrator.*(https://\S+)$", served.output, re.MULTILINE)[1]
    jar = http.cookiejar.CookieJar()
    browser = urllib.request.build_opener(
        urllib.request.HTTPSHandler(context=context), urllib.request.HTTPCookieProcessor(jar)
    )
    page = browser.open(link).read().decode()
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)[1]
    form = {"csrfmiddlewaretoken": token, "name": "Hoàng Mai", "password": PASSWORD, "again": PASSWORD}
    request = urllib.request.Request(
        link, urllib.parse.urlencode(form).encode(), {"Referer": link, "Origin": https(served.office)}
    )
    answer = browser.open(request)

    assert answer.status == 200
    assert answer.url.startswith(https(served.office))
    assert {cookie.name for cookie in jar} >= {"__Host-bluezone-session", "__Host-bluezone-csrf"}
    assert all(cookie.secure for cookie in jar)


def test_the_trust_page_shows_what_the_operator_sees_and_gives_the_authority(served, context):
    said = re.search(r"SHA-256 ([0-9A-F:]{95})$", served.output, re.MULTILINE)[1]
    _, page = get(f"{https(served.public)}/trust/", context)
    answer, file = get(f"{https(served.public)}/trust/bluezone-authority.crt", context)

    assert re.sub(r"<br>| ", ":", re.search(r'<p class="hash">(.*?)</p>', page.decode())[1]) == said
    assert hashlib.sha256(file).hexdigest() == said.replace(":", "").lower()
    assert answer.headers["Content-Type"] == "application/x-x509-ca-cert"
    for system in ("Android", "iPhone", "Windows", "Linux"):
        assert system in page.decode()


def test_links_are_https_where_that_is_served(served, context):
    day = datetime.datetime.now(ZoneInfo("Asia/Ho_Chi_Minh")).date().isoformat()
    command = [BLUEZONE, "codes", "issue", "--data", served.data, "--class", "confirmed", "--onset", day, "--json"]
    made = json.loads(subprocess.run(command, capture_output=True, text=True, timeout=300, check=True).stdout)

    assert made["link"].startswith(f"{https(served.public)}/r#")
    assert get(made["link"].partition("#")[0], context)[0].status == 200


def test_a_renewed_certificate_is_taken_up_while_the_server_runs(served, context):
    before = [certificate_of(https(address), context) for address in (served.public, served.office)]
    folder = served.data / "keys" / "tls"
    (folder / "server.key").unlink()
    names = ["localhost", "127.0.0.1"]
    ensure_identity(folder, names, datetime.datetime.now(datetime.UTC), machine_addresses())
    deadline = time.monotonic() + 600
    while time.monotonic() < deadline:
        time.sleep(0.1)  # a handshake is work for both
        try:
            now = [certificate_of(https(address), context) for address in (served.public, served.office)]
        except OSError:
            continue
        if all(new != old for new, old in zip(now, before, strict=True)):
            break

    assert all(new != old for new, old in zip(now, before, strict=True))
    assert get(f"{https(served.public)}{LIVE}", context)[0].status == 200


def test_a_certificate_of_the_city_s_own_is_used_and_pinned_by_browsers(tmp_path):
    identity = ensure_identity(tmp_path / "own", [], datetime.datetime.now(datetime.UTC))
    with serving(tmp_path / "new", "--tls", f"{identity.certificate},{identity.key}") as running:
        context = trusting(identity.authority)
        answer, _ = get(f"{https(running.office)}/sign-in/", context)
        with pytest.raises(urllib.error.HTTPError) as missing:
            get(f"{https(running.public)}/trust/", context)

    assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"
    assert missing.value.code == 404
    assert not (tmp_path / "new" / "keys" / "tls").exists()


def test_serve_refuses_files_that_are_no_certificate(tmp_path):
    done = subprocess.run(
        [BLUEZONE, "serve", "--json", "--data", tmp_path / "new", "--hotline", HOTLINE, "--tls", "no.pem,no.key"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 1
    assert "tls_files_invalid" in done.stdout + done.stderr


@pytest.mark.parametrize("option", ["selfish", "a,b,c", "a,", ",", "missing.pem,missing.key"])
def test_another_option_is_refused(tmp_path, option):
    with pytest.raises(TlsFilesInvalid) as refused:
        Tls(option, tmp_path)

    assert refused.value.code == "tls_files_invalid"


def test_a_key_of_another_certificate_is_refused(tmp_path):
    one, other = (ensure_identity(tmp_path / name, [], NOW) for name in "ab")

    with pytest.raises(TlsFilesInvalid):
        Tls(f"{one.certificate},{other.key}", tmp_path)


def test_half_replaced_files_are_not_taken_up(tmp_path):
    one, other = (ensure_identity(tmp_path / name, [], NOW) for name in "ab")
    tls = Tls(f"{one.certificate},{one.key}", tmp_path)
    assert tls.mode == OWN
    assert not tls.renewed(NOW)

    one.certificate.write_bytes(other.certificate.read_bytes())
    assert not tls.renewed(NOW)
    one.key.write_bytes(other.key.read_bytes())
    assert tls.renewed(NOW)
    assert not tls.renewed(NOW)


def test_a_local_authority_signs_anew_before_the_end(tmp_path):
    tls = Tls("self", tmp_path)
    assert tls.mode == SELF
    now = datetime.datetime.now(datetime.UTC)
    assert not tls.renewed(now)

    assert tls.renewed(now + datetime.timedelta(days=380))


def test_names_come_from_the_city_the_environment_and_the_command(monkeypatch):
    city = SimpleNamespace(public_host="bluezone.bac-kan.example", office_host="office.bac-kan.example:8443")
    monkeypatch.setenv("BLUEZONE_ALLOWED_HOSTS", "*,.example,192.168.1.5,[fd00::5]")

    found = names_of(city, "0.0.0.0")

    assert found == ["bluezone.bac-kan.example", "office.bac-kan.example", "192.168.1.5", "fd00::5"]
