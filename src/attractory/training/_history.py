"""What happened at every update, for every network."""

from __future__ import annotations

import numpy as np
import pandas as pd

from attractory._errors import FileProblem
from attractory.runs import HISTORY_COLUMNS


class History:
    """Growing records; `active` tells which networks an update was for, the others' are nan."""

    def __init__(self, nets: int) -> None:
        self.nets = nets
        self.active: list[np.ndarray] = []
        self.loss: list[np.ndarray] = []
        self.validation_loss: list[np.ndarray] = []
        self.gradient_norm: list[np.ndarray] = []
        self.spectral_radius: list[np.ndarray] = []
        self.learning_rate: list[float] = []
        self.seconds: list[float] = []

    def add(
        self, active: np.ndarray, losses: np.ndarray, gradient_norms: np.ndarray, rate: float
    ) -> None:
        """One update."""
        losses, gradient_norms = np.asarray(losses, float), np.asarray(gradient_norms, float)
        self.active.append(active)
        self.loss.append(np.where(active, losses, np.nan))
        self.gradient_norm.append(np.where(active, gradient_norms, np.nan))
        self.validation_loss.append(np.full(self.nets, np.nan))
        self.spectral_radius.append(np.full(self.nets, np.nan))
        self.learning_rate.append(rate)
        self.seconds.append(np.nan)

    def validated(self, losses: np.ndarray) -> None:
        """Validation losses after the newest update."""
        self.validation_loss[-1] = losses

    def radius(self, radii: np.ndarray) -> None:
        """Spectral radii of the recurrent weights after the newest update."""
        self.spectral_radius[-1] = radii

    def mean_loss(self, steps: int) -> np.ndarray:
        """Mean training loss of each network over the newest steps, (net,)."""
        # each network's in a row of its own: NumPy sums columns in another order than one column
        return np.ascontiguousarray(np.transpose(self.loss[-steps:])).mean(axis=1)

    def table(self) -> pd.DataFrame:
        """A row for each net and step, steps counted from 1."""
        steps = len(self.loss)
        columns = {
            "net": np.repeat(np.arange(self.nets), steps),
            "step": np.tile(np.arange(1, steps + 1), self.nets),
            "learning_rate": np.tile(self.learning_rate, self.nets),
            "seconds": np.tile(self.seconds, self.nets),
        }
        for name, values in self._per_net().items():
            columns[name] = values.T.ravel()
        active = columns.pop("active")
        return pd.DataFrame(columns)[list(HISTORY_COLUMNS)][active].reset_index(drop=True)

    def arrays(self) -> dict[str, np.ndarray]:
        """The records as arrays, for the checkpoint."""
        return {
            **self._per_net(),
            "learning_rate": np.array(self.learning_rate),
            "seconds": np.array(self.seconds),
        }

    @classmethod
    def from_arrays(cls, arrays: dict[str, np.ndarray], nets: int, where: str) -> History:
        """The records that `arrays` gave; FileProblem, naming `where`, for others."""
        history = cls(nets)
        given = dict(arrays)
        seconds = given.get("seconds", np.empty(0))
        steps = len(seconds) if seconds.ndim == 1 else 0
        # a checkpoint from before it was measured
        given.setdefault("spectral_radius", np.full((steps, nets), np.nan))
        for name, like in history.arrays().items():
            shape = (steps, *like.shape[1:])
            values = given.pop(name, None)
            if values is None or (values.shape, values.dtype.kind) != (shape, like.dtype.kind):
                raise FileProblem(f"{where}: damaged: the record {name!r} is missing or wrong")
            setattr(history, name, list(values.astype(like.dtype)))
        if given:
            raise FileProblem(f"{where}: damaged: unknown record {next(iter(given))!r}")
        return history

    def _per_net(self) -> dict[str, np.ndarray]:
        """The records that have a value for each network, (step, net) each."""
        shape = (len(self.loss), self.nets)
        return {
            "active": np.reshape(self.active, shape).astype(bool),
            "loss": np.reshape(self.loss, shape),
            "validation_loss": np.reshape(self.validation_loss, shape),
            "gradient_norm": np.reshape(self.gradient_norm, shape),
            "spectral_radius": np.reshape(self.spectral_radius, shape),
        }
