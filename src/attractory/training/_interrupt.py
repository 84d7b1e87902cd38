"""Ctrl-C as a request that the loop answers between two updates."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from types import FrameType
from typing import Self

# SIGTERM: what queues and systems send some seconds before they kill
_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_asks_to_stop: ContextVar[Callable[[], bool]] = ContextVar("asks_to_stop", default=lambda: False)


class InterruptRequest:
    """While active, the first Ctrl-C or SIGTERM is only noted; a second one interrupts at once."""

    def __init__(self) -> None:
        self._noted = False
        self._asks = _asks_to_stop.get()

    @property
    def requested(self) -> bool:
        """Whether the training is to stop."""
        return self._noted or self._asks()

    def __enter__(self) -> Self:
        self._before = {}
        if _in_main_thread():
            self._before = {each: signal.signal(each, self._note) for each in _SIGNALS}
        return self

    def __exit__(self, *_: object) -> None:
        for each, handler in self._before.items():
            signal.signal(each, handler)

    def _note(self, _signal: int, _frame: FrameType | None) -> None:
        if self._noted:
            raise KeyboardInterrupt
        self._noted = True


@contextmanager
def stopped_when(asks: Callable[[], bool]) -> Iterator[None]:
    """Stop trainings of this thread as by Ctrl-C: only the main thread gets signals.

    Parameters
    ----------
    asks : callable
        Asked after each update; once it is true the training writes a checkpoint and ends.

    Yields
    ------
    None
        As long as it holds.
    """
    token = _asks_to_stop.set(asks)
    try:
        yield
    finally:
        _asks_to_stop.reset(token)


@contextmanager
def terminated_as_interrupted() -> Iterator[None]:
    """SIGTERM raises KeyboardInterrupt meanwhile: what Ctrl-C leaves whole it leaves so, too.

    Yields
    ------
    None
        As long as it holds; other threads than the main one have no signals, and nothing changes.
    """
    if not _in_main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _in_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()
