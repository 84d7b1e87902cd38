"""How far an analysis of networks is: a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
)
from rich.text import Text

SECONDS_BETWEEN_LINES = 15.0
AT_ONCE = 1.0  # seconds: a network that took less was found among the results, not computed


class ShownProgress:
    """A bar on standard error where that is a terminal, else a line now and then; or silent."""

    def __init__(self, shown: bool) -> None:
        self._shown = shown
        self._console = Console(stderr=True)
        self._last_line = time.monotonic()
        self._bar: Progress | None = None

    def __enter__(self) -> Self:
        if self._bar is not None:
            self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def _on_a_terminal(self) -> bool:
        """Whether there is to be a bar."""
        return self._shown and self._console.is_terminal

    def _line_is_due(self) -> bool:
        """Whether it is time for a line, where there is no bar; then the next is due later."""
        now = time.monotonic()
        if not self._shown or now - self._last_line <= SECONDS_BETWEEN_LINES:
            return False
        self._last_line = now
        return True


class NetworksProgress(ShownProgress):
    """Shows network, stage and time left on standard error; silent when not `shown`."""

    def __init__(self, networks: int, shown: bool, what: str = "network") -> None:
        """networks: how many are analysed, one after another. what: they are, if no networks."""
        super().__init__(shown)
        self._networks, self._what = networks, what
        self._began = time.monotonic()
        self._done, self._slowest = 0, 0.0
        self._where = ""
        if self._on_a_terminal():
            self._bar = Progress(
                SpinnerColumn(),
                TextColumn("{task.description}", markup=False),
                BarColumn(bar_width=20),
                MofNCompleteColumn(),
                _TimeLeft(self),
                TimeElapsedColumn(),
                console=self._console,
                transient=True,  # what stays is what the command prints
            )
            self._row = self._bar.add_task("", total=networks)

    def networks(self) -> Iterator[int]:
        """The number of each network, the time that it takes noted."""
        for net in range(self._networks):
            self._where = f"{self._what} {net + 1} of {self._networks}: "
            self._began = time.monotonic()
            yield net
            self._slowest = max(self._slowest, time.monotonic() - self._began)
            self._done = net + 1
            self._began = time.monotonic()
            self._end_of_network()
        self._where = ""

    def say(self, stage: str) -> None:
        """What is being done from now on."""
        if self._bar is not None:
            self._bar.update(self._row, description=f"{self._where}{stage}")

    def left(self) -> str:
        """The time that the other networks may take, by the slowest so far; "" while unknown."""
        if self._slowest < AT_ONCE or self._done == self._networks:
            return ""
        whole = self._slowest * (self._networks - self._done)
        seconds = max(0.0, whole - (time.monotonic() - self._began))
        return f"about {seconds:.0f} s left"

    def _end_of_network(self) -> None:
        if self._bar is not None:
            self._bar.update(self._row, completed=self._done)
        elif self._line_is_due():
            parts = [f"{self._what} {self._done} of {self._networks} is done", self.left()]
            self._console.print(", ".join(part for part in parts if part), highlight=False)


class _TimeLeft(ProgressColumn):
    """A column that tells the time left anew whenever the bar is drawn."""

    def __init__(self, progress: NetworksProgress) -> None:
        super().__init__()
        self._progress = progress

    def render(self, task: Task) -> Text:
        return Text(self._progress.left())
