"""The errors that a caller can cause: one line each, which field, which value, what is allowed."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from numbers import Integral
from typing import Any


class AttractoryError(Exception):
    """Base of every error that Attractory raises for a caller's mistake."""


class InvalidSetting(AttractoryError, ValueError):
    """A setting of a task, model or rule, or an argument, has a value that is not allowed."""


class FileProblem(AttractoryError, ValueError):
    """A file or folder is missing, damaged, of an unknown kind, or cannot be written."""


def nearest(name: str, allowed: Iterable[str]) -> str:
    """A hint that names the allowed name closest to `name`, and all of them when they are few."""
    names = sorted(allowed)
    close = difflib.get_close_matches(str(name), names, n=1, cutoff=0.5)
    hint = f"; did you mean {close[0]!r}?" if close else ""
    return f"allowed: {', '.join(names)}{hint}"


def whole_number(name: str, value: Any, least: int = 1) -> int:
    """`value` when it is a whole number of at least `least`, else InvalidSetting."""
    if isinstance(value, bool) or not isinstance(value, Integral) or value < least:
        raise InvalidSetting(f"{name} = {value!r} is not allowed: a whole number, {least} or more")
    return int(value)
