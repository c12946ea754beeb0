# SPDX-License-Identifier: Apache-2.0
"""Row 43: a gate token used as the certificate of an upload. The keys are apart, and a kid names one purpose."""

import os
from dataclasses import replace

import pytest
from tests.builders.keyserver import NOON, Clock, call, keys_for, open_server

from bluezone.protocol import blindrsa
from bluezone.protocol.gate.tokens import TokensRequest, decode_tokens_answer, encode_tokens
from bluezone.protocol.upload import (
    Status,
    UploadRequest,
    commitment,
    decode_upload_answer,
    encode_upload,
)
from bluezone.protocol.upload.puzzle import solve_puzzle


@pytest.fixture
def server(tmp_path):
    key_server = open_server(tmp_path, Clock())
    yield key_server
    key_server.close()


def signed_through_tokens(server, kid, message):
    """Have /v1/tokens sign a message of an upload blind; the server cannot see what it signs."""
    key = server.secrets.week_keys.find_key(kid)
    public = blindrsa.PublicKey(key.n, key.e)
    blinded = blindrsa.blind(public, message)
    request = TokensRequest(kid, (blinded.message,) * 20)
    challenge = decode_tokens_answer(call(server, "POST", "/v1/tokens", encode_tokens(request)).body).challenge
    solved = replace(request, challenge=challenge, nonce=solve_puzzle(challenge))
    answer = decode_tokens_answer(call(server, "POST", "/v1/tokens", encode_tokens(solved)).body)
    if answer.status is not Status.OK:
        return answer.status, bytes(256)
    return answer.status, blindrsa.finalize(public, message, answer.blind_signatures[0], blinded.inverse)


def upload(server, kid, rand, signature, salt, keys):
    request = UploadRequest(kid=kid, rand=rand, signature=signature, salt=salt, keys=keys)
    # A network for each kid, so that no puzzle comes before the answer.
    answered = call(server, "POST", "/v1/upload", encode_upload(request), remote=f"203.0.113.{kid}")
    return decode_upload_answer(answered.body).status


def test_an_upload_signed_through_the_tokens_call_is_refused_under_every_kid(server):
    keys, rand, salt = tuple(keys_for(NOON)), os.urandom(32), os.urandom(32)
    message = rand + commitment(salt, keys, ())
    gate = [key.kid for key in server.secrets.week_keys.all() if key.purpose == "gate"]
    status, signature = signed_through_tokens(server, gate[0], message)

    assert status is Status.OK
    for key in server.secrets.week_keys.all():
        expected = Status.SIGNATURE_INVALID if key.purpose == "upload" and key.use_from <= NOON else Status.KID_REFUSED
        assert upload(server, key.kid, rand, signature, salt, keys) is expected


@pytest.mark.long
def test_the_tokens_call_does_not_sign_with_the_key_of_a_certificate(server):
    # One of each purpose: the call asks what a key is for, and each try costs a puzzle.
    keys = {key.purpose: key for key in server.secrets.week_keys.all() if key.purpose != "gate"}
    assert keys
    for key in keys.values():
        assert signed_through_tokens(server, key.kid, b"M")[0] is Status.KID_REFUSED
