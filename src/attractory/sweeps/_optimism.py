"""What the best of a tuning seemed worth when they were chosen, and what they are worth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd


def optimism_of(
    chosen: Mapping[int, Sequence[float]], objectives: Mapping[str, str], retrained: pd.DataFrame
) -> pd.DataFrame:
    """A row for each of the best trials and each objective.

    chosen: the numbers of each of these trials, one an objective. retrained: a row a network.
    """
    rows = []
    for trial, numbers in chosen.items():
        of_trial = retrained[retrained["trial"] == trial] if len(retrained) else retrained
        for (name, way), number in zip(objectives.items(), numbers, strict=True):
            found = {"trial": trial, "objective": name, "chosen": number}
            rows.append({**found, **_fresh(of_trial, name, number, way)})
    return pd.DataFrame(rows)


def _fresh(networks: pd.DataFrame, name: str, chosen: float, way: str) -> dict[str, Any]:
    """The mean over seeds of an objective, and by how much what was chosen is better."""
    means = np.array(networks.groupby("seed")[name].mean() if len(networks) else [], float)
    sign = 1.0 if way == "maximize" else -1.0
    fresh = float(means.mean()) if len(means) else float("nan")
    return {
        "fresh": fresh,
        "standard_error": _standard_error(means),
        "seeds": len(means),
        "optimism": sign * (chosen - fresh),
    }


def _standard_error(values: np.ndarray) -> float:
    """Of the mean of values (seed,); NaN of fewer than two."""
    count = len(values)
    return float(values.std(ddof=1) / np.sqrt(count)) if count > 1 else float("nan")
