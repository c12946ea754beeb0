# SPDX-License-Identifier: Apache-2.0
"""`bluezone manage account_link NAME`: a new one-time link, for when no administrator can sign in."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from bluezone.audit.hash_chain import COMMAND_LINE
from bluezone.identity import account_links
from bluezone.identity.models import User
from bluezone.networks import origin_of, speaks_tls


class Command(BaseCommand):
    """Print the link; the current password works until the link is used."""

    help = "Print a one-time link with which the person sets a new password."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the argument: the sign-in name."""
        parser.add_argument("username")

    def handle(self, *args: Any, **options: Any) -> None:
        """Make the link and print it."""
        user = User.objects.filter(username=options["username"].strip().lower(), is_active=True).first()
        if user is None:
            raise CommandError(f"no active account has the sign-in name {options['username']!r}")
        token = account_links.issue_account_link(COMMAND_LINE, user, timezone.now())
        host = settings.CITY.office_host if settings.CITY else "localhost:8001"
        self.stdout.write(f"{origin_of(host, tls=speaks_tls(settings.DATA_FOLDER))}/start/{token}/")
