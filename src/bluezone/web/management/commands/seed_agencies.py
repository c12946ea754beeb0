# SPDX-License-Identifier: Apache-2.0
"""`bluezone manage seed_agencies`: the units, agencies and recipient groups that ship with the program."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from bluezone.directory.records.seed import seed_directory
from bluezone.refusal import Refused


class Command(BaseCommand):
    """Add the entries of the seed that are missing; existing entries are not changed."""

    help = "Add the units, agencies and recipient groups of the letter of 7 August 2020 that are not there yet."

    def handle(self, *args: Any, **options: Any) -> None:
        """Plant the seed and print how much was new."""
        try:
            planted = seed_directory()
        except Refused as refused:
            raise CommandError(f"{refused.code}: {refused.message}") from refused
        self.stdout.write(
            f"added {planted.units} units, {planted.agencies} agencies, {planted.groups} recipient groups"
        )
