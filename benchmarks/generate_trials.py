"""How fast the flip-flop's trials are made, beside a plain Python loop over trials.

The loop makes the same trials (pulses, answers, noise, one channel of one trial at a time) into
arrays of their final size, so that its cost rises with the number of trials only; it is timed on
fewer trials and scaled. The published generator, which also loops, needed 46 s for this data set.
"""

from __future__ import annotations

import os
import platform
import time

import jax
import numpy as np

import attractory as at

TRIALS, STEPS, CHANNELS = 30_100, 340, 3


def in_a_loop(n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Inputs and targets (trial, time, channel), trial after trial."""
    inputs, targets = np.zeros((n, STEPS, CHANNELS)), np.zeros((n, STEPS, CHANNELS))
    for trial in range(n):
        for channel in range(CHANNELS):
            onset = rng.integers(10, 100)
            for pulse in range(3):
                sign = rng.choice([1, -1, 0]) if pulse == 0 else rng.choice([1, -1])
                inputs[trial, onset : onset + 20, channel] = sign
                if sign != 0:
                    targets[trial, onset + 40 :, channel] = sign
                onset += (70 if pulse == 0 else 100) + rng.integers(1, 51)
            inputs[trial, :, channel] += rng.normal(0, 0.1, STEPS)
    return inputs, targets


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
        loops.append(seconds(in_a_loop, TRIALS // 10, rng) * 10)
    machine = platform.processor() or platform.machine()
    print(f"{machine}, {os.cpu_count()} cores, jax {jax.__version__}; first call {first:.2f} s")
    print(f"{TRIALS} trials of 3 channels, medians of 3:")
    print(f"  in a loop                    {np.median(loops):8.2f} s")
    print(f"  attractory                   {np.median(ours):8.2f} s")
    print(f"  ratio                        {np.median(loops) / np.median(ours):8.0f}")


if __name__ == "__main__":
    main()
