# SPDX-License-Identifier: Apache-2.0
"""Run espeak-ng and ffmpeg: fixed programs and options, text by stdin, a limit in time."""

import subprocess

MOST_SECONDS = 120


class ProgramFailed(Exception):
    """A program is missing, took too long, or refused what it was given; the message is its last line."""


def run(command: list[str], text: str | None = None) -> str:
    """Run a program; what it wrote to stderr. Raises ProgramFailed."""
    try:
        done = subprocess.run(  # noqa: S603 - fixed programs and options
            command,
            input=text,
            stdin=subprocess.DEVNULL if text is None else None,
            text=True,
            errors="replace",
            capture_output=True,
            timeout=MOST_SECONDS,
            check=False,
        )
    except (subprocess.SubprocessError, OSError) as error:
        raise ProgramFailed(f"{command[0]}: {type(error).__name__}") from None
    if done.returncode:
        lines = done.stderr.strip().splitlines() or ["no word"]
        raise ProgramFailed(f"{command[0]}: {lines[-1][:200]}")
    return done.stderr
