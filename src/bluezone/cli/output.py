# SPDX-License-Identifier: Apache-2.0
"""What every command says and how it ends: one JSON object on stdout with `--json`, exit 0, 1 or 2."""

import functools
import json
import sys
from collections.abc import Callable, Iterable
from typing import Any

import click

from bluezone.refusal import Refused

EXIT_REFUSED = 1


class Failed(Exception):
    """The command ran and its answer is no: the result is printed all the same and the exit code is 1."""

    def __init__(self, result: dict[str, Any]) -> None:
        super().__init__("failed")
        self.result = result


def command_result(
    lines: Callable[[dict[str, Any]], Iterable[str]],
) -> Callable[[Callable[..., dict[str, Any]]], Callable[..., None]]:
    """Give a command `--json` and the house's exit codes.

    lines: turns the result, a JSON-ready dict, into what a person reads.
    The wrapped function returns that dict; it raises Refused (exit 1, code and sentence on stderr,
    and `{"error": {"code", "message"}}` with --json) or Failed (exit 1, result printed).
    """

    def decorate(function: Callable[..., dict[str, Any]]) -> Callable[..., None]:
        @click.option("--json", "as_json", is_flag=True, help="Print exactly one JSON object on stdout.")
        @functools.wraps(function)
        def wrapper(*args: Any, as_json: bool, **kwargs: Any) -> None:
            code = 0
            try:
                result = function(*args, **kwargs)
            except Failed as failed:
                result, code = failed.result, EXIT_REFUSED
            except Refused as refused:
                click.echo(f"{refused.code}: {refused.message}", err=True)
                if as_json:
                    click.echo(json.dumps({"error": {"code": refused.code, "message": refused.message}}))
                sys.exit(EXIT_REFUSED)
            if as_json:
                click.echo(json.dumps(result, ensure_ascii=False))
            else:
                for line in lines(result):
                    click.echo(line)
            sys.exit(code)

        return wrapper

    return decorate
