"""Every fixed point of a network, with its evidence, and what is known of the list as a whole."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd

from attractory._cores import one_blas_thread
from attractory._errors import InvalidSetting, whole_number
from attractory._result import Result
from attractory.analysis.dynamics._completeness import Completeness
from attractory.analysis.dynamics._directions import eigenvectors
from attractory.analysis.dynamics._invariant import Regions
from attractory.analysis.dynamics._kinks import Side, sides
from attractory.analysis.dynamics._slow_points import SlowPoints, find_slow_points
from attractory.analysis.dynamics._step import AnyStep

NEAR_ONE = 1e-6  # of a modulus; where eigenvalues meet they are only right to √EPS, 1.5e-8


@dataclass(frozen=True, repr=False)
class FixedPoints(Result):
    """The fixed points of a map h -> F(h, x) under one constant input x; float64, one row a point.

    Stable points first, then by the number of unstable dimensions, those on a kink last; where the
    map is odd (an odd activation, no bias, no input) points come in pairs h, -h.

    Attributes
    ----------
    step : Step
        The map F.
    states : array (point, unit)
        The fixed points.
    residuals : array (point,)
        ‖F(h) - h‖∞.
    outputs : array (point, output)
        The readout.
    certified : array (point,)
        Proved that a fixed point lies within `radius` of the state and that no other lies within
        `unique_radius`.
    radius, unique_radius : array (point,)
        What is proved, in the max norm; inf and 0 where nothing is.
    hits : array (point,)
        How many starts led there.
    eigenvalues : array (point, unit)
        Of the Jacobian DF, largest modulus first; NaN on a kink.
    n_unstable : array (point,)
        How many eigenvalues have modulus above 1; -1 on a kink.
    decided : array (point,)
        That number is proved for the true fixed point; where it is False the point is undecided.
    kinked : array (point,)
        The point is on a kink of the activation, where there is no Jacobian.
    exact : array (point,)
        It is on a kink and was checked in exact arithmetic.
    completeness : Completeness
        What is known of the list as a whole.
    unsettled : array (state, unit)
        Where starts got stuck that led to no fixed point, the first of them.
    """

    step: AnyStep
    states: np.ndarray
    residuals: np.ndarray
    outputs: np.ndarray
    certified: np.ndarray
    radius: np.ndarray
    unique_radius: np.ndarray
    hits: np.ndarray
    eigenvalues: np.ndarray
    n_unstable: np.ndarray
    decided: np.ndarray
    kinked: np.ndarray
    exact: np.ndarray
    completeness: Completeness
    unsettled: np.ndarray = field(repr=False)

    def __len__(self) -> int:
        return len(self.states)

    @property
    def inputs(self) -> np.ndarray | None:
        """The constant input (input,); None where a user's step has none."""
        return self.step.inputs

    @property
    def degree_sum(self) -> int:
        """Σ (-1)^(number of real eigenvalues > 1) over the points; see `Completeness`."""
        return self.completeness.degree_sum

    @property
    def coverage(self) -> float:
        """Good-Turing's estimate of the chance that another start leads to a known point."""
        return self.completeness.coverage

    @property
    def stable(self) -> np.ndarray:
        """Indices of the points without an unstable dimension; none of them is on a kink."""
        return np.flatnonzero(self.n_unstable == 0)

    def sides(self, point: int) -> list[Side]:
        """The linear dynamics on each side of a point that is on a kink.

        Parameters
        ----------
        point : int
            Index of the point.

        Returns
        -------
        list of Side
            Empty for a point that is not on a kink.

        Raises
        ------
        InvalidSetting
            When there is no such point.
        """
        index = whole_number("point", point, least=0)
        if index >= len(self):
            raise InvalidSetting(f"point = {point} is not allowed: there are {len(self)} points")
        if not self.kinked[index]:
            return []
        return sides(self.step, self.states[index])

    @one_blas_thread
    def unstable_vectors(self, point: int) -> np.ndarray:
        """Unit vectors that span the unstable space of a point.

        Parameters
        ----------
        point : int
            Index of the point.

        Returns
        -------
        array (direction, unit)
            A pair of complex eigenvalues gives the real and the imaginary part of its vector.
        """
        values = self.eigenvalues[point]
        above_one = np.abs(values) > 1
        one_of_pair = values.imag >= 0
        unstable = values[above_one & one_of_pair]
        return eigenvectors(self.step, self.states[point], unstable)

    @property
    def time_constants(self) -> np.ndarray:
        """|dt / ln|λ|| (point, unit), in the unit of dt: of decay where |λ| < 1, else of growth."""
        with np.errstate(divide="ignore"):
            return np.abs(self.step.dt / np.log(np.abs(self.eigenvalues)))

    @cached_property
    def slow(self) -> SlowPoints:
        """Slow points, searched for when first asked: from where Newton's method got stuck."""
        return find_slow_points(self.step, self.unsettled)

    @cached_property
    def regions(self) -> Regions:
        """Ellipsoids around the stable points that nothing leaves, proved when asked for."""
        return Regions(self.step, self.states, np.where(self.certified, self.radius, np.inf))

    @property
    def statement(self) -> str:
        """What is known, in words: the points, the proofs, whether some may be missing."""
        if not len(self) or self.completeness.continuum:
            return self.completeness.statement()
        kinds = self._kinds()
        proved = int(self.certified.sum())
        undecided = int((~self.decided & ~self.kinked).sum())
        reason = self._on_trust if self._provable else " (no proof is known for this kind of step)"
        return (
            f"{len(self)} fixed point{'s' * (len(self) > 1)} ({', '.join(kinds)}); "
            f"{proved} proved{reason}, {undecided} with an undecided number of unstable "
            "dimensions. " + self.completeness.statement()
        )

    def _kinds(self) -> list[str]:
        """How many points there are of each kind, in words; where there are proofs, the proved."""
        told = self.decided if self._provable else self._clear
        told = told & ~self.kinked
        numbers = self.n_unstable[told].tolist()
        kinds, unit = [], " unstable"
        for dimensions, count in sorted(Counter(numbers).items()):
            if dimensions == 0:
                kinds.append(f"{count} stable")
                continue
            unit = unit and f" unstable dimension{'s' * (dimensions > 1)}"
            kinds.append(f"{count} with {dimensions}{unit}")
            unit = ""  # said once
        untold = int((~told & ~self.kinked).sum())
        if untold:
            kinds.append(f"{untold} undecided")
        if self.kinked.any():
            exact = int(self.exact.sum())
            kinds.append(
                f"{int(self.kinked.sum())} on a kink, where there is no Jacobian"
                + (f" ({exact} checked in exact arithmetic)" if exact else "")
            )
        return kinds

    @property
    def _clear(self) -> np.ndarray:
        """(point,): no eigenvalue is so near to modulus 1 that round-off decides its side."""
        return np.all(np.abs(np.abs(self.eigenvalues) - 1) > NEAR_ONE, axis=1)

    @property
    def _on_trust(self) -> str:
        """What the proofs take as it was said: the bounds of a user's own activation."""
        form = self.step.rate_form
        if form is None or not form.activation.stated:
            return ""
        return f" (given the bounds stated for {form.activation.name!r})"

    @property
    def _provable(self) -> bool:
        form = self.step.rate_form
        return form is not None and form.activation.curvature is not None

    def table(self) -> pd.DataFrame:
        """A row for each point, for a file or the eye.

        Returns
        -------
        DataFrame
            With the columns point, n_unstable, decided, kinked, certified, residual, radius,
            unique_radius, hits, largest_modulus, and output_0, output_1, … for the readout.
        """
        slowest = np.abs(self.eigenvalues[:, 0]) if len(self) else np.zeros(0)
        table = pd.DataFrame(
            {
                "point": np.arange(len(self)),
                "n_unstable": self.n_unstable,
                "decided": self.decided,
                "kinked": self.kinked,
                "certified": self.certified,
                "residual": self.residuals,
                "radius": self.radius,
                "unique_radius": self.unique_radius,
                "hits": self.hits,
                "largest_modulus": slowest,
            }
        )
        for i, column in enumerate(self.outputs.T):
            table[f"output_{i}"] = column
        return table
