# SPDX-License-Identifier: Apache-2.0
"""Calls of reports that come at the same time are answered with one commit, each as if it had come alone."""

import io
from dataclasses import replace
from types import SimpleNamespace

import pytest
from tests.builders.keyserver import Phone, call, keys_for, poster

from bluezone.keyserver.http import Application
from bluezone.keyserver.keys.keyfolder import SigningRefused
from bluezone.protocol.upload import (
    UPLOAD_SIZE,
    VERIFY_SIZE,
    Status,
    Verify1Request,
    Verify2Request,
    decode_upload_answer,
    decode_verify,
    decode_verify1_answer,
    decode_verify2_answer,
    encode_upload,
    encode_verify1,
)
from bluezone.protocol.upload.codes import Credential


def case(server, onset, **parts):
    issued = server.codes.issue_code("confirmed", onset)
    parts.setdefault("keys", keys_for(server.clock()))
    return Phone(poster(server), server, Credential.from_text(issued.code), **parts)


def together(server, path, bodies):
    """What the bodies are answered that come at the same time."""
    asked = [
        {
            "REQUEST_METHOD": "POST", "PATH_INFO": path, "CONTENT_LENGTH": str(len(body)),
            "wsgi.input": io.BytesIO(body), "REMOTE_ADDR": "203.0.113.5",
        }
        for body in bodies
    ]  # fmt: skip
    return Application(server.parts).report_each(asked)


def second_step(phone):
    """The body with which a phone asks for its certificate."""
    bodies = []

    def keep(_path, body):
        bodies.append(body)
        raise InterruptedError

    asking = replace(phone, post=keep)
    with pytest.raises(InterruptedError):
        asking.redeem_code()
    phone.blinded = asking.blinded
    return bodies[0]


def test_uploads_that_come_at_once_are_each_taken_or_refused_alone(server, onset):
    good, other, thief, forger, spent = (case(server, onset).certified() for _ in range(5))
    spent.upload()
    thief = case(server, onset, keys=(*thief.keys[:2], good.keys[2])).certified()
    forged = forger.upload_request(signature=bytes(256))
    rehearsal = case(server, onset, chaff=True).certified()
    bodies = [encode_upload(phone.upload_request()) for phone in (good, good, thief, other, spent, rehearsal)]
    bodies += [encode_upload(forged), bytes(UPLOAD_SIZE)]

    answers = together(server, "/v1/upload", [*bodies, bytes(7)])
    said = [decode_upload_answer(answer.body).status for answer in answers[:-1]]
    assert said == [
        Status.OK, Status.OK, Status.KEYS_REFUSED, Status.OK, Status.OK, Status.OK,
        Status.SIGNATURE_INVALID, Status.BAD_REQUEST,
    ]  # fmt: skip
    assert (int(answers[-1].status), b"body_size_wrong" in answers[-1].body) == (400, True)
    kept = {key.key for phone in (good, other, spent) for key in phone.keys}
    assert {bytes(key) for (key,) in server.keys_store.read("SELECT key FROM waiting_key")} == kept
    alone = [decode_upload_answer(call(server, "POST", "/v1/upload", body).body).status for body in bodies]
    assert alone == said


def test_codes_that_come_at_once_are_each_used_or_refused_alone(server, onset):
    phones = [case(server, onset) for _ in range(3)]
    used = case(server, onset).certified()
    unknown = replace(used, credential=Credential.from_text("0000-0000-0000"))
    rehearsal = case(server, onset, chaff=True)
    kinds = [*phones, phones[0], rehearsal, replace(used, blinded=None, rand=bytes(32)), unknown]
    for phone in (*phones, rehearsal):
        assert phone.check_code().status is Status.OK
    bodies = [second_step(phone) for phone in kinds]
    first = encode_verify1(Verify1Request(credential=phones[1].credential))

    answers = together(server, "/v1/verify", [*bodies, first, bytes(VERIFY_SIZE)])
    said = [decode_verify2_answer(answer.body) for answer in answers[:-2]]
    assert [answer.status for answer in said] == [
        *[Status.OK] * 5, Status.CODE_USED, Status.CODE_INVALID]  # fmt: skip
    assert said[3] == said[0], "the same again is answered the same"
    assert decode_verify1_answer(answers[-2].body).status is Status.OK
    assert decode_verify1_answer(answers[-1].body).status is Status.BAD_REQUEST
    for phone, answer in zip((*phones, rehearsal), (*said[:3], said[4]), strict=True):
        assert phone.redeem_code() == answer
        assert phone.upload().status is Status.OK, "what was signed is a certificate of its own keys"


def test_a_signer_that_refuses_many_is_asked_for_each_and_says_no_to_whom_it_must(server, onset):
    phones = [case(server, onset) for _ in range(3)]
    for phone in phones:
        phone.check_code()
    asked = [(decode_verify(second_step(phone)), b"network") for phone in phones]
    assert all(isinstance(request, Verify2Request) for request, _ in asked)
    real, seen = server.secrets.week_keys, []

    def blind_sign(kid, blinded):
        """As a signer whose hour has room for two certificates yet."""
        seen.append(len(blinded))
        if len(blinded) > 1 or seen.count(1) > 2:
            raise SigningRefused("over 2 certificates within an hour")
        return real.blind_sign(kid, blinded)

    # Stands for a signer's client; what it signs with are the real keys.
    keys = SimpleNamespace(find_key=real.find_key, blind_sign=blind_sign)
    answers = replace(server.codes_part.redemption, week_keys=keys).redeem_codes(asked)
    assert [answer().status for answer in answers[:2]] == [Status.OK, Status.OK]
    with pytest.raises(SigningRefused):
        answers[2]()
    assert seen == [3, 1, 1, 1]
