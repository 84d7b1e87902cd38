"""A user's own parts, made known to a command by the file that registers them."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

from attractory._errors import AttractoryError, FileProblem, InvalidSetting


def import_file(path: Path) -> None:
    """Run a Python file, so that what it registers is known.

    Raises FileProblem where there is no such file, InvalidSetting, with its line, where it fails.
    """
    if not path.is_file():
        raise FileProblem(f"--import {path}: this file is missing")
    name = path.stem
    described = importlib.util.spec_from_file_location(name, path)
    if described is None or described.loader is None:
        raise InvalidSetting(f"--import {path} is not allowed: a Python file (.py)")
    module = importlib.util.module_from_spec(described)
    sys.modules[name] = module  # as an import would: classes are looked up in their module
    try:
        described.loader.exec_module(module)
    except AttractoryError as error:
        raise InvalidSetting(f"--import {path}: {error}") from error
    except Exception as error:  # whatever a user's own code raises
        kind = type(error).__name__
        raise InvalidSetting(f"--import {path}{_line(error, path)}: {kind}: {error}") from error


def _line(error: BaseException, path: Path) -> str:
    """The last line of the file that the error came through."""
    found, trace = "", error.__traceback__
    while trace is not None:
        if Path(trace.tb_frame.f_code.co_filename) == path.resolve():
            found = f", line {trace.tb_lineno}"
        trace = trace.tb_next
    return found
