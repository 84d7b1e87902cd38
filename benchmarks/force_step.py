"""The time of a FORCE step, beside the limit of memory and beside reservoirpy.

    python benchmarks/force_step.py [--quick] [--results FOLDER]

One network with one output, which changes at every step. All have one core and take turns, and
times are seconds of it. The limit is what a change cannot do without: reading and writing P once,
and the same as an update of rank 1 by BLAS. Ratios are those of medians, and of the shortest turns.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from harness import Options, write_results
from harness.race import PEERS_PYTHON

SIDE = Path(__file__).parent / "contenders" / "force_steps.py"
ONE_THREAD = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")


class Side:
    """A contender's process, and the seconds that it needed."""

    def __init__(self, name: str, units: int, python: str | Path = sys.executable) -> None:
        self.process = subprocess.Popen(
            [python, SIDE, name, str(units)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, **ONE_THREAD, "JAX_PLATFORMS": "cpu"},
        )
        self.seconds: dict[str, list[float]] = {what: [] for what in json.loads(self._line())}

    def take_turn(self) -> None:
        """Some steps of each kind."""
        assert self.process.stdin is not None
        for what, seconds in self.seconds.items():
            self.process.stdin.write(what + "\n")
            self.process.stdin.flush()
            seconds.append(float(self._line()))

    def ms(self, taken: Callable[..., Any]) -> dict[str, float]:
        """What is taken of the turns, in ms, by kind."""
        return {what: 1e3 * float(taken(each)) for what, each in self.seconds.items()}

    def close(self) -> None:
        """End the process."""
        self.process.kill()
        self.process.wait()

    def _line(self) -> str:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.process.args} stopped")
        return line


def main() -> None:
    options = Options.parse(__doc__ or "")
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})  # which the other processes inherit
    units, rounds = (60, 2) if options.quick else (1000, 20)
    sides = timed(units, rounds)
    results: dict[str, Any] = {"units": units, "rounds": rounds}
    for how, taken in {"medians": np.median, "shortest": np.min}.items():
        ms = {name: side.ms(taken) for name, side in sides.items()}
        results[how] = {"ms": ms, "ratios": ratios(**ms)}
        print(how, {n: {what: round(x, 3) for what, x in each.items()} for n, each in ms.items()})
        for name, value in results[how]["ratios"].items():
            print(f"  {name:45s} {value:6.2f}")
    write_results("force_step", results, options.results)


def timed(units: int, rounds: int) -> dict[str, Side]:
    """The sides, after their turns."""
    sides = {
        "attractory": Side("attractory", units),
        "reservoirpy": Side("reservoirpy", units, PEERS_PYTHON),
        "limit": Side("limit", units),
    }
    try:
        for _ in range(rounds):
            for side in sides.values():
                side.take_turn()
    finally:
        for side in sides.values():
            side.close()
    return sides


def ratios(
    attractory: dict[str, float], reservoirpy: dict[str, float], limit: dict[str, float]
) -> dict[str, float]:
    """What is compared, of the ms of each side."""
    return {
        "our change / a pass over P": attractory["change"] / limit["pass"],
        "our change / an update of rank 1 by BLAS": attractory["change"] / limit["rank one"],
        "our step / a pass over P": attractory["step"] / limit["pass"],
        "our step / an update of rank 1 by BLAS": attractory["step"] / limit["rank one"],
        "reservoirpy's change / ours": reservoirpy["change"] / attractory["change"],
        "reservoirpy's step / ours": reservoirpy["step"] / attractory["step"],
        "our internal step / our step": attractory["internal step"] / attractory["step"],
    }


if __name__ == "__main__":
    main()
