"""The code of a user's own parts: what was computed with it is of that code alone."""

from __future__ import annotations

import inspect
import threading
from collections.abc import Iterator
from types import CodeType
from typing import Any

from attractory._settings import Settings
from attractory.kernels import ACTIVATIONS

PACKAGE = __name__.partition(".")[0]
_one_at_a_time = threading.Lock()  # Python 3.11 fails where two threads parse source at once


def own_code(*values: Any) -> str:
    """The source of everything in settings that is not this package's own: classes, functions.

    Where there is no source, the compiled code. Two parts of one name differ by it.
    """
    return "\n".join(_code(part) for value in values for part in _own_parts(value))


def _own_parts(value: Any) -> Iterator[Any]:
    """Classes and functions in a value that were written elsewhere."""
    if isinstance(value, Settings):
        yield from (kind for kind in type(value).__mro__ if _is_own(kind))
        for name in type(value).model_fields:
            yield from _own_parts(getattr(value, name))
    elif isinstance(value, (tuple, list)):
        for each in value:
            yield from _own_parts(each)
    elif isinstance(value, str) and value in ACTIVATIONS and ACTIVATIONS[value].stated:
        yield ACTIVATIONS[value].function
    elif callable(value) and _is_own(value):
        yield value


def _is_own(part: Any) -> bool:
    room = str(getattr(part, "__module__", "")).partition(".")[0]
    return room not in (PACKAGE, "pydantic", "builtins", "abc", "jax", "typing")


def _code(part: Any) -> str:
    try:
        with _one_at_a_time:
            return inspect.getsource(part)
    except (OSError, TypeError):  # typed into a session that keeps no source
        functions = [part, *vars(part).values()] if isinstance(part, type) else [part]
        return repr([_compiled(each.__code__) for each in functions if hasattr(each, "__code__")])


def _compiled(code: CodeType) -> list[Any]:
    """What compiled code does: without the places in memory and in files that it comes from."""
    constants = [_compiled(c) if isinstance(c, CodeType) else repr(c) for c in code.co_consts]
    return [code.co_code, code.co_names, constants]
