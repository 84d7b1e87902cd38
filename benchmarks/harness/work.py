"""The work that every contender is asked to do (the peers import it too: standard library only)."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Work:
    """One training step (forward, backward, Adam) of each of `networks` networks.

    units, batch (trials), steps (time steps of a trial), inputs, outputs: the sizes of a network
    and of its trials.
    """

    units: int
    batch: int
    steps: int
    networks: int = 1
    inputs: int = 3
    outputs: int = 3

    @property
    def arithmetic(self) -> float:
        """Floating-point operations of the recurrent products: 6 · batch · steps · units².

        Three products a time step (state forward, delta backward, gradient of the weights), each
        with a multiplication and an addition; the thin products of inputs and outputs do not count.
        """
        return 6.0 * self.batch * self.steps * self.units**2 * self.networks

    def to_json(self) -> dict[str, Any]:
        """The sizes by name."""
        return asdict(self)

    def __str__(self) -> str:
        many = "" if self.networks == 1 else f"{self.networks} networks of "
        return f"{many}{self.units} units, batch {self.batch}, {self.steps} time steps"
