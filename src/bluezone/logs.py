# SPDX-License-Identifier: Apache-2.0
"""The log: events of records, and lines for people or as JSON, without anything about a request or a person."""

import datetime
import json
import logging
import logging.config
import os
import sys
import traceback
from types import TracebackType
from typing import Any

from bluezone.refusal import Refused
from bluezone.shortage import is_short_now, is_shortage

Fact = str | int | float | bool | None


def event_fields(name: str, **facts: Fact) -> dict[str, Any]:
    """The `extra` of a log call. name: stable, snake_case. facts: only numbers, codes and names of our own parts."""
    return {"event": name, "facts": facts}


FORM_VARIABLE = "BLUEZONE_LOG"
JSON_FORM = "json"
PLAIN_FORM = "plain"
# Lines of the command itself have no level and name, because people copy from them.
SERVE = "bluezone.serve"
FOREIGN_EVENT = "library_said"
# How long repeats of a line are dropped while no descriptor is free, and how many lines are remembered for that.
REPEAT_SECONDS = 60.0
MOST_LINES = 256

_log = logging.getLogger(SERVE)


class LogFormUnknown(Refused):
    """BLUEZONE_LOG is neither `plain` nor `json`."""

    code = "log_form_unknown"


def log_form() -> str:
    """`plain` or `json`, from BLUEZONE_LOG. Raises LogFormUnknown."""
    chosen = os.environ.get(FORM_VARIABLE) or PLAIN_FORM
    if chosen not in (JSON_FORM, PLAIN_FORM):
        raise LogFormUnknown(f"{FORM_VARIABLE} is {chosen!r}, expected plain or json")
    return chosen


class PathDropped(logging.Filter):
    """Removes the path, which may be a one-time link, from Django's line for an error; the traceback is enough."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Keep the record, without its path."""
        record.msg = "a page failed"
        record.args = ()
        record.event = "page_failed"
        record.facts = {}
        return True


class RepeatsDropped(logging.Filter):
    """Drops repeated lines while no descriptor is free: then each request and each tick fails for the same reason."""

    def __init__(self) -> None:
        super().__init__()
        self._logged_at: dict[tuple[str, str], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the line is about something else, or new within REPEAT_SECONDS."""
        if record.levelno < logging.WARNING or not _is_of_shortage(record):
            return True
        line = (record.name, record.getMessage())
        if record.created - self._logged_at.get(line, -REPEAT_SECONDS) < REPEAT_SECONDS:
            return False
        if len(self._logged_at) >= MOST_LINES:
            self._logged_at.clear()
        self._logged_at[line] = record.created
        return True


class PlainLines(logging.Formatter):
    """A line for people."""

    def format(self, record: logging.LogRecord) -> str:
        """One line, and the traceback of an error."""
        if record.name == SERVE and not record.exc_info:
            return record.getMessage()
        message = record.getMessage() if _is_ours(record) else f"said something at {record.module}:{record.lineno}"
        line = f"{record.levelname} {record.name}: {message}"
        if not record.exc_info:
            return line
        return f"{line}\n{self.formatException(record.exc_info)}"

    def formatException(self, ei: Any) -> str:  # noqa: N802 - its name in logging
        """The traceback of an error and its type, without its message, which may quote what somebody entered."""
        kind, _, frames = ei
        return "".join([*traceback.format_tb(frames), kind.__name__ if kind else ""])


class JsonLines(logging.Formatter):
    """A line for programs: time, level, event, process, facts."""

    def format(self, record: logging.LogRecord) -> str:
        """One JSON object on one line."""
        moment = datetime.datetime.fromtimestamp(record.created, datetime.UTC)
        line: dict[str, Any] = {
            "time": moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "event": getattr(record, "event", FOREIGN_EVENT),
            "pid": record.process,
        }
        if not hasattr(record, "event"):
            line |= {"library": record.name, "at": f"{record.module}:{record.lineno}"}
        line |= getattr(record, "facts", {})
        if record.exc_info and record.exc_info[0]:
            line |= {"exception": record.exc_info[0].__name__, "where": _where(record.exc_info[2])}
        return json.dumps(line, ensure_ascii=False)


def logging_configuration() -> dict[str, Any]:
    """The settings of Python's logging: errors, refusals, our events; no line for a request. Raises LogFormUnknown."""
    formatter = JsonLines if log_form() == JSON_FORM else PlainLines
    stderr = {
        "class": "logging.StreamHandler", "formatter": "chosen", "filters": ["no_repeats"], "stream": sys.stderr,
    }  # fmt: skip
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {"no_path": {"()": PathDropped}, "no_repeats": {"()": RepeatsDropped}},
        "formatters": {"chosen": {"()": formatter}},
        "handlers": {"stderr": stderr},
        "root": {"handlers": ["stderr"], "level": "WARNING"},
        "loggers": {
            SERVE: {"level": "INFO"},
            # Django's line for a 4xx contains the path, which may be a one-time link.
            "django.request": {"level": "ERROR", "filters": ["no_path"]},
            "django.security": {"level": "ERROR"},
            "_granian": {"level": "WARNING", "handlers": [], "propagate": True},
        },
    }


def configure_logging() -> None:
    """Configure the log of this process in the form of BLUEZONE_LOG. Raises LogFormUnknown."""
    logging.config.dictConfig(logging_configuration())
    sys.excepthook = _log_exit


def log_event(name: str, sentence: str, level: int = logging.INFO, /, **facts: Fact) -> None:
    """Write one event of the command or of one of its processes: `sentence` for people, name and facts for programs."""
    _log.log(level, "%s", sentence, extra=event_fields(name, **facts))


def _log_exit(kind: type[BaseException], error: BaseException, frames: TracebackType | None) -> None:
    """Log the error that ends a process, in the form of the log and without text that somebody may have sent."""
    if isinstance(error, Refused):
        log_event("process_refused", f"{error.code}: {error.message}", logging.ERROR, code=error.code)
    else:
        _log.error("a process failed", exc_info=(kind, error, frames), extra=event_fields("process_failed"))


def _is_of_shortage(record: logging.LogRecord) -> bool:
    return is_short_now() or bool(record.exc_info and is_shortage(record.exc_info[1]))


def _is_ours(record: logging.LogRecord) -> bool:
    return record.name.startswith("bluezone") or hasattr(record, "event")


def _where(frames: TracebackType | None) -> list[str]:
    steps = traceback.extract_tb(frames)[-5:]
    return [f"{os.path.basename(step.filename)}:{step.lineno} {step.name}" for step in steps]
