"""Selection vectors of the linearisation beside the axes along which states carry variables."""

from __future__ import annotations

from dataclasses import dataclass
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
    line : array (state, axis)
        Between the line's direction and the direction along which states carry what an axis is of
        (degrees, 0 to 90). NaN where a state has no single slowest mode.
    selection : array (state, axis)
        Between the selection vector and the direction that reads it from the states (degrees).
    selected : array (state, axis)
        How far a displacement of length 1 along the axis moves the network along the line in the
        end, whichever way.
    chance : array (axis,)
        Of random directions 5 % are nearer to the axis than this (degrees).
    """

    name: str
    axes: tuple[str, ...]
    line: np.ndarray
    selection: np.ndarray
    selected: np.ndarray
    chance: np.ndarray

    @property
    def statement(self) -> str:
        """Which axes the line and the selection vector lie nearest to, in words."""
        where = f"{self.name}: " if self.name else ""
        known = np.isfinite(self.line[:, 0])
        if not known.any():
            return f"{where}no state has a single slowest mode."
        told = []
        for what, angles in (("the line", self.line), ("the selection vector", self.selection)):
            medians = np.median(angles[known], axis=0)
            nearest = int(medians.argmin())
            told.append(
                f"{what} lies nearest to {self.axes[nearest]} ({medians[nearest]:.0f}°; chance: "
                f"beyond {self.chance[nearest]:.0f}°)"
            )
        lengths = np.median(self.selected[known], axis=0)
        most = int(lengths.argmax())
        told.append(f"of a displacement along {self.axes[most]} most stays ({lengths[most]:.2g})")
        count = int(known.sum())
        return f"{where}{'; '.join(told)}; medians of {count} state{'s' * (count != 1)}."

    def table(self) -> pd.DataFrame:
        """The axes as a table.

        Returns
        -------
        pandas.DataFrame
            A row for each axis: medians over the states of both angles and of how far a
            displacement moves the network, and chance.
        """
        known = np.isfinite(self.line[:, 0])
        medians = {
            "line (°)": self.line,
            "selection (°)": self.selection,
            "selected": self.selected,
        }
        nothing = np.full(len(self.axes), np.nan)
        return pd.DataFrame(
            {
                "input": self.name,
                "axis": self.axes,
                **{
                    name: np.median(values[known], axis=0) if known.any() else nothing
                    for name, values in medians.items()
                },
                "chance (°)": self.chance,
            }
        )


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
    variable. Of a subspace it is the angle to the nearest direction in it.

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
    return SelectionAngles(
        name=vectors.name,
        axes=tuple(each.name for each in found),
        line=np.stack([_angles(vectors.line, basis) for basis in carrying], axis=1),
        selection=np.stack([_angles(vectors.selection, basis) for basis in reading], axis=1),
        selected=np.stack(
            [np.linalg.norm(vectors.selection @ basis.T, axis=1) for basis in carrying], axis=1
        ),
        chance=np.array([_chance(len(basis), units) for basis in carrying]),
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


def _angles(vectors: np.ndarray, basis: np.ndarray) -> np.ndarray:
    """Of each vector (state, unit) with the nearest direction of a subspace (degrees)."""
    lengths = np.linalg.norm(vectors, axis=1)
    cosines = np.linalg.norm(vectors @ basis.T, axis=1) / lengths
    angles: np.ndarray = np.degrees(np.arccos(np.clip(cosines, 0, 1)))
    return angles


def _chance(axes: int, units: int) -> float:
    """5 % of random directions are nearer than this to a subspace of so many axes (degrees)."""
    if axes >= units:
        return 0.0
    # the square of the cosine with a random direction has a beta distribution
    square = stats.beta.isf(CHANCE, axes / 2, (units - axes) / 2)
    return float(np.degrees(np.arccos(np.sqrt(square))))
