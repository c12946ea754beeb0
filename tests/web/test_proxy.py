# SPDX-License-Identifier: Apache-2.0
"""The nginx and Caddy configurations of docs/operating.md, run with other ports in front of a real `serve`."""

import datetime
import http.client
import os
import re
import shutil
import socket
import ssl
import subprocess
import time
from contextlib import ExitStack
from pathlib import Path

import pytest
from tests.builders.hostile import dripping
from tests.builders.office import write_city
from tests.builders.serving import free_port, serving

from bluezone.tls import ensure_identity

TEMPORARY = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")

OPERATING = Path(__file__).parents[2] / "docs" / "operating.md"
PACKAGES = {"nginx": "nginx-light", "caddy": "caddy"}
PUBLIC, OFFICE = "bluezone.example.vn", "dieuhanh.bluezone.example.vn"


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """A real `serve` for both names, as docs/operating.md starts it behind a proxy."""
    folder = tmp_path_factory.mktemp("proxied") / "data"
    folder.mkdir(mode=0o700)
    write_city(folder, public_host=PUBLIC, office_host=OFFICE, trusted_proxies=["127.0.0.1/32"])
    with serving(folder, environment={"BLUEZONE_TLS": "1"}) as running:
        yield running


def documented(first_line, running):
    """The block of the documentation that begins so, with the ports of the running servers."""
    text = re.search(rf"```\n({first_line}.*?)```", OPERATING.read_text(), re.DOTALL)[1]
    for said, really in (("127.0.0.1:8000", running.public), ("127.0.0.1:8001", running.office)):
        text = text.replace(said, really.removeprefix("http://").replace("localhost", "127.0.0.1"))
    return text


def nginx(program, folder, port, running):
    """The command that runs nginx as documented, with a certificate of our own instead of certbot's."""
    identity = ensure_identity(folder / "own", [PUBLIC, OFFICE], datetime.datetime.now(datetime.UTC))
    text = documented("access_log off;", running).replace("listen 443 ssl", f"listen 127.0.0.1:{port} ssl")
    text = re.sub(r"/etc/letsencrypt/\S+/fullchain.pem", str(identity.certificate), text)
    text = re.sub(r"/etc/letsencrypt/\S+/privkey.pem", str(identity.key), text)
    paths = "".join(f"{kind}_temp_path {folder}/{kind};" for kind in TEMPORARY)
    own = f"pid {folder}/pid; error_log {folder}/errors; daemon off; user root; events {{}}"
    (folder / "nginx.conf").write_text(f"{own} http {{ {paths}\n{text} }}")
    return [program, "-p", folder, "-e", folder / "errors", "-c", folder / "nginx.conf"], identity.authority


def caddy(program, folder, port, running):
    """The command that runs the Caddyfile as it stands; certificates come from an authority of Caddy's own."""
    own = (
        f"{{\n admin off\n https_port {port}\n http_port {free_port()}\n auto_https disable_redirects\n"
        f" default_bind 127.0.0.1\n local_certs\n skip_install_trust\n storage file_system {folder}/kept\n}}\n"
    )
    (folder / "Caddyfile").write_text(own + documented(re.escape(f"{PUBLIC} {{"), running))
    authority = folder / "kept" / "pki" / "authorities" / "local" / "root.crt"
    return [program, "run", "--adapter", "caddyfile", "--config", folder / "Caddyfile"], authority


@pytest.fixture(params=[nginx, caddy], ids=["nginx", "caddy"])
def proxied(request, tmp_path, served):
    """A port on which a proxy serves both names, and what a client trusts."""
    name = request.param.__name__
    program = shutil.which(name) or shutil.which(name, path="/usr/sbin")
    if program is None:
        pytest.skip(f"needs {name}: sudo apt-get install {PACKAGES[name]}")
    if name == "caddy" and "FAKETIME" in os.environ:
        # Timers of Go programs spin under a moved clock, and with the true one its certificates would not be valid.
        pytest.skip("Caddy needs the true clock")
    port = free_port()
    command, authority = request.param(program, tmp_path, port, served)
    with (tmp_path / "said").open("w") as said:
        process = subprocess.Popen(command, stdout=said, stderr=said, env={**os.environ, "HOME": str(tmp_path)})
    try:
        yield port, authority, process
    finally:
        process.terminate()
        process.wait(120)


def connect(proxied, name):
    port, authority, process = proxied
    deadline = time.monotonic() + 600
    while True:
        try:
            context = ssl.create_default_context(cafile=authority)
            connection = socket.create_connection(("127.0.0.1", port), timeout=120)
            return context.wrap_socket(connection, server_hostname=name)
        except OSError:  # not listening yet, or no certificate yet
            assert process.poll() is None, "the proxy ended"
            assert time.monotonic() < deadline


def ask(proxied, name, path, headers=(), body=None):
    connection = http.client.HTTPSConnection(name)
    connection.sock = connect(proxied, name)
    connection.request("GET" if body is None else "POST", path, body, dict(headers))
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer, body


def test_both_names_answer_behind_a_proxy_with_cookies_for_https_alone(proxied):
    health, _ = ask(proxied, PUBLIC, "/v1/health")
    page, text = ask(proxied, OFFICE, "/sign-in/", {"X-Forwarded-Proto": "http", "X-Forwarded-For": "203.0.113.9"})
    elsewhere, _ = ask(proxied, PUBLIC, "/sign-in/")

    assert (health.status, page.status, elsewhere.status) == (200, 200, 404)
    assert "__Host-bluezone-csrf" in page.headers["Set-Cookie"]
    assert "Secure" in page.headers["Set-Cookie"]
    assert page.headers["Strict-Transport-Security"] == "max-age=31536000"
    assert "Đăng nhập".encode() in text


@pytest.mark.parametrize(
    ("name", "path", "size", "count", "posted"),
    [(OFFICE, "/sign-in/", 16 * 1024 * 1024, 40, ("/sign-in/", b"a=bc")),
     (PUBLIC, "/v1/help", 1024 * 1024, 240, ("/v1/upload", bytes(4096)))],
    ids=["office", "public"],
)  # fmt: skip
def test_bodies_that_are_announced_and_do_not_come_take_no_room_behind_a_proxy(
    proxied, name, path, size, count, posted
):
    path_of_good, body = posted
    quiet, _ = ask(proxied, name, path_of_good, body=body)
    head = f"POST {path} HTTP/1.1\r\nHost: {name}\r\nContent-Length: {size}\r\n\r\n".encode()
    with ExitStack() as opened:
        held = [opened.enter_context(connect(proxied, name)) for _ in range(count)]
        for one in held:
            one.sendall(head + bytes(1100))
        with dripping(held, bytes(1100), seconds=1.0):
            statuses = [ask(proxied, name, path_of_good, body=body)[0].status for _ in range(10)]

    assert statuses == [quiet.status] * 10
