"""How many weights break each rule of their model."""

from __future__ import annotations

import numpy as np

from attractory.models import Constraints

# names among the weights
MASK = "recurrent_mask"
FIXED = "recurrent_fixed"


def broken_rules(
    constraints: Constraints,
    matrix: np.ndarray,
    weights: dict[str, np.ndarray],
) -> dict[str, int]:
    """How many weights break each rule that there is."""
    units = len(matrix)
    broken = {}
    signs = constraints.column_signs(units)
    if signs is not None:
        wrong_sign = matrix * signs < 0
        broken["dale"] = int(wrong_sign.sum())
    if constraints.has_zeros:
        broken["mask"] = _outside_of_mask(constraints, matrix, weights)
    if constraints.low is not None or constraints.high is not None:
        broken["bounds"] = _out_of_bounds(constraints, matrix, weights)
    if constraints.input_areas is not None:
        area = constraints.area_of(units)
        outside = ~np.isin(area, constraints.input_areas)
        to_others = weights["input_weights"][outside] != 0
        broken["inputs"] = int(to_others.sum())
    readout = weights.get("output_weights")
    has_rule = constraints.output_areas is not None or constraints.excitatory_readout
    if readout is not None and has_rule:
        broken["outputs"] = _wrongly_read(constraints, readout, signs)
    return broken


def moved_weights(
    matrix: np.ndarray,
    initial: np.ndarray,
    weights: dict[str, np.ndarray],
) -> int:
    """How many of the fixed weights are not what they were initially."""
    moved = matrix != np.asarray(initial, np.float64)
    fixed = weights[FIXED] > 0
    return int((moved & fixed).sum())


def _outside_of_mask(
    constraints: Constraints,
    matrix: np.ndarray,
    weights: dict[str, np.ndarray],
) -> int:
    """Weights where there is no connection."""
    there = constraints.allowed(len(matrix))
    if MASK in weights:
        there &= weights[MASK] > 0
    elsewhere = matrix[~there]
    return int((elsewhere != 0).sum())


def _out_of_bounds(
    constraints: Constraints,
    matrix: np.ndarray,
    weights: dict[str, np.ndarray],
) -> int:
    """Weights beyond the bounds, as float32 has them; what is fixed or 0 by a mask may be."""
    low = -np.inf
    if constraints.low is not None:
        low = float(np.float32(constraints.low))
    high = np.inf
    if constraints.high is not None:
        high = float(np.float32(constraints.high))
    beyond = (matrix < low) | (matrix > high)
    if FIXED in weights:
        fixed = weights[FIXED] > 0
        beyond &= ~fixed
    return int(beyond.sum())


def _wrongly_read(
    constraints: Constraints,
    readout: np.ndarray,
    signs: np.ndarray | None,
) -> int:
    """Readout weights of units that may not be read out, or below 0 where they may not be."""
    area = constraints.area_of(readout.shape[1])
    read = readout != 0
    wrong = np.zeros(readout.shape, bool)
    if constraints.output_areas is not None:
        outside = ~np.isin(area, constraints.output_areas)
        wrong |= read & outside
    if constraints.excitatory_readout and signs is not None:
        of_inhibitory = read & (signs < 0)
        wrong |= (readout < 0) | of_inhibitory
    return int(wrong.sum())
