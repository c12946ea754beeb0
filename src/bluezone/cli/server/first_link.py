# SPDX-License-Identifier: Apache-2.0
"""Print the first administrator's link: `python -m bluezone.cli.server.first_link FOLDER OFFICE`."""

import sys
from pathlib import Path
from typing import Any

import click


def print_first_link(folder: Path, office: str) -> None:
    """Print the first administrator's link, if there is no administrator yet and it was not printed before.

    If the log is JSON, other programs collect it, so the link is not printed. office: the office's address, with a
    slash at the end.
    """
    from django.db import connections

    from bluezone import logs
    from bluezone.server.opening import open_stores

    link = open_stores(lambda: _first_link(folder))
    connections.close_all()
    if link is None:
        return
    another = f"bluezone manage account_link {link.username}"
    if link.token and logs.log_form() != logs.JSON_FORM:
        click.echo(f"first administrator, once and within 72 hours: {office}start/{link.token}/", err=True)
        return
    sentence = f"the first administrator's link was given out before and waits to be used; another one: {another}"
    logs.log_event("first_administrator_missing", sentence, hint=another)


def _first_link(folder: Path) -> Any:
    from django.db import DatabaseError
    from django.utils import timezone

    from bluezone.authority.people.first_admin import first_admin_link, is_first_admin_missing
    from bluezone.server.preparation import OfficeUnavailable, preparation_lock

    try:
        if not is_first_admin_missing(timezone.now()):
            return None
        # Without the lock, two offices that start at the same time would make two accounts.
        with preparation_lock(folder):
            return first_admin_link(timezone.now())
    except DatabaseError as error:
        raise OfficeUnavailable(f"the office store cannot be opened: {type(error).__name__}") from None


def main() -> None:
    """Print the first administrator's link, as the office's user. Arguments: data folder, office origin."""
    from bluezone import logs
    from bluezone.server.preparation import open_office

    logs.configure_logging()
    folder = Path(sys.argv[1])
    office = sys.argv[2]
    open_office(folder)
    print_first_link(folder, office)


if __name__ == "__main__":
    main()
