# SPDX-License-Identifier: Apache-2.0
"""Declarations, with which a warned owner informs the health authority. The phone seals and sends them, once.

The phone stores only that a declaration was sent, not its content. If the server cannot be reached, the phone does not
send the declaration again automatically: the page reports the failure, and the owner sends it again or calls. Source:
docs/protocol.md section 8; docs/design.md, promise 2.
"""

from datetime import date

from bluezone.handset.city.config import CityConfig
from bluezone.handset.client import Client, ServerUnreachable
from bluezone.handset.clocks import PhoneTime
from bluezone.handset.exposure.risk import Risk
from bluezone.handset.report.report import ConsentMissing
from bluezone.handset.sentlog import SentLog
from bluezone.protocol.declaration import Declaration, DeclaredLevel, read_public_key, seal_declaration
from bluezone.protocol.upload import ANSWER_SIZE, Status, UploadAnswer, decode_upload_answer
from bluezone.protocol.upload.puzzle import PUZZLE_HEADER, solve_for_header
from bluezone.refusal import Refused

ADDRESS = "/v1/declarations"
MOST_PUZZLES = 3
EPOCH = date(1970, 1, 1)


class DeclarationImpossible(Refused):
    """The city has no key for declarations; nothing was sent, and the owner can call the hotline."""

    code = "declaration_impossible"


class NotWarned(Refused):
    """This phone has no warning of the given day and level; nothing was sent."""

    code = "not_warned"


class DeclarationRefused(Refused):
    """The server did not accept the declaration; the message contains its status."""

    code = "declaration_not_taken"


class Declarations:
    """Seals and sends declarations of a phone's owner."""

    def __init__(self, client: Client, city: CityConfig, risk: Risk, sent: SentLog, time: PhoneTime) -> None:
        self._client = client
        self._city = city
        self._risk = risk
        self._sent = sent
        self._time = time

    def declare(self, day: date, level: DeclaredLevel, phone: str, text: str = "", *, consent: bool) -> None:
        """Send the health authority a declaration about a warning of this phone.

        day, level: the warning's local date and its `declared_level`.
        phone: number to call back, 8 to 15 digits.
        text:  the owner's words, at most 500 characters.
        Raises ConsentMissing, NotWarned, DeclarationImpossible, InvalidDeclaration before anything is sent, and
        ServerUnreachable, ServerAnswerRefused, DeclarationRefused.
        """
        if not consent:
            raise ConsentMissing("nothing was sent: the owner has not agreed")
        if not any(warning.day == day and warning.declared_level == level for warning in self._risk.warnings()):
            raise NotWarned(f"this phone has no warning of {day} with level {level}; nothing was sent")
        config = self._city.current
        if config is None or config.declaration_key is None:
            raise DeclarationImpossible("this city accepts no declarations; call the hotline. Nothing was sent")
        day_number = (day - EPOCH).days
        message = seal_declaration(Declaration(day_number, level, phone, text), read_public_key(config.declaration_key))
        entry = self._sent.log_request("declared", self._time.now(), (day_number,))
        try:
            answer = self._ask(message)
        except Refused as refused:
            # A server that answered with an error has seen the sealed message, but not stored it.
            self._sent.log_outcome(entry, "not_reached" if isinstance(refused, ServerUnreachable) else "refused")
            raise
        self._sent.log_outcome(entry, "accepted" if answer.status is Status.OK else "refused")
        if answer.status is not Status.OK:
            raise DeclarationRefused(f"the server did not accept the declaration: {answer.status.name.lower()}")

    def _ask(self, message: bytes) -> UploadAnswer:
        answer = decode_upload_answer(self._client.post(ADDRESS, message, ANSWER_SIZE))
        for _ in range(MOST_PUZZLES):
            if answer.status is not Status.PUZZLE_REQUIRED or answer.challenge is None:
                break
            # The message fills the body, so the solution is sent in a header.
            headers = {PUZZLE_HEADER: solve_for_header(answer.challenge)}
            answer = decode_upload_answer(self._client.post(ADDRESS, message, ANSWER_SIZE, headers))
        return answer
