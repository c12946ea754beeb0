# SPDX-License-Identifier: Apache-2.0
import http.client
import json
import os
import socket
from pathlib import Path

import pytest
import schemathesis
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis.specs.openapi.checks import positive_data_acceptance
from tests.builders.keyserver import HOUR, call, exchange, open_server, report_of, serve_application

from bluezone.keyserver.http import Application, handles
from bluezone.keyserver.limits.limits import Limits
from bluezone.protocol.upload import UPLOAD_SIZE, VERIFY_SIZE, encode_upload

OPENAPI = Path(__file__).parents[2] / "docs" / "reference" / "openapi.yaml"


@pytest.fixture(scope="module")
def http_server(tmp_path_factory, made_keys):
    """A key server behind real HTTP with one export file; host and port."""
    # Its journal is beside it: of its own too, since a worker may come to this file twice, with the same keys.
    folder = tmp_path_factory.mktemp("served") / "city"
    folder.mkdir()
    (folder / "keys").symlink_to(made_keys)
    from tests.builders.keyserver import Clock

    server = open_server(folder, Clock())
    server.tick()
    with serve_application(Application(server.parts)) as (host, port):
        server.address = (host, port)
        yield server
    server.close()


def request(server, method, path, body=None, headers=()):
    connection = http.client.HTTPConnection(*server.address, timeout=120)
    try:
        connection.request(method, path, body, dict(headers))
        answer = connection.getresponse()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
    finally:
        connection.close()


def described_fetches():
    """The operations that openapi.yaml describes for GET, and those that take JSON."""
    schema = schemathesis.openapi.from_dict(yaml.safe_load(OPENAPI.read_text()))
    json_calls = [schema.include(method="GET"), schema.include(path_regex="^/v1/push/")]
    return [found.ok() for part in json_calls for found in part.get_all_operations()]


@pytest.mark.long
@pytest.mark.parametrize("operation", described_fetches(), ids=lambda operation: operation.label)
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_json_endpoints_do_what_openapi_says(http_server, operation, data):
    case = data.draw(operation.as_strategy())
    # That a point lies on the curve and an address is public, no schema says.
    unless = [positive_data_acceptance] if operation.method.upper() == "POST" else []
    case.call_and_validate(base_url="http://{}:{}".format(*http_server.address), excluded_checks=unless)


@pytest.mark.long
def test_openapi_names_every_address_that_is_served(http_server):
    paths = yaml.safe_load(OPENAPI.read_text())["paths"]

    for path, methods in paths.items():
        folder = http_server.data_dir / path.split("/")[2]
        name = next((found.name for found in folder.glob("[0-9]*-*.*")), "")
        address = path.format(number=1, name=name, path="checkpoint")
        for method in methods:
            status, _, _ = request(http_server, method.upper(), address, b"" if method == "post" else None)
            # A city with nothing in its log has no checkpoint yet.
            assert status in ((200, 404) if path == "/v1/log/{path}" else (200, 400)), path


@pytest.mark.long
@pytest.mark.parametrize(("path", "size"), [("/v1/verify", VERIFY_SIZE), ("/v1/upload", UPLOAD_SIZE)])
@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_any_body_of_the_right_size_gets_200_and_1024_bytes(http_server, path, size, data):
    exchange(http_server, http_server.codes_part.limits, Limits(bytes(32), http_server.clock, lambda hour: None))
    head = (
        data.draw(st.binary(max_size=64)) if data.draw(st.booleans()) else b"\x01" + data.draw(st.binary(max_size=64))
    )
    status, headers, body = request(http_server, "POST", path, head.ljust(size, b"\0"))

    assert (status, len(body), headers["content-length"]) == (200, 1024, "1024")
    assert headers["content-type"] == "application/octet-stream"
    assert headers["cache-control"] == "no-store, no-transform"
    assert not {"set-cookie", "content-encoding", "vary", "etag"} & set(headers)


@pytest.mark.parametrize(("path", "size"), [("/v1/verify", VERIFY_SIZE), ("/v1/upload", UPLOAD_SIZE)])
@pytest.mark.parametrize(
    ("change", "status", "code"),
    [(-1, 400, "body_size_wrong"), (1, 413, "body_too_large")],
)
def test_a_body_of_another_size_is_refused_in_json(http_server, path, size, change, status, code):
    got, headers, body = request(http_server, "POST", path, bytes(size + change))

    assert (got, json.loads(body)["error"]["code"]) == (status, code)
    assert headers["content-type"] == "application/json"


def test_a_huge_body_is_refused_unread(http_server):
    class Unreadable:
        def read(self, size):
            raise AssertionError("the body was read")

    answered = call(http_server, "POST", "/v1/upload", CONTENT_LENGTH="1000000000", **{"wsgi.input": Unreadable()})

    assert answered.status == 413


def test_a_body_that_is_cut_off_is_refused(http_server):
    with socket.create_connection(http_server.address, timeout=120) as connection:
        connection.sendall(b"POST /v1/upload HTTP/1.1\r\nHost: x\r\nContent-Length: 4096\r\n\r\n" + bytes(100))
        connection.shutdown(socket.SHUT_WR)
        answer = connection.makefile("rb").read()

    assert b" 400 " in answer.split(b"\r\n")[0]
    assert b"body_size_wrong" in answer


def test_no_body_at_all_is_refused(http_server):
    assert request(http_server, "POST", "/v1/verify")[0] == 400


@pytest.mark.parametrize("length", ["-1", "1e3", "1024 ", "٤", "9" * 5000])
def test_a_strange_content_length_is_no_way_in(http_server, length):
    answered = call(http_server, "POST", "/v1/verify", bytes(VERIFY_SIZE), CONTENT_LENGTH=length)

    assert answered.status in (200, 400, 413)


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/v1/verify", 405, "method_not_allowed"),
        ("PUT", "/v1/upload", 405, "method_not_allowed"),
        ("POST", "/v1/config", 405, "method_not_allowed"),
        ("DELETE", "/v1/exports/index.json", 405, "method_not_allowed"),
        ("GET", "/v1/", 404, "not_found"),
        ("GET", "/v1/config/", 404, "not_found"),
        ("GET", "/v1/config/2", 404, "file_missing"),
        ("GET", "/v1/config/0", 404, "file_missing"),
        ("GET", "/v1/config/١", 404, "not_found"),
        ("GET", "/v1/exports/1-" + "0" * 32 + ".zip", 404, "file_missing"),
        ("GET", "/v1/exports/../../city.toml", 404, "not_found"),
        ("GET", "/v1/exports/..%2f..%2fkeys%2fpepper", 404, "not_found"),
        ("GET", "/v1/exports/keys.sqlite3", 404, "not_found"),
    ],
)
def test_what_is_not_served_is_refused_in_json(http_server, method, path, status, code):
    answered = call(http_server, method, path)

    assert (answered.status, json.loads(answered.body)["error"]["code"]) == (status, code)
    if status == 405:
        assert answered.headers["Allow"]


def test_files_that_never_change_may_be_kept_and_others_asked_for_again(http_server):
    name = next((http_server.data_dir / "exports").glob("*.zip")).name
    for path in (f"/v1/exports/{name}", "/v1/config/1"):
        assert "immutable" in request(http_server, "GET", path)[1]["cache-control"]
    for path in ("/v1/exports/index.json", "/v1/config"):
        assert request(http_server, "GET", path)[1]["cache-control"] == "public, max-age=60"


def test_a_file_the_caller_has_is_not_sent_again(http_server):
    _, headers, body = request(http_server, "GET", "/v1/config")
    again = request(http_server, "GET", "/v1/config", headers={"If-None-Match": headers["etag"]}.items())

    assert len(body) > 1000
    assert (again[0], again[2]) == (304, b"")


def test_head_tells_the_size_and_sends_nothing(http_server):
    status, headers, body = request(http_server, "HEAD", "/v1/config")

    assert (status, body) == (200, b"")
    assert int(headers["content-length"]) > 1000


def test_no_header_names_this_user_or_sets_a_cookie(http_server):
    for path in ("/v1/config", "/v1/exports/index.json", "/v1/health"):
        assert not {"set-cookie", "vary", "access-control-allow-origin"} & set(request(http_server, "GET", path)[1])


def test_health_says_what_fails(http_server):
    assert json.loads(request(http_server, "GET", "/v1/health")[2])["status"] == "ok"

    http_server.clock.pass_by(37 * HOUR)
    status, _, body = request(http_server, "GET", "/v1/health")
    http_server.clock.pass_by(-37 * HOUR)
    assert (status, json.loads(body)["failing"]) == (503, ["index_stale", "publication_overdue"])


def test_a_clock_before_the_published_index_fails_health_although_the_worker_can_note_nothing(http_server):
    http_server.clock.pass_by(-2 * HOUR)
    status, _, body = request(http_server, "GET", "/v1/health")
    http_server.clock.pass_by(2 * HOUR)
    assert (status, json.loads(body)["failing"]) == (503, ["clock_doubted"])


def test_a_whole_report_over_http(http_server):
    phone = report_of(http_server)
    status, _, body = request(http_server, "POST", "/v1/upload", encode_upload(phone.upload_request()))

    assert (status, body[:2]) == (200, b"\x01\x00")


def test_filler_differs_from_answer_to_answer(http_server):
    one, two = (request(http_server, "POST", "/v1/verify", bytes(VERIFY_SIZE))[2] for _ in range(2))

    assert one[:2] == two[:2]
    assert one[2:] != two[2:]


def test_only_v1_is_ours():
    assert handles("/v1/config")
    assert handles("/v1/nothing")
    assert not handles("/")
    assert not handles("/v10/config")


def test_nothing_is_written_to_the_log_by_a_call(http_server, caplog, capfd):
    caplog.set_level(0)
    for _ in range(3):
        request(http_server, "POST", "/v1/verify", os.urandom(VERIFY_SIZE))
        request(http_server, "GET", "/v1/config")

    assert caplog.text == ""
    assert capfd.readouterr() == ("", "")
