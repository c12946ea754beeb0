# SPDX-License-Identifier: Apache-2.0
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tests.builders.keyserver import DAY, call

from bluezone.protocol import blindrsa
from bluezone.protocol.gate.passes import BluetoothState, sign_pass_b, token_message, verify_token
from bluezone.protocol.gate.tokens import TokensAnswer, TokensRequest, decode_tokens_answer, encode_tokens
from bluezone.protocol.upload import Status
from bluezone.protocol.upload.puzzle import solve_puzzle


class Browser:
    """A browser that wants tokens of one gate key."""

    def __init__(self, server, week):
        self.server = server
        keys = server.secrets.week_keys.all()
        self.key = next(key for key in keys if key.purpose == "gate" and key.week == week)
        self.public = blindrsa.PublicKey(self.key.n, self.key.e)
        self.owners = [Ed25519PrivateKey.generate() for _ in range(20)]
        self.messages = [token_message(owner.public_key().public_bytes_raw()) for owner in self.owners]
        self.blinded = [blindrsa.blind(self.public, message) for message in self.messages]
        self.request = TokensRequest(self.key.kid, tuple(each.message for each in self.blinded))

    def ask(self, request=None) -> TokensAnswer:
        answered = call(self.server, "POST", "/v1/tokens", encode_tokens(request or self.request))
        assert (answered.status, len(answered.body)) == (200, 6144)
        return decode_tokens_answer(answered.body)

    def solved(self, request=None) -> TokensRequest:
        request = request or self.request
        challenge = self.ask(request).challenge
        return replace(request, challenge=challenge, nonce=solve_puzzle(challenge))

    def tokens(self, answer):
        return [
            blindrsa.finalize(self.public, message, signature, blinded.inverse)
            for message, signature, blinded in zip(self.messages, answer.blind_signatures, self.blinded, strict=True)
        ]


@pytest.fixture
def browser(server):
    return Browser(server, "2026-W48")


def test_a_puzzle_buys_20_tokens_that_make_valid_passes(browser):
    answer = browser.ask(browser.solved())

    assert (answer.status, answer.kid) == (Status.OK, browser.key.kid)
    for owner, token in zip(browser.owners, browser.tokens(answer), strict=True):
        shown = sign_pass_b(BluetoothState(0), 1, bytes(16), bytes(8), owner, browser.key.kid, token)
        assert verify_token(browser.public, shown)


def test_every_batch_costs_a_puzzle_of_its_own(browser):
    solved = browser.solved()

    assert browser.ask(solved).status is Status.OK
    assert browser.ask(solved).status is Status.PUZZLE_REQUIRED


def test_a_wrong_nonce_buys_nothing(browser):
    challenge = browser.ask().challenge

    assert browser.ask(replace(browser.request, challenge=challenge)).status is Status.PUZZLE_REQUIRED


@pytest.mark.long
def test_next_weeks_key_signs_already_and_a_later_one_does_not(server):
    following, later = Browser(server, "2026-W49"), Browser(server, "2026-W50")

    assert following.ask(following.solved()).status is Status.OK
    assert later.ask(later.solved()).status is Status.KID_REFUSED


@pytest.mark.parametrize("purpose", ["upload", "chaff"])
def test_a_key_of_another_purpose_signs_no_token(server, browser, purpose):
    kid = next(key.kid for key in server.secrets.week_keys.all() if key.purpose == purpose)
    request = replace(browser.request, kid=kid)

    assert browser.ask(browser.solved(request)).status is Status.KID_REFUSED


def test_a_number_not_below_the_modulus_is_a_bad_request(browser):
    request = replace(browser.request, blinded=(b"\xff" * 256, *browser.request.blinded[1:]))

    assert browser.ask(browser.solved(request)).status is Status.BAD_REQUEST


@pytest.mark.long
def test_gates_may_know_last_weeks_key_for_a_day_longer_and_no_more(server, clock, browser):
    def listed():
        server.tick()
        return browser.key.kid in [key.kid for key in server.secrets.week_keys.announced_keys(clock.now)]

    assert listed()
    clock.pass_by(5 * DAY)
    assert listed()
    assert browser.ask(browser.solved()).status is Status.KID_REFUSED
    clock.pass_by(DAY)
    assert not listed()


@pytest.mark.parametrize("body", [b"", bytes(6143), bytes(6145)])
def test_another_size_is_refused_by_http_status(server, body):
    assert call(server, "POST", "/v1/tokens", body).status in (400, 413)


def test_a_body_of_zeros_is_answered_in_the_one_size(server):
    answered = call(server, "POST", "/v1/tokens", bytes(6144))

    assert decode_tokens_answer(answered.body).status is Status.BAD_REQUEST
