"""What constraints would leave of initial weights: refused where little or nothing is left."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

_OTHERS = "allowed: 'normal', 'orthogonal', 'glorot', or weights of your own as recurrent_init"


class Leaving(Protocol):
    """What is asked here of constraints: which connections, inputs and readouts they leave."""

    @property
    def low(self) -> float | None: ...
    @property
    def high(self) -> float | None: ...
    @property
    def input_areas(self) -> tuple[int, ...] | None: ...
    @property
    def output_areas(self) -> tuple[int, ...] | None: ...
    @property
    def excitatory_readout(self) -> bool: ...
    @property
    def has_zeros(self) -> bool: ...
    def chance(self, units: int) -> np.ndarray: ...
    def column_signs(self, units: int) -> np.ndarray | None: ...
    def area_of(self, units: int) -> np.ndarray: ...


def check_start(constraints: Leaving, units: int, init: Any) -> None:
    """ValueError where named initial weights would not be what their name says.

    Zeros are the caller's wish, but a start of zeros, an identity without most of its diagonal, or
    weights without a loop, whose spectral radius is 0 whatever they are scaled to, are not. A
    user's own weights may be all of that, but zeros drawn at random may not take them away.
    """
    _check_projections(constraints, units)
    if constraints.low == 0 and constraints.high == 0:
        raise ValueError("low = 0 and high = 0 leave no recurrent weights at all")
    if not constraints.has_zeros:
        return
    chance = constraints.chance(units)
    if not isinstance(init, str):
        _check_own(np.asarray(init), chance)
        return
    if not chance.any():
        raise ValueError("constraints leave no recurrent connection at all")
    if init == "identity":
        _check_diagonal(chance)
    if not _has_loop(chance > 0):
        raise ValueError(
            "constraints allow no loop of connections: the spectral radius is 0 whatever the "
            "weights, and nothing recurs; allowed: a mask with loops, or weights of your own as "
            "recurrent_init"
        )
    drawn = (chance > 0) & (chance < 1)
    if drawn.any() and chance.sum() < units:
        raise ValueError(
            f"constraints leave {chance.sum() / units:.2g} connections to a unit in the mean: too "
            "few for loops, so that nothing recurs; allowed: a density that leaves 1 or more"
        )


def _check_own(init: np.ndarray, chance: np.ndarray) -> None:
    """A user's own weights stay as they are, so what is drawn at random must not touch them."""
    lost = (init != 0) & (chance > 0) & (chance < 1)
    if lost.any():
        raise ValueError(
            f"recurrent_init has {int(lost.sum())} weights where connections are drawn at random "
            "(density, connections): some would be lost; allowed: a mask of the weights that are "
            "there instead"
        )


def _check_diagonal(chance: np.ndarray) -> None:
    units, kept = len(chance), float(np.diag(chance).sum())
    if kept < units:
        left = "none" if kept == 0 else f"about {kept:.3g}"
        raise ValueError(
            "recurrent_init = 'identity' has its weights on the diagonal, of which the constraints "
            f"leave {left} of {units}; {_OTHERS}"
        )


def _has_loop(there: np.ndarray) -> bool:
    if np.diag(there).any():
        return True
    found, _ = connected_components(csr_array(there), connection="strong")
    return bool(found < len(there))


def _check_projections(constraints: Leaving, units: int) -> None:
    """Inputs must go somewhere, and something must be read out."""
    for field in ("input_areas", "output_areas"):
        if getattr(constraints, field) == ():
            raise ValueError(f"{field} is empty; one area at least is needed, None for all")
    signs = constraints.column_signs(units)
    if not constraints.excitatory_readout or signs is None:
        return
    area = constraints.area_of(units)
    read = (
        area >= 0 if constraints.output_areas is None else np.isin(area, constraints.output_areas)
    )
    if not (read & (signs > 0)).any():
        raise ValueError(
            "excitatory_readout = True leaves nothing to read out: no unit there is excitatory"
        )
