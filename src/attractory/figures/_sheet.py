"""What the figure that is being made is drawn on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, NamedTuple


class Sheet(NamedTuple):
    """A size other than the figure's own (inches), or a part of a figure that there is already."""

    size: tuple[float, float] | None = None
    target: Any = None


current: ContextVar[Sheet] = ContextVar("current", default=Sheet())  # noqa: B039


@contextmanager
def drawing_on(sheet: Sheet) -> Iterator[None]:
    """In here a new figure is that sheet."""
    token = current.set(sheet)
    try:
        yield
    finally:
        current.reset(token)
