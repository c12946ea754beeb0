# SPDX-License-Identifier: Apache-2.0
"""`bluezone manage confirm_act [NUMBER]`: the operator confirms an act while the office has no second person."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from django.utils.translation import override

from bluezone.authority import two_persons
from bluezone.authority.models import ActState, WaitingAct
from bluezone.authority.two_persons import kind_by_name
from bluezone.networks import origin_of, speaks_tls
from bluezone.refusal import Refused


class Command(BaseCommand):
    """Without a number, list the waiting acts; with one, do it, and print the one-time link if it makes one."""

    help = "List the acts about accounts that wait for a second person, or confirm one; the audit says command line."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the argument: the number of the act, as its page and the list show it."""
        parser.add_argument("number", nargs="?", type=int)

    def handle(self, *args: Any, **options: Any) -> None:
        """List the acts, or confirm one."""
        if options["number"] is None:
            self._list()
            return
        act = WaitingAct.objects.select_related("asked_by").exclude(kind="").filter(pk=options["number"]).first()
        if act is None:
            raise CommandError(f"act_gone: nothing waits under the number {options['number']}")
        try:
            done = two_persons.confirm_on_server(act, timezone.now())
        except Refused as refused:
            raise CommandError(f"{refused.code}: {refused.message}") from None
        self._print(act)
        if isinstance(done, tuple):
            _account, token = done
            host = settings.CITY.office_host if settings.CITY else "localhost:8001"
            self.stdout.write(f"{origin_of(host, tls=speaks_tls(settings.DATA_FOLDER))}/start/{token}/")

    def _list(self) -> None:
        for act in two_persons.waiting_acts(timezone.now()):
            if act.state == ActState.WAITING and kind_by_name(act.kind).by_operator:
                self._print(act)

    def _print(self, act: WaitingAct) -> None:
        with override("en"):
            title = str(kind_by_name(act.kind).title)
        about = "; ".join(f"{label}: {text}" for label, text in act.lines)
        self.stdout.write(f"{act.pk}  {title}, asked for by {act.asked_by.username}: {about}")
