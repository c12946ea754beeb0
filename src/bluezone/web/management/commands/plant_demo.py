# SPDX-License-Identifier: Apache-2.0
"""`bluezone manage plant_demo`: an office to look around in, in the data folder of a demo."""

import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from bluezone.web.demo import DemoRefused, plant


class Command(BaseCommand):
    """Plant the demo's office."""

    help = "Plant an office at work into the new data folder of a demo; refused where anybody works."

    def handle(self, *_: Any, **__: Any) -> None:
        """Print the document and the token of the health workers' link, one a line."""
        try:
            planted = plant(datetime.datetime.now(datetime.UTC))
        except DemoRefused as refused:
            raise CommandError(f"nothing planted: {refused}") from None
        self.stdout.write(f"{planted.document}\n{planted.health_token}")
