"""Weights under constraints: the nearest that obey, and the changes that may be made to them."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from attractory.models._start import Leaving

Weights = dict[str, Any]
MASK, FIXED = "recurrent_mask", "recurrent_fixed"  # names among the weights


def projected(constraints: Leaving, weights: Weights, before: Weights) -> Weights:
    """The nearest weights that obey; fixed ones as they were before."""
    made = dict(weights)
    recurrent = weights["recurrent_weights"]
    units = recurrent.shape[0]
    signs = constraints.column_signs(units)
    low, high = bounds(constraints, signs)
    if low is not None or high is not None:
        recurrent = jnp.clip(recurrent, low, high)
    if MASK in weights:
        recurrent = recurrent * weights[MASK]
    if FIXED in weights:
        recurrent = jnp.where(weights[FIXED] > 0, before["recurrent_weights"], recurrent)
    made["recurrent_weights"] = recurrent
    given, read = _projection_masks(constraints, units)
    if given is not None:
        made["input_weights"] = weights["input_weights"] * given[:, None]
    if "output_weights" in weights:
        if constraints.excitatory_readout:
            made["output_weights"] = jnp.maximum(made["output_weights"], 0.0)
        if read is not None:
            made["output_weights"] = made["output_weights"] * read
    return made


def freed(constraints: Leaving, changes: Weights, weights: Weights, gradients: Weights) -> Weights:
    """The changes that may be made: 0 for weights that must stay or would leave a bound."""
    made = dict(changes)
    units = weights["recurrent_weights"].shape[0]
    given, read = _projection_masks(constraints, units)
    if "recurrent_weights" in made:
        recurrent = made["recurrent_weights"]
        if MASK in weights:
            recurrent = recurrent * weights[MASK]
        if FIXED in weights:
            recurrent = recurrent * (1.0 - weights[FIXED])
        made["recurrent_weights"] = _inward(
            recurrent,
            weights["recurrent_weights"],
            gradients["recurrent_weights"],
            *bounds(constraints, constraints.column_signs(units)),
        )
    if given is not None and "input_weights" in made:
        made["input_weights"] = made["input_weights"] * given[:, None]
    if "output_weights" in made:
        readout = made["output_weights"]
        readout = readout if read is None else readout * read
        if constraints.excitatory_readout:
            now, pushed = weights["output_weights"], gradients["output_weights"]
            readout = _inward(readout, now, pushed, 0.0, None)
        made["output_weights"] = readout
    return made


def bounds(constraints: Leaving, signs: np.ndarray | None) -> tuple[Any, Any]:
    """Lowest and highest value of each column (or of all), None where there is no bound."""
    if signs is None:
        return constraints.low, constraints.high
    least = -np.inf if constraints.low is None else constraints.low
    most = np.inf if constraints.high is None else constraints.high
    low = np.where(signs > 0, max(0.0, least), least)
    high = np.where(signs < 0, min(0.0, most), most)
    return low.astype(np.float32), high.astype(np.float32)


def _projection_masks(constraints: Leaving, units: int) -> tuple[Any, Any]:
    """(unit,) of 0 and 1: which units get the inputs, which are read out; None for all."""
    area = constraints.area_of(units)
    given: Any = None
    read: Any = None
    if constraints.input_areas is not None:
        given = np.isin(area, constraints.input_areas).astype(np.float32)
    if constraints.output_areas is not None:
        read = np.isin(area, constraints.output_areas).astype(np.float32)
    signs = constraints.column_signs(units)
    if constraints.excitatory_readout and signs is not None:
        excitatory = (signs > 0).astype(np.float32)
        read = excitatory if read is None else read * excitatory
    return given, read


def _inward(
    changes: jax.Array, now: jax.Array, gradients: jax.Array, low: Any, high: Any
) -> jax.Array:
    """The changes, 0 where a weight is at a bound and descent would take it beyond."""
    if low is not None:
        changes = jnp.where((now <= low) & (gradients > 0), 0.0, changes)
    if high is not None:
        changes = jnp.where((now >= high) & (gradients < 0), 0.0, changes)
    return changes
