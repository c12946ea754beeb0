# SPDX-License-Identifier: Apache-2.0
"""`bluezone manage verify_audit`: recompute the audit chain, and compare it with the heads in the public log."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from bluezone.audit import hash_chain
from bluezone.city_settings import CityMissing
from bluezone.keyserver.publication.log.publiclog import PublicLog
from bluezone.office_keyserver import key_server
from bluezone.refusal import Refused
from bluezone.transparency.leaves import audit_heads
from bluezone.transparency.notes import open_checkpoint, read_note


class Command(BaseCommand):
    """Exit 0 and print the chain's head if every entry is valid; otherwise exit 1 and print the first that is not."""

    help = "Recompute the audit chain. Note the line it prints; --expect NUMBER:HASH later shows a chain cut short."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add `--expect`, a head noted earlier, and `--checkpoint`, of the log, from elsewhere."""
        parser.add_argument("--expect", metavar="NUMBER:HASH", help="an entry seen earlier, which must still be there")
        parser.add_argument(
            "--checkpoint", metavar="FILE", help="a checkpoint of the public log that a witness has kept"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Verify and print the result."""
        verdict = hash_chain.verify_chain(_expected(options["expect"]))
        if verdict.broken_at is not None:
            raise CommandError(f"audit_broken: entry {verdict.broken_at}: {verdict.reason}")
        heads = self._compare_with_log(options["checkpoint"])
        self.stdout.write(f"{verdict.entries} entries fit, {verdict.first} to {verdict.last}")
        self.stdout.write(f"{verdict.last}:{verdict.head}")
        self.stdout.write(f"{heads} days have their head in the public log and in the chain")

    def _compare_with_log(self, checkpoint: str | None) -> int:
        try:
            log = key_server().public_log
        except CityMissing:
            return 0
        if checkpoint is not None:
            _require_same_log(log, Path(checkpoint))
        heads = audit_heads(log.leaves(0, log.size()))
        verdict = hash_chain.compare_with_log(heads, timezone.now())
        if verdict.broken_at is not None:
            raise CommandError(f"audit_broken: entry {verdict.broken_at}: {verdict.reason}")
        return len(heads)


def _require_same_log(log: PublicLog, file: Path) -> None:
    """Refuse a log that does not fit a checkpoint: a person who can cut the audit can also cut the log's table."""
    try:
        seen = open_checkpoint(read_note(file.read_bytes()), log.key)
    except Refused as refused:
        raise CommandError(f"{refused.code}: {refused.message}") from None
    if seen.size > log.size() or log.root(seen.size) != seen.root:
        raise CommandError(f"log_forked: the log here does not continue the {seen.size} leaves that were signed")


def _expected(text: str | None) -> tuple[int, str] | None:
    if text is None:
        return None
    number, _, digest = text.partition(":")
    if not number.isdigit() or len(digest) != 64:
        raise CommandError("--expect takes NUMBER:HASH as verify_audit printed it")
    return int(number), digest
