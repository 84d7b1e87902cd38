"""How fast the flip-flop's trials are made, beside the published generator's way of making them.

The published generator builds each trial in a Python loop and grows its arrays by concatenation, so
that its cost rises as the square of the number of trials. `grown_in_a_loop` does the same work for
one channel: pulses, answers and noise of one trial at a time, appended to what is there. It is
timed on a small and a larger number of trials and extrapolated by a quadratic through both.
"""

from __future__ import annotations

import os
import platform
import time

import jax
import numpy as np

import attractory as at

TRIALS, STEPS = 30_100, 340


def grown_in_a_loop(n: int, rng: np.random.Generator) -> np.ndarray:
    """Inputs and targets of one channel, (trial, time, 2), trial after trial."""
    made = np.empty((0, STEPS, 2))
    for _ in range(n):
        inputs, targets = np.zeros(STEPS), np.zeros(STEPS)
        onset = rng.integers(10, 100)
        for pulse in range(3):
            sign = rng.choice([1, -1, 0]) if pulse == 0 else rng.choice([1, -1])
            for t in range(onset, min(onset + 20, STEPS)):
                inputs[t] = sign
            for t in range(onset + 40, STEPS):
                targets[t] = sign
            onset += (70 if pulse == 0 else 100) + rng.integers(1, 51)
        inputs += rng.normal(0, 0.1, STEPS)
        made = np.concatenate([made, np.stack([inputs, targets], axis=1)[None]])
    return made


def seconds(function: object, *arguments: object) -> float:
    start = time.perf_counter()
    function(*arguments)  # type: ignore[operator]
    return time.perf_counter() - start


def main() -> None:
    rng = np.random.default_rng(0)
    task = at.tasks.FlipFlop.paper()
    first = seconds(task.sample, TRIALS, 0)
    ours, loops = [], []
    for repeat in range(3):  # in turn, so that both see the same machine
        ours.append(seconds(task.sample, TRIALS, repeat + 1))
        few, many = (seconds(grown_in_a_loop, n, rng) for n in (1_000, 3_000))
        quadratic = (many / 3_000 - few / 1_000) / 2_000
        linear = few / 1_000 - 1_000 * quadratic
        loops.append(3 * (linear * TRIALS + quadratic * TRIALS**2))
    machine = platform.processor() or platform.machine()
    print(f"{machine}, {os.cpu_count()} cores, jax {jax.__version__}; first call {first:.2f} s")
    print(f"{TRIALS} trials of 3 channels, medians of 3:")
    print(f"  in a loop (extrapolated)     {np.median(loops):8.2f} s")
    print(f"  attractory                   {np.median(ours):8.2f} s")
    print(f"  ratio                        {np.median(loops) / np.median(ours):8.0f}")


if __name__ == "__main__":
    main()
