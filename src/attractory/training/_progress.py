"""How far a training is, for whoever waits: a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import time
from typing import Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
)

SECONDS_BETWEEN_LINES = 15.0


class TrainingProgress:
    """Shows step, loss and time left on standard error; silent when not `shown`."""

    def __init__(self, total: int, done: int, shown: bool) -> None:
        self._console = Console(stderr=True)
        self._total, self._first, self._shown = total, done, shown
        self._start = self._last_line = time.monotonic()
        self._bar: Progress | None = None
        if shown and self._console.is_terminal:
            self._bar = Progress(
                TextColumn("training"),
                BarColumn(),
                MofNCompleteColumn(),
                TextColumn("loss {task.fields[loss]}"),
                TimeRemainingColumn(),
                console=self._console,
            )
            self._row = self._bar.add_task("training", total=total, completed=done, loss="…")

    def __enter__(self) -> Self:
        if self._bar is not None:
            self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def show(self, step: int, loss: float) -> None:
        """`step` updates are done; `loss` is the median over the networks."""
        if self._bar is not None:
            self._bar.update(self._row, completed=step, loss=f"{loss:.4f}")
        elif self._shown and time.monotonic() - self._last_line > SECONDS_BETWEEN_LINES:
            self._last_line = time.monotonic()
            left = (self._last_line - self._start) / (step - self._first) * (self._total - step)
            self.say(f"step {step}/{self._total}  loss {loss:.4f}  {left:.0f} s left")

    def say(self, message: str) -> None:
        """One line that stays."""
        if self._shown:
            console = self._bar.console if self._bar is not None else self._console
            console.print(message, highlight=False)
