# SPDX-License-Identifier: Apache-2.0
"""`bluezone manage plant_directive`: Công văn 458 under way, for a demo or for trying the office out."""

import datetime
from typing import Any

from django.core.management.base import BaseCommand

from bluezone.rollout.directives.demo import plant


class Command(BaseCommand):
    """Plant the letter where there is no directive yet."""

    help = "Plant Công văn 458 at different stages (for a demo; nothing is done where there is a directive)."

    def handle(self, *_: Any, **__: Any) -> None:
        """Say what was planted."""
        directive = plant(datetime.datetime.now(datetime.UTC))
        self.stdout.write(f"planted {directive.code}" if directive else "nothing planted")
