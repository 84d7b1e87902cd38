"""Trials that no network can tell apart in time, and that ask for different answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Contradictions:
    """Pairs of trials with equal inputs up to a step, and different answers there.

    Attributes
    ----------
    trials : int
        How many were looked at.
    pairs : int
        How many pairs of them contradict each other.
    involved : int
        How many trials are in such a pair.
    example : tuple or None
        Two trials, the step, and what each asks for.
    """

    trials: int
    pairs: int
    involved: int
    example: tuple[int, int, int, str, str] | None

    @property
    def share(self) -> float:
        """The share of trials that contradict another."""
        return self.involved / self.trials

    @property
    def statement(self) -> str:
        """What was found, in words."""
        if self.example is None:
            return f"Of {self.trials} trials none contradicts another."
        first, second, step, one, other = self.example
        return (
            f"{self.pairs} pairs among {self.trials} trials have equal inputs (without noise) up "
            f"to a step and unequal answers there, as trials {first} and {second} at step {step} "
            f"({one}, {other})"
        )


def contradictions(inputs: Sequence[np.ndarray], truth: Sequence[np.ndarray]) -> Contradictions:
    """Compare trials of the same task with each other, exactly.

    inputs (time, input) and truth (time,) or (time, output) of each trial, of any lengths.
    """
    count = len(inputs)
    past = np.zeros(count, int)  # equal for trials whose inputs were equal up to here
    unequal = np.zeros((count, count), bool)
    example = None
    for step in range(max(map(len, inputs))):
        alive = np.array([i for i in range(count) if len(inputs[i]) > step])
        past[alive] = _numbered([(past[i], inputs[i][step].tobytes()) for i in alive])
        asked = _numbered([truth[i][step].tobytes() for i in alive])
        here = (past[alive][:, None] == past[alive]) & (asked[:, None] != asked)
        if not here.any():
            continue
        unequal[np.ix_(alive, alive)] |= here
        if example is None:
            first, second = (int(alive[i]) for i in np.argwhere(here)[0])
            one, other = (_words(truth[i][step]) for i in (first, second))
            example = first, second, step, one, other
    return Contradictions(count, int(unequal.sum()) // 2, int(unequal.any(1).sum()), example)


def _numbered(values: list[object]) -> np.ndarray:
    """Equal numbers for equal values."""
    numbers: dict[object, int] = {}
    return np.array([numbers.setdefault(value, len(numbers)) for value in values])


def _words(answer: np.ndarray) -> str:
    flat = np.ravel(answer)[:3]
    return " ".join(f"{value:.3g}" for value in flat)
