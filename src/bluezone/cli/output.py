# SPDX-License-Identifier: Apache-2.0
"""Output and exit codes of all commands: exit 0, 1 or 2, and with `--json` exactly one JSON object on stdout."""

import functools
import io
import json
import sys
from collections.abc import Callable, Iterable
from typing import Any, NoReturn

import click

from bluezone.refusal import Refused

EXIT_REFUSED = 1


class SystemFailed(Refused):
    """The operating system refused a file, folder or address; the message is the system's."""

    code = "system_error"


class Stopped(Refused):
    """A question was answered with no, or there was no terminal to ask on."""

    code = "stopped"


class Failed(Exception):
    """The command was carried out with a negative result, which is printed; the exit code is 1."""

    def __init__(self, result: dict[str, Any]) -> None:
        super().__init__("failed")
        self.result = result


def system_failed(error: OSError) -> SystemFailed:
    """The refusal for an error of the operating system."""
    where = f": {error.filename}" if error.filename else ""
    return SystemFailed(f"{error.strerror or error}{where}")


def exit_refused(refused: Refused, as_json: bool) -> NoReturn:
    """Print why a command was refused, on stderr and with --json on stdout, and exit with 1."""
    click.echo(f"{refused.code}: {refused.message}", err=True)
    if as_json:
        click.echo(json.dumps({"error": {"code": refused.code, "message": refused.message}}, ensure_ascii=False))
    sys.exit(EXIT_REFUSED)


def qr_lines(text: str) -> list[str]:
    """The lines of a QR code for a terminal with a dark background, with a quiet zone of four modules."""
    import segno

    drawn = io.StringIO()
    segno.make(text, error="m", micro=False).terminal(drawn, border=4, compact=True)
    return drawn.getvalue().splitlines()


def prints_result(
    lines: Callable[[dict[str, Any]], Iterable[str]],
) -> Callable[[Callable[..., dict[str, Any]]], Callable[..., None]]:
    """Give a command the option `--json` and the exit codes of all commands.

    lines: turns the result, a JSON-ready dict, into lines for a person.
    The wrapped function returns that dict, or raises Refused (exit 1, code and message on stderr, and
    `{"error": {"code", "message"}}` with --json) or Failed (exit 1, result printed).
    """

    def decorate(function: Callable[..., dict[str, Any]]) -> Callable[..., None]:
        @click.option("--json", "as_json", is_flag=True, help="Print exactly one JSON object on stdout.")
        @functools.wraps(function)
        def wrapper(*args: Any, as_json: bool, **kwargs: Any) -> None:
            code = 0
            try:
                result = function(*args, **kwargs)
            except Failed as failed:
                result = failed.result
                code = EXIT_REFUSED
            except Refused as refused:
                exit_refused(refused, as_json)
            except click.Abort:
                exit_refused(Stopped("the question was not answered with yes; the command stopped"), as_json)
            except BrokenPipeError:
                # The program that reads our output has ended; click then exits without a message.
                raise
            except OSError as error:
                exit_refused(system_failed(error), as_json)
            if as_json:
                click.echo(json.dumps(result, ensure_ascii=False))
            else:
                for line in lines(result):
                    click.echo(line)
            sys.exit(code)

        return wrapper

    return decorate
