"""How well networks do under conditions that they were not trained for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from attractory._errors import InvalidSetting
from attractory.evaluation._scores import Networks, checked_networks, score
from attractory.models import Network
from attractory.tasks import Task


@dataclass(frozen=True)
class RobustnessCurve:
    """Scores as one condition of the task varies.

    vary: the condition (a setting of the task); values (value,); trained: its value in the task as
    given. mse and accuracy: (value,) for one network, (net, value) for several; see `Scores`.
    """

    vary: str
    values: np.ndarray
    trained: Any
    mse: np.ndarray
    accuracy: np.ndarray

    def table(self) -> pd.DataFrame:
        """A row for each network and value."""
        mse, accuracy = np.atleast_2d(self.mse), np.atleast_2d(self.accuracy)
        nets, values = mse.shape
        return pd.DataFrame(
            {
                "vary": self.vary,
                "value": np.tile(self.values, nets),
                "net": np.repeat(np.arange(nets), values),
                "mse": mse.ravel(),
                "accuracy": accuracy.ravel(),
            }
        )


def robustness(
    networks: Networks,
    task: Task,
    vary: str = "noise",
    values: Sequence[float] = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5),
    n: int = 128,
    seed: int = 0,
) -> RobustnessCurve:
    """Scores of one network or several as a setting of the task takes other values.

    Every value is tried on `n` trials of the same seed, so that neighbouring points of the curve
    differ by the condition alone. For a flip-flop, `vary` may be "noise" (standard deviation),
    "amplitude" (of the pulses), "pulse" (width in steps; the answer stays asked for at the same
    time after onset), or any other setting. Raises InvalidSetting for an unknown setting or a
    value that the task does not allow.
    """
    if len(values) == 0:
        raise InvalidSetting("values is empty; at least one value is needed")
    found = checked_networks(networks, task)
    conditions = [task.varied(vary, value) for value in values]
    for each in conditions:
        checked_networks(found, each)
    # each condition is another program that would run once: compiling it costs more than it saves
    scores = [score(found, each, each.sample(n, seed, compiled=False)) for each in conditions]
    mse = np.stack([score.mse for score in scores], axis=1)
    accuracy = np.stack([score.accuracy for score in scores], axis=1)
    if isinstance(networks, Network):
        mse, accuracy = mse[0], accuracy[0]
    return RobustnessCurve(vary, np.asarray(values), getattr(task, vary), mse, accuracy)
