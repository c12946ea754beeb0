# SPDX-License-Identifier: Apache-2.0
"""The master key of a city's hosts, from a file or a command that the operator names."""

import os
import re
import shlex
import subprocess
from pathlib import Path

from bluezone.keyserver.securefiles import read_secret
from bluezone.refusal import Refused

FILE_VARIABLE = "BLUEZONE_MASTER_KEY_FILE"
COMMAND_VARIABLE = "BLUEZONE_MASTER_KEY_COMMAND"
_COMMAND_SECONDS = 60.0
_HEX = re.compile(r"[0-9a-fA-F]{64}")


class MasterKeyInvalid(Refused):
    """The master key that seals the city's keys cannot be read, or is not a key."""

    code = "master_key_invalid"


def read_master_key() -> bytes | None:
    """The 32 bytes from the operator's file or command; None if neither is set, and the city's keys are in files.

    Raises MasterKeyInvalid, KeyFileExposed.
    """
    path = os.environ.get(FILE_VARIABLE)
    command = os.environ.get(COMMAND_VARIABLE)
    if path and command:
        raise MasterKeyInvalid(f"both {FILE_VARIABLE} and {COMMAND_VARIABLE} are set; leave one out")
    if path:
        try:
            text = read_secret(Path(path))
        except OSError as error:
            raise MasterKeyInvalid(f"the file of {FILE_VARIABLE} cannot be read: {error.strerror}") from None
    elif command:
        text = _output_of(command)
    else:
        return None
    digits = text.decode("ascii", "replace").strip()
    if not _HEX.fullmatch(digits):
        raise MasterKeyInvalid("the master key is not 64 hex digits; `openssl rand -hex 32` makes one")
    return bytes.fromhex(digits)


def _output_of(command: str) -> bytes:
    # Refusals contain neither output nor arguments of the command, as both may contain a secret.
    try:
        process = subprocess.run(shlex.split(command), stdout=subprocess.PIPE, timeout=_COMMAND_SECONDS)  # noqa: S603
    except (OSError, ValueError, subprocess.TimeoutExpired) as error:
        raise MasterKeyInvalid(f"the command of {COMMAND_VARIABLE} failed: {type(error).__name__}") from None
    if process.returncode:
        raise MasterKeyInvalid(f"the command of {COMMAND_VARIABLE} ended with {process.returncode}")
    return process.stdout
