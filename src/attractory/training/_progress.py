"""How far a training is, for whoever waits: a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import time

from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
)

from attractory._progress import ShownProgress


class TrainingProgress(ShownProgress):
    """Shows step, loss and time left on standard error; silent when not `shown`."""

    def __init__(self, total: int, done: int, shown: bool) -> None:
        super().__init__(shown)
        self._total, self._first = total, done
        self._start = time.monotonic()
        if self._on_a_terminal():
            self._bar = Progress(
                TextColumn("training"),
                BarColumn(),
                MofNCompleteColumn(),
                TextColumn("loss {task.fields[loss]}"),
                TimeRemainingColumn(),
                console=self._console,
            )
            self._row = self._bar.add_task("training", total=total, completed=done, loss="…")

    def show(self, step: int, loss: float) -> None:
        """`step` updates are done; `loss` is the median over the networks."""
        if self._bar is not None:
            self._bar.update(self._row, completed=step, loss=f"{loss:.4f}")
        elif self._line_is_due():
            left = (self._last_line - self._start) / (step - self._first) * (self._total - step)
            self.say(f"step {step}/{self._total}  loss {loss:.4f}  {left:.0f} s left")

    def say(self, message: str) -> None:
        """One line that stays."""
        if self._shown:
            console = self._bar.console if self._bar is not None else self._console
            console.print(message, highlight=False)
