# SPDX-License-Identifier: Apache-2.0
"""What devices call on the public origin."""

import hmac
import json

import pytest
from django.utils import timezone
from tests.builders.devices import bearer_header, connected_device, device

from bluezone.devices import enrolment
from bluezone.devices.models import Device
from bluezone.protocol.upload.puzzle import PUZZLE_HEADER, read_challenge, solve_for_header

pytestmark = pytest.mark.django_db
ENROL, SELF = "/v1/devices/enrol", "/v1/devices/self"


def post(public, body, **more):
    return public.post(ENROL, body, content_type="application/json", **more)


def refusal(answer):
    body = answer.json()
    assert set(body) == {"error"}
    assert set(body["error"]) - {"challenge"} == {"code", "message"}
    assert answer.headers["Cache-Control"] == "no-store"
    return answer.status_code, body["error"]["code"]


def test_a_device_exchanges_its_code_for_a_token_and_is_known_by_it(public, keeper):
    made, code = device(keeper, now=timezone.now())
    answer = post(public, {"code": code})

    assert answer.status_code == 201
    assert answer.headers["Cache-Control"] == "no-store"
    told = answer.json()
    token = told.pop("token")
    assert told == {"device": made.pk, "kind": "gate", "name": "Cổng chính", "agency": "UBND phường Sông Cầu"}
    assert public.get(SELF, **bearer_header(token)).json() == told


def test_a_code_that_was_used_is_gone(public, keeper):
    _, code = device(keeper, now=timezone.now())
    statuses = [post(public, {"code": code}).status_code for _ in range(2)]

    assert statuses == [201, 410]
    assert refusal(post(public, {"code": code})) == (410, "enrolment_code_invalid")


@pytest.mark.parametrize(
    "body", ["", "{", "[]", "null", '{"code": 5}', '{"kode": "1"}', b"\xff\xfe", "[" * 1000], ids=str
)
def test_a_body_that_is_no_enrolment_is_refused(public, body):
    assert refusal(post(public, body)) == (400, "body_invalid")


def test_a_long_body_is_not_read(public):
    assert refusal(post(public, json.dumps({"code": "1" * 2000}))) == (413, "body_too_large")


def test_a_mistyped_code_is_told_from_a_wrong_one(public):
    assert refusal(post(public, {"code": "123-456-789-013"})) == (422, "code_malformed")
    assert refusal(post(public, {"code": "l23 456 789 Ol3"})) == (422, "code_malformed"), "mistyped"
    assert refusal(post(public, {"code": "l23\u200b-456-789-Ol8"})) == (410, "enrolment_code_invalid")


def test_a_network_that_keeps_guessing_solves_a_puzzle_before_each(public):
    for number in range(enrolment.FAILURES_A_NETWORK):
        code = enrolment.codes.new_code(lambda _, number=number: number)
        assert refusal(post(public, {"code": code})) == (410, "enrolment_code_invalid")
    asked = post(public, {"code": "123456789018"})
    assert refusal(asked) == (429, "puzzle_required")
    answer = {"headers": {PUZZLE_HEADER: solve_for_header(read_challenge(asked.content))}}

    assert refusal(post(public, {"code": "123456789018"}, **answer)) == (410, "enrolment_code_invalid")


@pytest.mark.parametrize("method", ["get", "put", "delete", "patch", "options"])
def test_enrolment_answers_post_only(public, method):
    answer = getattr(public, method)(ENROL)

    assert refusal(answer) == (405, "method_not_allowed")
    assert answer.headers["Allow"] == "POST"


def test_another_address_of_devices_is_refused_in_the_same_shape(public):
    assert refusal(public.get("/v1/devices/elsewhere")) == (404, "not_found")


@pytest.mark.parametrize("header", [{}, {"HTTP_AUTHORIZATION": "Bearer"}, {"HTTP_AUTHORIZATION": "Basic eDp5"}])
def test_without_a_token_no_device_is_known(public, header):
    answer = public.get(SELF, **header)

    assert refusal(answer) == (401, "device_token_invalid")
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_a_device_that_is_cut_off_is_told_at_its_next_call(public, keeper):
    made, token = connected_device(keeper)
    assert public.get(SELF, **bearer_header(token)).status_code == 200

    enrolment.revoke_device("admin", made, timezone.now())

    assert refusal(public.get(SELF, **bearer_header(token))) == (401, "device_token_invalid")


def test_only_the_hour_of_the_last_call_is_kept(public, keeper):
    made, token = connected_device(keeper)
    before = timezone.now()
    public.get(SELF, **bearer_header(token))
    made.refresh_from_db()

    # The hour may turn while the call is made.
    assert made.last_seen_hour in {one.replace(minute=0, second=0, microsecond=0) for one in (before, timezone.now())}


def test_within_the_hour_a_call_writes_nothing(public, keeper, django_assert_num_queries, monkeypatch):
    now = timezone.now()
    monkeypatch.setattr(timezone, "now", lambda: now)
    _, token = connected_device(keeper)
    public.get(SELF, **bearer_header(token))

    with django_assert_num_queries(1):
        public.get(SELF, **bearer_header(token))


def test_calls_of_devices_set_no_cookie(public, keeper):
    _, code = device(keeper, now=timezone.now())
    answer = post(public, {"code": code})

    assert not answer.cookies
    assert Device.objects.get().enrolled_at is not None


@pytest.mark.parametrize("path", ["/v1/devices/elsewhere", "/v1/devices/", "/v1/devices", "/v1/elsewhere/x"])
def test_an_unknown_address_under_v1_is_json_and_no_page(public, path):
    answer = public.get(path, headers={"Accept": "text/html"})

    assert refusal(answer) == (404, "not_found")


def test_a_call_for_another_host_is_refused_in_json(public, settings):
    settings.ALLOWED_HOSTS = ["elsewhere.example"]

    assert refusal(public.get(SELF)) == (400, "request_refused")


def test_an_error_of_ours_is_json_without_its_reason(public, keeper, monkeypatch):
    def broken(token):
        raise ZeroDivisionError("secret reason")

    public.raise_request_exception = False
    monkeypatch.setattr("bluezone.devices.audience.device_of_token", broken)
    _, token = connected_device(keeper)
    answer = public.get(SELF, **bearer_header(token))

    assert refusal(answer) == (500, "server_error")
    assert "secret reason" not in answer.text
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_token_is_compared_whole_and_in_constant_time_whether_or_not_one_begins_alike(keeper, monkeypatch):
    made, token = connected_device(keeper)
    compared, compare = [], hmac.compare_digest
    monkeypatch.setattr(enrolment.hmac, "compare_digest", lambda *two: compared.append(two) or compare(*two))

    assert enrolment.device_of_token(token) == made
    assert enrolment.device_of_token("another token") is None
    # One whose hash begins as the asked one does, and ends otherwise.
    digest = enrolment.token_digest("another token")
    Device.objects.update(token_digest=digest[:20] + "0" * 44)
    assert enrolment.device_of_token("another token") is None
    assert len(compared) == 3
    assert all(len(held) == len(asked) == 64 for held, asked in compared)


def test_of_a_call_the_hour_is_kept_and_no_address(public, keeper):
    _, token = connected_device(keeper)
    public.get(SELF, **bearer_header(token), REMOTE_ADDR="203.0.113.77", HTTP_X_FORWARDED_FOR="203.0.113.78")
    stored = str(Device.objects.values())

    assert "203.0.113" not in stored
    assert {field.name for field in Device._meta.get_fields()} >= {"last_seen_hour"}
    assert not any("address" in field.name or "network" in field.name for field in Device._meta.get_fields())


def test_an_update_for_boxes_is_handed_out_in_pieces_as_it_lies_in_the_data_folder(public, settings, tmp_path):
    settings.DATA_FOLDER = tmp_path
    content = bytes(range(256)) * 6000
    assert public.get("/v1/devices/update/amd64-3.13").status_code == 404
    (tmp_path / "appliance").mkdir()
    (tmp_path / "appliance" / "bluezone-update-amd64-3.13.bundle").write_bytes(content)
    pieces = [public.get(f"/v1/devices/update/amd64-3.13?from={start}").content for start in (0, 1 << 20, 1 << 21)]

    assert b"".join(pieces) == content
    assert len(pieces[0]) == 1 << 20
    for path in ("arm64-3.13", "amd64-3.13?from=x", "amd64-3.13?from=-1", "..%2Fcity.toml", "amd64-3.13%2F..", ""):
        assert public.get(f"/v1/devices/update/{path}").status_code == 404, path
