"""What the worker asks of a contender, and the trials that peers train on."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np

from harness.work import Work


class Contender(Protocol):
    """Training steps by one library, at one precision, on one device.

    Made with (precision, device). What it cannot do raises, with a message for the table.
    """

    def prepare(self, work: Work) -> None:
        """Build the networks, their optimisers and their trials."""

    def go(self, steps: int) -> None:
        """So many training steps of all networks; returns when the last number is there."""

    def about(self) -> dict[str, Any]:
        """More for the results: {"versions": {package: version}, ...}."""

    def device_memory(self) -> int | None:
        """The most bytes held on the accelerator; None where the processor's memory counts."""


def cpu_only(precision: str, device: str, *precisions: str) -> None:
    """Raises ValueError for a device other than the CPU, or another precision."""
    if device != "cpu":
        raise ValueError(f"not timed on device {device!r}")
    if precision not in precisions:
        raise ValueError(f"not timed in precision {precision!r}")


def ready_trials(work: Work) -> tuple[np.ndarray, np.ndarray]:
    """Inputs (trial, time, input) and targets (trial, time, output), float32, like a flip-flop's.

    Noise with a pulse a channel, and the sign to hold. Speed does not depend on the numbers.
    """
    rng = np.random.default_rng(0)
    inputs = rng.normal(0.0, 0.1, (work.batch, work.steps, work.inputs))
    inputs[:, 10:30] += rng.choice([-1.0, 1.0], (work.batch, 1, work.inputs))
    targets = np.zeros((work.batch, work.steps, work.outputs))
    targets[:, 50:] = rng.choice([-1.0, 1.0], (work.batch, 1, work.outputs))
    return inputs.astype(np.float32), targets.astype(np.float32)
