# SPDX-License-Identifier: Apache-2.0
"""`bluezone manage verify_audit`: recompute the audit chain."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from bluezone.audit import hash_chain


class Command(BaseCommand):
    """Exit 0 and the chain's head when every entry fits, exit 1 and the first that does not."""

    help = "Recompute the audit chain. Note the line it prints; --expect NUMBER:HASH later shows a chain cut short."

    def add_arguments(self, parser: CommandParser) -> None:
        """`--expect`: the head noted earlier."""
        parser.add_argument("--expect", metavar="NUMBER:HASH", help="an entry seen earlier, which must still be there")

    def handle(self, *args: Any, **options: Any) -> None:
        """Verify, and say what was found."""
        verdict = hash_chain.verify(_expected(options["expect"]))
        if verdict.broken_at is not None:
            raise CommandError(f"audit_broken: entry {verdict.broken_at}: {verdict.reason}")
        self.stdout.write(f"{verdict.entries} entries fit, {verdict.first} to {verdict.last}")
        self.stdout.write(f"{verdict.last}:{verdict.head}")


def _expected(text: str | None) -> tuple[int, str] | None:
    if text is None:
        return None
    number, _, digest = text.partition(":")
    if not number.isdigit() or len(digest) != 64:
        raise CommandError("--expect takes NUMBER:HASH as verify_audit printed it")
    return int(number), digest
