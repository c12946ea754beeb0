# SPDX-License-Identifier: Apache-2.0
"""The data folder that a command works on: its option, and the key server that is opened on it."""

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from bluezone.keyserver.service import KeyServer

data_option = click.option("--data", metavar="DIR", help="Data folder; BLUEZONE_DATA or ./bluezone-data if not given.")


def open_keyserver(data: str | None) -> "KeyServer":
    """The key server of the data folder; the caller closes it."""
    from bluezone.city_settings import data_folder
    from bluezone.keyserver.service import KeyServer

    return KeyServer.open(data_folder(data))


def open_with_office(data: str | None) -> "KeyServer":
    """Like `open_keyserver`, for acts that the office limits and audits; the office is prepared as well."""
    from bluezone.city_settings import data_folder
    from bluezone.server.preparation import prepare_office

    folder = data_folder(data).resolve()
    server = open_keyserver(str(folder))
    prepare_office(folder)
    return server
