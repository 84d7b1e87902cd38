"""How far a sweep is: a view on a terminal, a line now and then elsewhere, a line a minute kept."""

from __future__ import annotations

import math
import time
from collections import Counter
from pathlib import Path
from typing import Any

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from attractory._progress import ShownProgress
from attractory._shown import in_short
from attractory.sweeps._store import DONE, FAILED, LOST, RUNNING

SECONDS_BETWEEN_LOGS = 60.0


class SweepProgress(ShownProgress):
    """Shows done, failed, running, time left and the best so far; silent when not `shown`.

    Parameters
    ----------
    log : Path
        The file in which a line a minute is kept, also when nothing is shown.
    total : int
        How many jobs there are in all.
    shown : bool
        Whether anything is shown.
    """

    def __init__(self, log: Path, total: int, shown: bool) -> None:
        super().__init__(shown)
        self._log, self._total = log, total
        self._began = self._logged = time.monotonic()
        self._first: int | None = None
        self.best = ""
        self._best: float | None = None
        if self._on_a_terminal():
            self._bar = Progress(
                TextColumn("sweep"),
                BarColumn(bar_width=20),
                MofNCompleteColumn(),
                TextColumn("{task.fields[state]}", markup=False),
                console=self._console,
            )
            self._row = self._bar.add_task("sweep", total=total, state="")

    def show(self, counts: Counter[str]) -> None:
        """How many jobs stand in which way."""
        if self._first is None:
            self._first = counts[DONE]
        state = self._state(counts)
        if self._bar is not None:
            self._bar.update(self._row, completed=counts[DONE], state=state)
        elif self._line_is_due():
            self._say(f"{counts[DONE]} of {self._total} done, {state}")
        if time.monotonic() - self._logged > SECONDS_BETWEEN_LOGS:
            self._logged = time.monotonic()
            self.log(f"{counts[DONE]} of {self._total} done, {state}")

    def see(self, values: dict[str, Any], networks: list[dict[str, Any]]) -> None:
        """The networks of a run that is done: are they the best so far?

        By the share of trials that they answer correctly, or by their loss where none is scored.
        """
        for score, sign in (("correct", 1.0), ("loss", -1.0)):
            found = [each[score] for each in networks if math.isfinite(each.get(score, math.nan))]
            if found:
                mean = sum(found) / len(found)
                if self._best is None or sign * mean > self._best:
                    self._best = sign * mean
                    told = ", ".join(f"{field} = {in_short(v)}" for field, v in values.items())
                    self.best = f"best so far: {score} {mean:.3g} ({told})"
                return

    def say(self, message: str) -> None:
        """One line that stays, on the screen and in the log."""
        self._say(message)
        self.log(message)

    def log(self, message: str) -> None:
        """One line in the log alone: for people, and never a reason to stop."""
        try:
            with self._log.open("a", encoding="utf-8") as file:
                file.write(f"{time.strftime('%Y-%m-%d %H:%M:%S')} {message}\n")
        except OSError:
            return

    def _state(self, counts: Counter[str]) -> str:
        parts = [f"{counts[RUNNING]} running"]
        parts += [f"{counts[state]} {state}" for state in (FAILED, LOST) if counts[state]]
        parts += [part for part in (self._left(counts), self.best) if part]
        return ", ".join(parts)

    def _left(self, counts: Counter[str]) -> str:
        """The time that the rest may take, by what was done since the beginning."""
        done = counts[DONE] - (self._first or 0)
        rest = self._total - counts[DONE] - counts[FAILED] - counts[LOST]
        if not done or not rest:
            return ""
        seconds = (time.monotonic() - self._began) / done * rest
        for unit, size in (("h", 3600.0), ("min", 60.0)):
            if seconds >= 2 * size:
                return f"about {seconds / size:.0f} {unit} left"
        return f"about {seconds:.0f} s left"

    def _say(self, message: str) -> None:
        if self._shown:
            console = self._bar.console if self._bar is not None else self._console
            console.print(message, highlight=False, soft_wrap=True)
