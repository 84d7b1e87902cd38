"""The entry point: one line and a status instead of a traceback where the caller is mistaken."""

from __future__ import annotations

import io
import os
import sys

import typer

from attractory._errors import AttractoryError, one_line
from attractory.cli import (  # noqa: F401  # their commands
    _compare,
    _learning,
    _listings,
    _robustness,
    _sweep,
    _tune,
)
from attractory.cli._app import app
from attractory.cli._ctrl_c import words

MISTAKE, INTERRUPTED = 2, 130


def main() -> None:
    """Run the command line; the exit status is 0 only when the work was done."""
    for stream in (sys.stdout, sys.stderr):  # a file's name may hold what they cannot write
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        status = app(standalone_mode=False)
    except (typer.Abort, KeyboardInterrupt):
        status = INTERRUPTED
    except (AttractoryError, typer.TyperException) as error:
        status = _refuse(_message(error))
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = MISTAKE
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        status = _refuse(f"{place}{error.strerror or error}")
    except MemoryError:
        status = _refuse("there is not enough memory for this; ask for fewer or smaller networks")
    if status == INTERRUPTED:  # Typer, too, ends with this status after Ctrl-C
        print(f"attractory: {words()}", file=sys.stderr)
    sys.exit(status)


def _message(error: Exception) -> str:
    if isinstance(error, AttractoryError):
        return str(error)
    if getattr(error, "option_name", None) == "--import":
        return "--import stands before the command, as in: attractory --import FILE train"
    format_message = getattr(error, "format_message", lambda: str(error))
    return str(format_message())


def _refuse(message: str) -> int:
    print(one_line(f"attractory: {message}"), file=sys.stderr)
    return MISTAKE
