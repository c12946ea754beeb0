# SPDX-License-Identifier: Apache-2.0
"""The nginx configuration of docs/operating.md, run as it stands with other ports, in front of a real `serve`."""

import datetime
import http.client
import re
import shutil
import socket
import ssl
import subprocess
import time
from pathlib import Path

import pytest
from tests.builders.office import write_city
from tests.builders.serving import free_port, serving

from bluezone.web.certificates import ensure_identity

TEMPORARY = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")

OPERATING = Path(__file__).parents[2] / "docs" / "operating.md"
PUBLIC, OFFICE = "bluezone.example.vn", "dieuhanh.bluezone.example.vn"


def documented() -> str:
    """The block of the documentation that configures nginx."""
    return re.search(r"```\n(access_log off;.*?)```", OPERATING.read_text(), re.DOTALL)[1]


@pytest.fixture
def proxied(tmp_path):
    """A port on which nginx serves both names, and what a client trusts."""
    nginx = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if nginx is None:
        pytest.skip("needs nginx: sudo apt-get install nginx-light")
    identity = ensure_identity(tmp_path / "own", [PUBLIC, OFFICE], datetime.datetime.now(datetime.UTC))
    folder = tmp_path / "new"
    folder.mkdir(mode=0o700)
    write_city(folder, public_host=PUBLIC, office_host=OFFICE, trusted_proxies=["127.0.0.1/32"])
    with serving(folder, environment={"BLUEZONE_TLS": "1"}) as running:
        port = free_port()
        text = documented().replace("listen 443 ssl", f"listen 127.0.0.1:{port} ssl")
        text = text.replace("127.0.0.1:8000", running.public.removeprefix("http://").replace("localhost", "127.0.0.1"))
        text = text.replace("127.0.0.1:8001", running.office.removeprefix("http://").replace("localhost", "127.0.0.1"))
        text = re.sub(r"/etc/letsencrypt/\S+/fullchain.pem", str(identity.certificate), text)
        text = re.sub(r"/etc/letsencrypt/\S+/privkey.pem", str(identity.key), text)
        configuration = tmp_path / "nginx.conf"
        paths = "".join(f"{kind}_temp_path {tmp_path}/{kind};" for kind in TEMPORARY)
        own = f"pid {tmp_path}/pid; error_log {tmp_path}/errors; daemon off; user root; events {{}}"
        configuration.write_text(f"{own} http {{ {paths}\n{text} }}")
        process = subprocess.Popen([nginx, "-p", tmp_path, "-e", tmp_path / "errors", "-c", configuration])
        try:
            yield port, ssl.create_default_context(cafile=identity.authority), process
        finally:
            process.terminate()
            process.wait(20)


def ask(proxied, name, path, headers=()):
    port, context, process = proxied
    deadline = time.monotonic() + 20
    while True:
        try:
            plain = socket.create_connection(("127.0.0.1", port), timeout=10)
            break
        except OSError:
            assert process.poll() is None, "nginx ended"
            assert time.monotonic() < deadline
    connection = http.client.HTTPSConnection(name, context=context)
    connection.sock = context.wrap_socket(plain, server_hostname=name)
    connection.request("GET", path, headers=dict(headers))
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer, body


def test_both_names_answer_behind_nginx_with_cookies_for_https_alone(proxied):
    health, _ = ask(proxied, PUBLIC, "/v1/health")
    page, text = ask(proxied, OFFICE, "/sign-in/", {"X-Forwarded-Proto": "http", "X-Forwarded-For": "203.0.113.9"})
    elsewhere, _ = ask(proxied, PUBLIC, "/sign-in/")

    assert (health.status, page.status, elsewhere.status) == (200, 200, 404)
    assert "__Host-bluezone-csrf" in page.headers["Set-Cookie"]
    assert "Secure" in page.headers["Set-Cookie"]
    assert page.headers["Strict-Transport-Security"] == "max-age=31536000"
    assert "Đăng nhập".encode() in text
