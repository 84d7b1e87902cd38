"""What happened at every update, for every network."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from attractory._errors import FileProblem, InvalidSetting
from attractory.runs import LOOP_COLUMNS

OF_RULE = LOOP_COLUMNS.index("learning_rate")  # where the rule's own columns stand in the table


class History:
    """Growing records; `active` tells which networks an update was for, the others' are nan.

    reports: what the rule says beside the loss, by name: a list of arrays (net,) each.
    """

    def __init__(self, nets: int) -> None:
        self.nets = nets
        self.active: list[np.ndarray] = []
        self.loss: list[np.ndarray] = []
        self.validation_loss: list[np.ndarray] = []
        self.spectral_radius: list[np.ndarray] = []
        self.reports: dict[str, list[np.ndarray]] = {}
        self.learning_rate: list[float] = []
        self.seconds: list[float] = []

    def add(self, active: np.ndarray, info: Mapping[str, np.ndarray], rate: float) -> None:
        """One update, and what the rule reports of it: "loss" and more, (net,) each.

        Raises InvalidSetting where a rule reports other things than at the updates before.
        """
        beside = [name for name in info if name != "loss"]
        if not self.loss:
            self.reports = {name: [] for name in beside}
        elif set(beside) != set(self.reports):
            raise InvalidSetting(
                f"the rule reports {', '.join(info)}; in the history so far it reported "
                f"{', '.join(['loss', *self.reports])}: it must be the same at every update"
            )
        for name, record in [("loss", self.loss), *self.reports.items()]:
            record.append(np.where(active, np.asarray(info[name], float), np.nan))
        self.active.append(active)
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
        order = [*LOOP_COLUMNS[:OF_RULE], *self.reports, *LOOP_COLUMNS[OF_RULE:]]
        return pd.DataFrame(columns)[order][active].reset_index(drop=True)

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
            values = _record(name, given.pop(name, None), (steps, *like.shape[1:]), like, where)
            setattr(history, name, values)
        for name, array in given.items():  # the rule's own
            history.reports[name] = _record(name, array, (steps, nets), np.empty(0), where)
        return history

    def _per_net(self) -> dict[str, np.ndarray]:
        """The records that have a value for each network, (step, net) each."""
        shape = (len(self.loss), self.nets)
        return {
            "active": np.reshape(self.active, shape).astype(bool),
            "loss": np.reshape(self.loss, shape),
            "validation_loss": np.reshape(self.validation_loss, shape),
            "spectral_radius": np.reshape(self.spectral_radius, shape),
            **{name: np.reshape(values, shape) for name, values in self.reports.items()},
        }


def _record(
    name: str, values: np.ndarray | None, shape: tuple[int, ...], like: np.ndarray, where: str
) -> list[np.ndarray]:
    """A record from a checkpoint, a list over steps; FileProblem where it is not of this shape."""
    if values is None or (values.shape, values.dtype.kind) != (shape, like.dtype.kind):
        raise FileProblem(f"{where}: damaged: the record {name!r} is missing or wrong")
    return list(values.astype(like.dtype))
