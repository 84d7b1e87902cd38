"""Contenders timed in turn in one run, so that all of them see the same machine.

Each contender is a process of its own (`worker.py`) that stays alive. Round after round each does a
few training steps, in another order each time; what is compared is what was measured together.
"""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from harness.work import Work

BENCHMARKS = Path(__file__).resolve().parents[1]
PEERS_LIBRARIES = ("keras-tensorflow", "keras-jax", "torch", "torch-product")
PEERS_PYTHON = BENCHMARKS.parent / ".venv-peers" / "bin" / "python"
MOST_SECONDS = 240.0  # to wait for one answer
PAUSE_SECONDS = 0.15  # between turns: threads that spin after their work go to sleep
MOST_STEPS = 200  # in one turn


@dataclass(frozen=True)
class Contender:
    """One row of a table.

    name: for people. library: a key of `contenders.CONTENDERS`. precision: "float32" or "bfloat16".
    device: "cpu" or "gpu".
    """

    name: str
    library: str
    precision: str = "float32"
    device: str = "cpu"

    @property
    def python(self) -> str:
        """The interpreter that has the library."""
        return str(PEERS_PYTHON) if self.library in PEERS_LIBRARIES else sys.executable

    @property
    def arguments(self) -> list[str]:
        """What the worker is told about itself."""
        return [self.library, self.precision, self.device]


FLOAT32_LIMIT = Contender("NumPy matrix product, float32", "numpy")
BF16_LIMIT = Contender("torch matrix product, bfloat16", "torch-product", "bfloat16")


class WorkerStopped(Exception):
    """A worker could not do its work; the message says why."""


class _Worker:
    """A contender's process, and questions to it."""

    def __init__(self, contender: Contender, cache: Path | None) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.complaints: IO[str] = (Path(self.folder.name) / "stderr").open("w+")
        environment = dict(os.environ)
        if contender.library not in PEERS_LIBRARIES:
            from harness.cache import fresh_cache  # peers' environments, which lack it, read this

            environment["ATTRACTORY_CACHE"] = str(cache or fresh_cache(f"{self.folder.name}/cache"))
        if contender.device == "cpu":
            environment["JAX_PLATFORMS"] = "cpu"
        self.process = subprocess.Popen(
            [contender.python, str(BENCHMARKS / "worker.py"), *contender.arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.complaints,
            text=True,
            env=environment,
        )

    def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        """The answer to one request. Raises WorkerStopped when there is none."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        watch = threading.Timer(MOST_SECONDS, self.process.kill)
        watch.start()
        try:
            self.process.stdin.write(json.dumps(request) + "\n")
            self.process.stdin.flush()
            line = self.process.stdout.readline()
        except BrokenPipeError:
            line = ""
        finally:
            watch.cancel()
        if not line:
            raise WorkerStopped(f"its process stopped ({self._last_words()})")
        answer: dict[str, Any] = json.loads(line)
        if "problem" in answer:
            raise WorkerStopped(answer["problem"])
        return answer

    def close(self) -> None:
        """End the process."""
        self.process.kill()
        self.process.wait()
        self.complaints.close()
        self.folder.cleanup()

    def _last_words(self) -> str:
        self.complaints.seek(0)
        lines = self.complaints.read().strip().splitlines()
        return lines[-1] if lines else f"no message, or no answer in {MOST_SECONDS:.0f} s"


def race(
    work: Work,
    contenders: Sequence[Contender],
    rounds: int,
    turn_seconds: float,
    cache: Path | None = None,
) -> dict[str, Any]:
    """Time one work: `rounds` rounds, in each about `turn_seconds` of steps of every contender.

    cache: where Attractory keeps what it compiles, for several races to share; None: every process
    begins with one that holds the kernels, as after an installation, and nothing else.

    Returns {"work", "contenders"}; each contender has its name, library, precision, device and
    versions, first_step_seconds (building the networks and the first step, compiling included),
    seconds (of one training step, one number a round) and peak_memory_bytes; or, where it could not
    do the work, `unavailable`, the reason.
    """
    entrants = [_Entrant(contender, work, cache) for contender in contenders]
    try:
        for entrant in entrants:
            entrant.prepare(turn_seconds)
        for turn in range(rounds):
            shift = turn % len(entrants)
            for entrant in entrants[shift:] + entrants[:shift]:
                entrant.take_turn()
        return {"work": work.to_json(), "contenders": [e.result() for e in entrants]}
    finally:
        for entrant in entrants:
            entrant.close()


class _Entrant:
    """A contender in a race: what it was asked, and what it answered."""

    def __init__(self, contender: Contender, work: Work, cache: Path | None) -> None:
        self.contender, self.work, self.cache = contender, work, cache
        self.worker: _Worker | None = None
        self.steps = 1
        self.seconds: list[float] = []
        self.answers: dict[str, Any] = {}

    def prepare(self, turn_seconds: float) -> None:
        """Start the process, build the networks, do the first step; then learn how fast it is."""
        if not Path(self.contender.python).exists():
            self.answers = {"unavailable": "the peers are not installed: make bench does it"}
            return
        self.worker = _Worker(self.contender, self.cache)
        answer = self._ask({"prepare": self.work.to_json()})
        if answer:
            self.answers = answer
            seconds = self._ask({"go": 1}).get("seconds", turn_seconds)
            if seconds < turn_seconds:  # some libraries tune themselves in the second step
                seconds = self._ask({"go": 1}).get("seconds", turn_seconds)
            self.steps = min(MOST_STEPS, max(1, math.floor(turn_seconds / seconds)))

    def take_turn(self) -> None:
        """Some training steps."""
        if self.worker is None:
            return
        time.sleep(PAUSE_SECONDS)
        answer = self._ask({"go": self.steps})
        if answer:
            self.seconds.append(answer["seconds"])

    def result(self) -> dict[str, Any]:
        """What goes into the results."""
        memory = self._ask({"memory": True}) if self.worker else {}
        about = {
            name: getattr(self.contender, name)
            for name in ("name", "library", "precision", "device")
        }
        if "unavailable" in self.answers:
            return {**about, "unavailable": self.answers["unavailable"]}
        return {**about, **self.answers, **memory, "seconds": self.seconds}

    def close(self) -> None:
        """End the process, if it still runs."""
        if self.worker is not None:
            self.worker.close()
            self.worker = None

    def _ask(self, request: dict[str, Any]) -> dict[str, Any]:
        """The answer; after a failure nothing, and the contender is out of the race."""
        if self.worker is None:
            return {}
        try:
            return self.worker.ask(request)
        except WorkerStopped as stopped:
            self.answers = {"unavailable": str(stopped)}
            self.close()
            return {}
