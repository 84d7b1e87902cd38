"""What a command that was stopped by Ctrl-C says: what is kept, and how to go on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

OF_TRAINING = "the same command goes on from the last checkpoint"
OF_RESULTS = "what was computed is kept; the same command goes on with the rest"

_said: list[str] = []  # Typer makes a mere status of the interrupt, which loses its words


@contextmanager
def stopped_with(usual: str) -> Iterator[None]:
    """Note what an interrupt in this block says, or the usual words."""
    try:
        yield
    except KeyboardInterrupt as stop:
        _said.append(str(stop) or usual)
        raise


def words() -> str:
    """What a command says that was stopped."""
    return "; ".join(["stopped", *_said[-1:]])
