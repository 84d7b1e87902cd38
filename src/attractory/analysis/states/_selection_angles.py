"""Selection vectors of the linearisation beside the axes along which states carry variables."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

from attractory._arguments import instance_of, optional, takes, whole
from attractory._errors import InvalidSetting
from attractory._result import Result
from attractory.analysis.dynamics._selection_vectors import SelectionVectors
from attractory.analysis.states._coding_axes import CodingAxes
from attractory.analysis.states._demixed_pca import DemixedPCA
from attractory.analysis.states._task_axes import TaskAxes

CHANCE = 0.05  # of random directions are nearer
DRAWS = 2000  # pairs of random subspaces, for an angle that has no formula
VECTORS = "at.analysis.selection_vectors(network, states) finds them"


@dataclass(frozen=True, repr=False)
class SelectionAngles(Result):
    """Angles of selection vectors and of their line with axes (see `selection_angles`).

    Attributes
    ----------
    name : str
        What the task calls the constant input; empty without a task.
    axes : tuple of str
        What the axes are called.
    single : array of bool (state,)
        Where one real mode is the slowest; elsewhere it is a complex pair, and angles are those of
        the planes of its eigenvectors.
    line : array (state, axis)
        Between the line's direction and the direction along which states carry what an axis is of
        (degrees, 0 to 90). NaN where a state has no Jacobian.
    selection : array (state, axis)
        Between the selection vector and the direction that reads it from the states (degrees).
    selected : array (state, axis)
        How long of a displacement of length 1 along the axis is what stays of it in the slowest
        mode.
    chance : array (state, axis)
        Of random directions (or planes) 5 % are nearer to the axis than this (degrees).
    """

    name: str
    axes: tuple[str, ...]
    single: np.ndarray
    line: np.ndarray
    selection: np.ndarray
    selected: np.ndarray
    chance: np.ndarray

    @property
    def known(self) -> np.ndarray:
        """The states (state,) that have a Jacobian."""
        known: np.ndarray = np.isfinite(self.line).all(axis=1)
        return known

    @property
    def statement(self) -> str:
        """Which axes the line and the selection vector lie nearest to, in words."""
        where = f"{self.name}: " if self.name else ""
        if not self.known.any():
            return f"{where}no state has a Jacobian with a mode that is the slowest."
        chance = self._median(self.chance)
        told = []
        for what, angles in (("the line", self.line), ("the selection vector", self.selection)):
            medians = self._median(angles)
            nearest = int(medians.argmin())
            told.append(
                f"{what} lies nearest to {self.axes[nearest]} ({medians[nearest]:.0f}°; chance: "
                f"beyond {chance[nearest]:.0f}°)"
            )
        lengths = self._median(self.selected)
        most = int(lengths.argmax())
        told.append(f"of a displacement along {self.axes[most]} most stays ({lengths[most]:.2g})")
        count, pairs = int(self.known.sum()), int((self.known & ~self.single).sum())
        of = f"medians of {count} state{'s' * (count != 1)}"
        if pairs:
            of += f", at {pairs} of which the slowest modes are a complex pair, with a plane each"
        return f"{where}{'; '.join(told)}; {of}."

    def _median(self, values: np.ndarray) -> np.ndarray:
        """Over the states that are known, (axis,)."""
        medians: np.ndarray = np.median(values[self.known], axis=0)
        return medians

    def table(self) -> pd.DataFrame:
        """The axes as a table.

        Returns
        -------
        pandas.DataFrame
            A row for each axis: medians over the states of both angles, of what stays of a
            displacement, and of chance.
        """
        columns = {
            "line (°)": self.line,
            "selection (°)": self.selection,
            "selected": self.selected,
            "chance (°)": self.chance,
        }
        nothing = np.full(len(self.axes), np.nan)
        medians = {
            name: self._median(values) if self.known.any() else nothing
            for name, values in columns.items()
        }
        return pd.DataFrame({"input": self.name, "axis": self.axes, **medians})


@takes(
    vectors=instance_of(SelectionVectors, hint=VECTORS),
    axes=instance_of(TaskAxes, DemixedPCA, CodingAxes),
    moment=optional(whole()),
)
def selection_angles(
    vectors: SelectionVectors, axes: TaskAxes | DemixedPCA | CodingAxes, moment: int | None = None
) -> SelectionAngles:
    """How selection vectors and their line lie to axes of task variables.

    Parameters
    ----------
    vectors : SelectionVectors
        Of a network.
    axes : TaskAxes, DemixedPCA or CodingAxes
        Of the same network.
    moment : int, optional
        At which moment of `CodingAxes`, by its number; None: for each variable that at which it is
        decoded best.

    Returns
    -------
    SelectionAngles
        The angles at each state.

    Raises
    ------
    InvalidSetting
        For axes of another number of units, a moment that there is not, and one at which states do
        not differ by a variable.

    Notes
    -----
    There are two kinds of directions, and each is compared with its like [1]_. The line is a
    direction along which states move, and so is that along which they carry a variable: an encoder
    of `DemixedPCA`, the coding subspace of `CodingAxes`, an axis of `TaskAxes` in states that are
    not z-scored. A selection vector reads from states what will stay, as a decoder reads a
    variable. Of subspaces, and of the planes of a complex pair, it is the smallest principal angle.

    References
    ----------
    .. [1] Mante, Sussillo, Shenoy & Newsome (2013), Nature 503:78; Haufe et al. (2014), NeuroImage
       87:96.
    """
    found = _directions(axes, moment)
    units = vectors.states.shape[1]
    for each in found:
        if each.carrying.shape[1] != units:
            raise InvalidSetting(
                f"axes are of {each.carrying.shape[1]} units, the selection vectors of {units}; "
                "both must be of the same network"
            )
    carrying = [_basis(each.carrying) for each in found]
    reading = [_basis(each.reading) for each in found]
    lines = _planes(vectors.line, vectors.right)
    selections = _planes(vectors.selection, vectors.left)
    sizes = [len(line) for line in lines]
    kept = [[_kept(*mode, basis) for basis in carrying] for mode in _modes(vectors)]
    return SelectionAngles(
        name=vectors.name,
        axes=tuple(each.name for each in found),
        single=vectors.single,
        line=np.array([[_angle(line, basis) for basis in carrying] for line in lines]),
        selection=np.array([[_angle(each, basis) for basis in reading] for each in selections]),
        selected=np.array(kept),
        chance=np.array(
            [[_chance(size, len(basis), units) for basis in carrying] for size in sizes]
        ),
    )


class Directions(NamedTuple):
    """Of one variable or component, rows of units each.

    carrying: along which states carry it; reading: what reads it from them.
    """

    name: str
    carrying: np.ndarray
    reading: np.ndarray


def _directions(axes: TaskAxes | DemixedPCA | CodingAxes, moment: int | None) -> list[Directions]:
    if isinstance(axes, CodingAxes):
        return [_coding(axes, i, moment) for i in range(len(axes.variables))]
    if moment is not None:
        raise InvalidSetting(f"moment = {moment} is not allowed: only CodingAxes have moments")
    if isinstance(axes, DemixedPCA):
        rows = zip(axes.names, axes.encoders, axes.decoders, strict=True)
    else:
        changes = np.isfinite(axes.scale)  # a unit that does not change carries and reads nothing
        scale = np.where(changes, axes.scale, 1.0)
        own = np.where(changes, axes.axes, 0.0)
        rows = zip(axes.variables, own * scale, own / scale, strict=True)
    return [Directions(name, carrying[None], reading[None]) for name, carrying, reading in rows]


def _coding(axes: CodingAxes, variable: int, moment: int | None) -> Directions:
    """Of a variable at its best moment, or at that moment."""
    name = axes.variables[variable]
    count = len(axes.time_ms)
    if moment is not None and moment >= count:
        raise InvalidSetting(f"moment = {moment} is not allowed: 0 to {count - 1}")
    at = int(axes.alike[variable].argmax()) if moment is None else moment
    carrying = axes.axes[name][at]
    if np.isnan(carrying).any():
        raise InvalidSetting(
            f"axes: states do not differ by {name} at moment {at}; ask for another"
        )
    # of so many levels there are as many decoders, whose sum is none: as many as there are axes
    # span what tells the levels apart best
    _, _, rows = np.linalg.svd(axes.decoders[name][at], full_matrices=False)
    return Directions(name, carrying, rows[: len(carrying)])


def _basis(rows: np.ndarray) -> np.ndarray:
    """Orthonormal rows that span the same."""
    basis: np.ndarray = np.linalg.qr(rows.T)[0].T
    return basis


def _planes(real: np.ndarray, complex_pair: np.ndarray) -> list[np.ndarray]:
    """Orthonormal rows at each state: of the real vector, or two that span a pair's plane."""
    found = []
    for own, pair in zip(real, complex_pair, strict=True):
        single = np.isfinite(own).all()
        found.append(_basis(own[None] if single else np.stack([pair.real, pair.imag])))
    return found


def _modes(vectors: SelectionVectors) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Right and left eigenvector at each state; what stays is twice the real part of a pair."""
    factors = np.where(vectors.single, 1.0, 2.0)
    for factor, right, left in zip(factors, vectors.right, vectors.left, strict=True):
        yield factor * right, left


def _kept(right: np.ndarray, left: np.ndarray, basis: np.ndarray) -> float:
    """The longest that what stays of a displacement of length 1 in a subspace can be."""
    if np.isnan(right).any():
        return np.nan
    stays: np.ndarray = np.outer(right, left @ basis.T).real
    return float(np.linalg.norm(stays, 2))


def _angle(one: np.ndarray, other: np.ndarray) -> float:
    """The smallest principal angle of two subspaces (degrees)."""
    cosines = one @ other.T
    if np.isnan(cosines).any():
        return np.nan
    largest = min(float(np.linalg.norm(cosines, 2)), 1.0)
    return float(np.degrees(np.arccos(largest)))


@cache
def _chance(one: int, other: int, units: int) -> float:
    """5 % of random subspaces of so many axes are nearer to each other than this (degrees)."""
    small, large = sorted((one, other))
    if large >= units:
        return 0.0
    if small == 1:  # the square of the cosine has a beta distribution
        square = stats.beta.isf(CHANCE, large / 2, (units - large) / 2)
        return float(np.degrees(np.arccos(np.sqrt(square))))
    rng = np.random.default_rng(0)
    drawn = [np.linalg.qr(rng.normal(size=(DRAWS, units, count)))[0] for count in (one, other)]
    cosines = np.linalg.norm(np.swapaxes(drawn[0], 1, 2) @ drawn[1], 2, axis=(1, 2))
    return float(np.degrees(np.arccos(np.quantile(cosines, 1 - CHANCE))))
