# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: E501 (lines of JavaScript)
"""The web edition computes what Python computes: venue, code, upload, signed JSON, RFC 9474, HPKE, in a real Chromium."""

import json
import random

import pytest
from tests.builders.webedition import Browser, web_city

from bluezone.protocol.venues.codes import parse_venue

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def city(tmp_path_factory):
    with web_city(tmp_path_factory.mktemp("city")) as server:
        yield server


@pytest.fixture(scope="module")
def browser(chromium, city):
    opened = Browser(chromium, city)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def presence(vectors):
    return json.loads((vectors / "presence.json").read_text())


def test_the_venue_vector_gives_the_same_keys_tags_and_items(browser, presence):
    venue = presence["ours_v1"]["venue"]
    got = browser.run(
        """
        const {openVenue, venueKey, slotKey, slotTag, slotEncryptionKey, venueFingerprint, venueBytes} = await modules('venue');
        const {openItem} = await modules('venuematch');
        const {hex, fromHex} = await modules('bytes');
        const opened = await openVenue(x.url, {keys: {[x.kid]: x.city_public_key_hex}, revoked: [], now: x.visit_start});
        const key = await venueKey(venueBytes(x.url));
        const slots = await Promise.all(x.slots.map(async (slot) => {
          const own = await slotKey(key, slot.h);
          return {slot_key_hex: hex(own), tag_hex: hex(await slotTag(own)), enc_key_hex: hex(await slotEncryptionKey(own)),
            record: await openItem(fromHex(slot.item_hex), own)};
        }));
        return {name: opened.name, payload: hex(opened.whole), key: hex(key), fingerprint: await venueFingerprint(opened.whole), slots};
        """,
        {**venue, "kid": bytes.fromhex(venue["payload_hex"])[-65]},
    )

    assert got["payload"] == venue["payload_hex"]
    assert got["key"] == venue["venue_key_hex"]
    assert got["fingerprint"] == "WTJ281"
    assert got["name"] == parse_venue(bytes.fromhex(venue["payload_hex"])).name
    for slot, ours in zip(venue["slots"], got["slots"], strict=True):
        assert {name: ours[name] for name in ("slot_key_hex", "tag_hex", "enc_key_hex")} == {
            name: slot[name] for name in ("slot_key_hex", "tag_hex", "enc_key_hex")
        }
        assert ours["record"] == {
            "hour": slot["h"], "startMinute": slot["start_min"], "endMinute": slot["end_min"], "level": slot["level"],
        }  # fmt: skip


def test_the_event_vector_gives_the_same_code_and_keys_and_refuses_what_is_none(browser, presence):
    event = presence["ours_v1"]["event"]
    got = browser.run(
        """
        const {eventBytes, openVenue, parseEvent, venueKey, slotKey, slotTag, slotEncryptionKey, venueFingerprint} = await modules('venue');
        const {hex, fromHex} = await modules('bytes');
        const whole = eventBytes({...x, seed: fromHex(x.seed_hex)});
        const opened = await openVenue(x.url, {keys: {}, revoked: [], now: x.begin});
        const ends = await Promise.all([x.begin - 1, x.begin + 60 * x.minutes - 1, x.begin + 60 * x.minutes].map((now) => refused(() => openVenue(x.url, {keys: {}, revoked: [], now}))));
        const key = await venueKey(opened.whole);
        const own = await slotKey(key, x.h);
        const taken = [];
        for (const {why, payload_hex} of x.refused) if (!(await refused(async () => parseEvent(fromHex(payload_hex)))).refused) taken.push(why);
        return {
          code: {payload_hex: hex(whole), name: opened.name, fingerprint: await venueFingerprint(whole), event_key_hex: hex(key),
            slot_key_hex: hex(own), tag_hex: hex(await slotTag(own)), enc_key_hex: hex(await slotEncryptionKey(own))},
          ends: ends.map((answer) => answer.refused || null), taken,
        };
        """,
        event,
    )

    assert got["code"] == {name: event[name] for name in got["code"]}
    assert got["ends"] == ["venue_not_yet", None, "venue_expired"]
    assert got["taken"] == []


def test_codes_and_their_check_digits_are_those_of_the_vector(browser, presence):
    code = presence["ours_v1"]["upload_code"]
    got = browser.run(
        """
        const {parseCode, dammDigit} = await modules('codes');
        return {valid: x.valid.map((one) => parseCode(one)), invalid: await Promise.all(x.invalid.map((one) => refused(() => parseCode(one))))};
        """,
        code,
    )

    assert got["valid"] == code["valid"]
    assert all(one["refused"] == "code_malformed" for one in got["invalid"])


def test_commitments_are_those_of_the_vector(browser, presence):
    cases = presence["ours_v1"]["upload_commit"]
    got = browser.run(
        """
        const {commitment, encodeKeys} = await modules('payload');
        const {hex} = await modules('bytes');
        return Promise.all(x.map(async (one) => {
          const keys = one.keys.map((key) => ({key: bytes(key.key_hex), start: key.rolling_start, period: key.period, level: key.level}));
          return {M: hex(await commitment(bytes(one.salt_hex), keys, one.slots_hex.map(bytes))), keys: hex(encodeKeys(keys)).slice(4)};
        }));
        """,
        cases,
    )

    assert [one["M"] for one in got] == [one["M_hex"] for one in cases]
    assert [one["keys"] for one in got] == [one["encoded_keys_hex"] for one in cases]


def test_blind_rsa_is_that_of_rfc_9474(browser, presence):
    for vector in presence["rfc9474"]["vectors"]:
        got = browser.run(
            """
            const {publicKey, blind, finalize, power, invert} = await modules('blindrsa');
            const {hex} = await modules('bytes');
            const key = publicKey({n: x.n.slice(2), e: Number(x.e)});
            const message = bytes(x.input_msg);
            const r = invert(BigInt(x.inv), key.n);
            const made = await blind(key, message, {salt: bytes(x.salt), r});
            const signature = await finalize(key, message, bytes(x.blind_sig), made.inverse, Number(x.sLen));
            const wrong = bytes(x.blind_sig); wrong[7] ^= 1;
            return {blinded: hex(made.blinded), inverse: made.inverse === BigInt(x.inv), signature: hex(signature),
              changed: await refused(() => finalize(key, message, wrong, made.inverse, Number(x.sLen)))};
            """,
            vector,
        )

        assert got["blinded"] == vector["blinded_msg"]
        assert got["inverse"]
        assert got["signature"] == vector["sig"]
        assert got["changed"]["refused"] == "blind_signature_invalid"


def test_messages_are_byte_for_byte_those_of_python(browser):
    from bluezone.protocol.upload import (
        Slot,
        UploadRequest,
        Verify1Request,
        Verify2Request,
        encode_upload,
        encode_verify1,
        encode_verify2,
    )
    from bluezone.protocol.upload.codes import Credential

    draw = random.Random(4).randbytes
    slots = tuple(Slot(443644 + hour, draw(32), 10, 60) for hour in range(5))
    credential = Credential.from_digits("123456789018")
    fields = {"rand": draw(32), "signature": draw(256), "salt": draw(32), "blinded": draw(256), "challenge": draw(32)}
    zeros = bytes
    expected = [
        encode_verify1(Verify1Request(credential=credential), zeros),
        encode_verify2(Verify2Request(is_rehearsal=True, credential=credential, kid=513, blinded=fields["blinded"]), zeros),
        encode_upload(
            UploadRequest(
                kid=513, rand=fields["rand"], signature=fields["signature"], salt=fields["salt"], keys=(), slots=slots,
                challenge=fields["challenge"], nonce=bytes(7) + b"\5",
            ),
            zeros,
        ),
    ]  # fmt: skip
    got = browser.run(
        """
        const {encodeVerify1, encodeVerify2, encodeUpload} = await modules('messages');
        const {credentialFromText} = await modules('codes');
        const {concat, hex} = await modules('bytes');
        const zeros = (length) => new Uint8Array(length);
        const credential = credentialFromText('1234-5678-9018');
        const puzzle = concat(bytes(x.challenge), bytes('0000000000000005'));
        const upload = {chaff: false, kid: 513, rand: bytes(x.rand), signature: bytes(x.signature), salt: bytes(x.salt), keys: [],
          slots: x.slots.map(bytes).reverse(), puzzle};
        return [encodeVerify1({chaff: false, credential}, zeros), encodeVerify2({chaff: true, credential, kid: 513, blinded: bytes(x.blinded)}, zeros),
          encodeUpload(upload, zeros)].map(hex);
        """,
        {name: value.hex() for name, value in fields.items()} | {"slots": [slot.to_bytes().hex() for slot in slots]},
    )

    assert got == [body.hex() for body in expected]


@pytest.mark.parametrize("how", ["native", "vendored"])
def test_ed25519_by_webcrypto_and_by_the_vendored_code_agree_with_python(browser, how):
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    key = Ed25519PrivateKey.from_private_bytes(random.Random(1).randbytes(32))
    message = "Bắc Kạn".encode()
    signature = key.sign(message)
    cases = [
        (signature, message, True),
        (signature, message + b" ", False),
        (bytes([signature[0] ^ 1]) + signature[1:], message, False),
        (signature[:32] + bytes(32), message, False),
        # S plus the group's order: the same point, another text.
        (signature[:32] + (int.from_bytes(signature[32:], "little") + 2**252 + 27742317777372353535851937790883648493)
         .to_bytes(32, "little"), message, False),
        (signature[:63], message, False),
    ]  # fmt: skip
    got = browser.run(
        """
        const {verifyEd25519} = await modules('ed25519');
        return Promise.all(x.cases.map(([signature, message]) => verifyEd25519(bytes(x.key), bytes(signature), bytes(message), x.how)));
        """,
        {
            "key": key.public_key().public_bytes_raw().hex(),
            "cases": [[one.hex(), told.hex()] for one, told, _ in cases],
            "how": how,
        },
    )

    assert got == [expected for _, _, expected in cases]


def test_signed_files_are_opened_and_refused_as_in_python(browser):
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from bluezone.protocol.signed.envelope import sign_payload

    key = Ed25519PrivateKey.from_private_bytes(random.Random(2).randbytes(32))
    whole = sign_payload("config", b'{"a":1}', key)
    files = {
        "whole": whole,
        "of another kind": sign_payload("venues", b'{"a":1}', key),
        "cut": whole[:-3],
        "not base64": whole.replace(b'"payload":"', b'"payload":" '),
        "changed": whole.replace(b"eyJhIjoxfQ", b"eyJhIjoyfQ"),
        "more members": whole[:-1] + b',"x":1}',
        "a list": b"[]",
        "null": b"null",
        "empty": b"",
    }
    got = browser.run(
        """
        const {openSigned} = await modules('signedjson');
        const {fingerprint} = await modules('ed25519');
        const key = bytes(x.key);
        const trusted = {[await fingerprint(key)]: key};
        const opened = {};
        for (const [name, data] of Object.entries(x.files)) {
          opened[name] = await refused(async () => new TextDecoder().decode(await openSigned('config', bytes(data), trusted)));
        }
        return opened;
        """,
        {
            "key": key.public_key().public_bytes_raw().hex(),
            "files": {name: data.hex() for name, data in files.items()},
        },
    )

    assert got.pop("whole") == {"ok": '{"a":1}'}
    assert {name: answer["refused"] for name, answer in got.items()} == {
        "of another kind": "signature_untrusted",
        "cut": "signed_file_invalid",
        "not base64": "signed_file_invalid",
        "changed": "signature_untrusted",
        "more members": "signed_file_invalid",
        "a list": "signed_file_invalid",
        "null": "signed_file_invalid",
        "empty": "signed_file_invalid",
    }


def test_a_declaration_sealed_here_is_opened_by_the_health_authority(browser):
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    from bluezone.protocol.declarationkey import open_declaration

    key = ec.generate_private_key(ec.SECP256R1())
    pem = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    sealed = browser.run(
        """
        const {encodeDeclaration, sealDeclaration} = await modules('declaration');
        const {hex} = await modules('bytes');
        const declaration = {day: 20780, level: 'high', phone: '0912345678', text: 'Tôi ngồi cạnh cửa sổ.\\nCảm ơn.'};
        return hex(await sealDeclaration(encodeDeclaration(declaration), x));
        """,
        pem,
    )
    opened = open_declaration(bytes.fromhex(sealed), key)

    assert (opened.day, opened.level, opened.phone) == (20780, "high", "0912345678")
    assert opened.text == "Tôi ngồi cạnh cửa sổ.\nCảm ơn."


def test_stays_become_the_same_slots_as_in_python(browser):
    from bluezone.protocol.venues.stays import limit_to_upload, slots_of_stay

    rng = random.Random(6)
    start = 1_795_600_000
    cases = []
    for _ in range(200):
        stays = []
        for _ in range(rng.choice([1, 2, 12, 60])):
            begins = start + rng.randrange(3 * 86_400)
            lasts = rng.choice([60, 599, 600, 1799, 1859, 1860, 3600, 4 * 3600]) + rng.randrange(300)
            venue = rng.randrange(3)
            keys = {
                hour: bytes([venue, hour % 256]) * 16
                for hour in range(begins // 3600, (begins + lasts + 2400) // 3600 + 1)
            }
            stays.append({"inAt": begins, "outAt": begins + lasts, "keys": keys})
        cases.append((stays, start + rng.randrange(4 * 86_400)))
    expected = [
        [slot.to_bytes().hex() for slot in limit_to_upload(
            slot for stay in stays for slot in slots_of_stay(stay["inAt"], stay["outAt"], stay["keys"], now)
        )]
        for stays, now in cases
    ]  # fmt: skip
    got = browser.run(
        """
        const {slotsOf} = await modules('venueslots');
        const {slotBytes} = await modules('payload');
        const {hex} = await modules('bytes');
        return x.map(([stays, now]) => slotsOf(stays, now).map((slot) => hex(slotBytes(slot))));
        """,
        [
            [[{**stay, "keys": {hour: key.hex() for hour, key in stay["keys"].items()}} for stay in stays], now]
            for stays, now in cases
        ],
    )

    assert got == expected


def test_items_of_cases_amount_to_the_same_days_levels_and_bands_as_in_python(browser):
    from datetime import UTC, datetime
    from zoneinfo import ZoneInfo

    from bluezone.protocol.risk.assessment import parse_profile
    from bluezone.protocol.risk.profilefiles import profile_document
    from bluezone.protocol.venues.items import Record
    from bluezone.protocol.venues.overlaps import assess_venues, compute_overlap

    rng, zone, now = random.Random(60), "Asia/Ho_Chi_Minh", 1_795_608_000
    document = profile_document("covid-19")
    today = datetime.fromtimestamp(now, UTC).astimezone(ZoneInfo(zone)).date()
    cases, expected = [], []
    for _ in range(150):
        stays = {str(n): now - rng.randrange(16 * 86_400) for n in range(rng.randrange(1, 5))}
        lasts = {n: rng.randrange(300, 3 * 3600) for n in stays}
        hits = []
        for n, start in stays.items():
            for hour in range(start // 3600, (start + lasts[n]) // 3600 + 1):
                for _ in range(rng.randrange(2)):
                    begins = rng.randrange(60)
                    hits.append((n, hour, begins, rng.randrange(begins + 1, 61), rng.randrange(1, 3)))
        pieces = [
            compute_overlap(Record(level, begins, ends, hour), stays[n], stays[n] + lasts[n], int(n), zone)
            for n, hour, begins, ends, level in hits
        ]
        days = assess_venues((piece for piece in pieces if piece), parse_profile(document), today)
        cases.append({"stays": [[n, start, start + lasts[n]] for n, start in stays.items()], "hits": hits})
        expected.append([[str(d.day), d.level, d.band, d.certainty] for d in reversed(days) if d.level != "none"])
    got = browser.run(
        """
        const {riskyDays, bandOf, certaintyOf} = await modules('venuematch');
        return x.cases.map(({stays, hits}) => {
          const visits = new Map(stays.map(([id, inAt, outAt]) => [id, {inAt, outAt}]));
          const found = hits.map(([visit, hour, startMinute, endMinute, level]) => ({visit, hour, startMinute, endMinute, level}));
          return riskyDays(found, visits, {profile: x.profile, zone: x.zone}, x.now).map(({day, level, minutes}) => [day, level, bandOf(minutes), certaintyOf(minutes)]);
        });
        """,
        {"cases": cases, "profile": document, "zone": zone, "now": now},
    )

    assert got == expected
    assert sum(map(len, expected)) > 50


@pytest.mark.usefixtures("real_puzzles")
def test_a_puzzle_of_21_bits_is_solved_beside_the_page(browser):
    from bluezone.protocol.upload.puzzle import is_solution, solve_puzzle

    challenge = b"\x01" + random.Random(20).randbytes(31)
    got = browser.run(
        """
        const {solvePuzzle} = await modules('plays');
        let frames = 0;
        const counting = setInterval(() => { frames += 1; }, 10);
        const begun = performance.now();
        const nonce = await solvePuzzle(bytes(x));
        clearInterval(counting);
        const {hex} = await modules('bytes');
        return {nonce: hex(nonce), frames, seconds: (performance.now() - begun) / 1000};
        """,
        challenge.hex(),
    )

    assert bytes.fromhex(got["nonce"]) == solve_puzzle(challenge)
    assert is_solution(challenge, bytes.fromhex(got["nonce"]))
    assert got["frames"] > 5 * got["seconds"], "the page goes on while the worker works"
