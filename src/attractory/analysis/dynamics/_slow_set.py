"""What is known of a continuous set of slow states: its kind, its size, the drift along it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from attractory._result import Result
from attractory._stored import stored

IN_ORDER = ("line", "ring", "chain", "cycle", "passage")  # kinds whose states are


@stored
@dataclass(frozen=True)
class SlowSet:
    """Slow states that hang together: from each to the next there are slow states all the way.

    Attributes
    ----------
    kind : str
        "line", "ring" (a line that closes), "plane" (of two dimensions, curved or not) or "set" (of
        more): continuous sets, on which states stay about where they are for the `duration`. Those
        on which they do not: "point" (a small set, or one whose states go to one point), "chain" (a
        line of two points or more that states on it go to, so that these can be told apart),
        "cycle" (a ring that states go round) and "passage" (a line that they go along).
    dimension : int
        1 for a line and a ring, 2 for a plane, 0 for what is no continuous set.
    states : array (state, unit)
        States on it; in order along a line, a ring and a chain.
    outputs : array (state, output)
        The readout of each.
    speed : array (state,)
        ‖F(h) - h‖ per step (2-norm).
    extent : array (direction,)
        Its length along the line or round the ring; of a plane the two lengths along its principal
        axes; empty for a point.
    direction : array (direction, unit)
        Unit vectors: the principal axes of its states, as many as it has extents (two for a ring).
    drift : array (state, direction)
        How far a state moves along the set in a step: along a line, ring or chain in the order of
        the states, on a plane along its principal axes.
    drift_time : float
        In steps: the time constant with which states on it go to where the drift is 0, the shortest
        one; where there is no such place, the time to go along the whole of it. Infinite where
        nothing moves, 0 for a point.
    n_resting : int
        How many places on it the drift leads to.
    n_unstable : int
        In how many directions across it states leave it: eigenvalues of the Jacobian of modulus
        above 1 that are not along the set, the most at any of its states. 0: it attracts.
    """

    kind: str
    dimension: int
    states: np.ndarray
    outputs: np.ndarray
    speed: np.ndarray
    extent: np.ndarray
    direction: np.ndarray
    drift: np.ndarray
    drift_time: float
    n_resting: int
    n_unstable: int

    def __len__(self) -> int:
        return len(self.states)

    @property
    def in_order(self) -> bool:
        """Whether its states are in order, as those of a line, ring, chain, cycle or passage."""
        return self.kind in IN_ORDER

    @property
    def closed(self) -> bool:
        """Whether the last of its states is next to the first, as in a ring or cycle."""
        return self.kind in ("ring", "cycle")


@dataclass(frozen=True, repr=False)
class SlowSets(Result):
    """The sets of states on which a network nearly stands still under one constant input.

    Attributes
    ----------
    sets : list of SlowSet
        Those of most dimensions first, the largest of these first.
    typical_speed : float
        The median length of a step (2-norm) on the trajectories, those left out that are shorter
        than a hundredth of the longest (where the network rests).
    tolerance : float
        A state is slow when its speed is at most this share of `typical_speed`.
    reach : float
        How far apart the trajectories' states are: the range of their projections on their first
        principal axis.
    duration : int
        Steps of a trial, within which points on a chain are told apart.
    inputs : array (input,) or None
        The constant input.
    """

    sets: list[SlowSet]
    typical_speed: float
    tolerance: float
    reach: float
    duration: int
    inputs: np.ndarray | None

    def __len__(self) -> int:
        return len(self.sets)

    @property
    def continuous(self) -> list[SlowSet]:
        """The sets of at least one dimension."""
        return [each for each in self.sets if each.dimension > 0]

    @property
    def speed_share(self) -> float:
        """The highest speed on a continuous set, as a share of the typical speed; nan without."""
        speeds = [each.speed.max() for each in self.continuous]
        return float(max(speeds) / self.typical_speed) if speeds else np.nan

    @property
    def statement(self) -> str:
        """What was found, in words."""
        if not self.sets:
            return "No state was found that is slow beside the trajectories."
        told = [self._in_words(each) for each in self.sets if each.kind != "point"]
        points = len(self.sets) - len(told)
        if points:
            told.append(f"{points} slow or fixed point{'s' * (points > 1)}")
        slow = f"at most {self.tolerance:.0%} of the trajectories' median speed"
        return "; ".join(told) + f". Slow: {slow}."

    def _in_words(self, each: SlowSet) -> str:
        lengths = " x ".join(f"{length:.3g}" for length in each.extent)
        shares = " x ".join(f"{length / self.reach:.0%}" for length in each.extent)
        size = f"extent {lengths} ({shares} of the trajectories' range)"
        if each.kind == "chain":
            return f"a chain of {each.n_resting} points that states on it go to, {size}"
        if each.kind in ("cycle", "passage"):
            return f"a slow {each.kind}, {size}, {each.drift_time:.3g} steps to go along it"
        dimensions = f" of {each.dimension} dimensions" if each.kind == "set" else ""
        drift = _drift_in_words(each)
        if each.n_unstable:
            across = f"{each.n_unstable} unstable dimension{'s' * (each.n_unstable > 1)} across it"
            return f"a slow {each.kind}{dimensions} with {across}, {size}, {drift}"
        return f"a {each.kind} attractor{dimensions}, {size}, {drift}"

    def table(self) -> pd.DataFrame:
        """A row for each set.

        Returns
        -------
        pandas.DataFrame
            Kind, dimension, number of states, extents, highest speed, drift.
        """
        rows = []
        for each in self.sets:
            lengths = [*each.extent, np.nan, np.nan][:2]
            rows.append(
                {
                    "kind": each.kind,
                    "dimension": each.dimension,
                    "states": len(each),
                    "extent": lengths[0],
                    "second_extent": lengths[1],
                    "highest_speed": float(each.speed.max()),
                    "drift_time": each.drift_time,
                    "resting": each.n_resting,
                    "n_unstable": each.n_unstable,
                }
            )
        return pd.DataFrame(rows)


def _drift_in_words(each: SlowSet) -> str:
    if np.isinf(each.drift_time):
        return "without drift"
    if each.n_resting:
        return f"a drift with a time constant of {each.drift_time:.3g} steps"
    return f"a drift that takes {each.drift_time:.3g} steps to go along it"
