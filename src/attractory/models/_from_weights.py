"""Networks from arrays that were made elsewhere."""

from __future__ import annotations

from typing import Any

import numpy as np

from attractory._arguments import as_array
from attractory._errors import InvalidSetting
from attractory.models import _initial
from attractory.models._feedback import FEEDBACK
from attractory.models._model import Network
from attractory.models._projection import FIXED, MASK

RANK_TOLERANCE = 1e-5  # of the largest singular value: what float32 leaves of those that are 0


def stored_weights(kind: Any, given: dict[str, Any], settings: dict[str, Any]) -> Network:
    """A network of a `Connected` class from its arrays by name, None for those that are not there.

    settings: other fields of the model. Raises InvalidSetting for arrays that do not fit.
    """
    arrays = {
        name: as_array(_argument(name), array) for name, array in given.items() if array is not None
    }
    for name in ("input_weights", "output_weights"):
        if name not in arrays:
            raise InvalidSetting(f"{_argument(name)} is missing: an array is needed")
    arrays, settings = _recurrent(kind, arrays, dict(settings))
    settings["bias"] = "bias" in arrays
    settings["output_bias"] = "output_bias" in arrays
    settings["trained_start"] = "initial_state" in arrays
    settings["feedback"] = FEEDBACK in arrays
    model = kind(**settings)
    arrays |= _kept_by_constraints(model, arrays)
    into, out = arrays["input_weights"], arrays["output_weights"]
    n_inputs = into.shape[1] if into.ndim == 2 else 1
    n_outputs = len(out) if out.ndim == 2 else 1
    weights = {}
    for name, shape in model.weight_shapes(n_inputs, n_outputs).items():
        _initial.given(_argument(name), arrays[name], shape)
        weights[name] = _as_float(arrays[name])
    _check_constraints(model, weights)
    return Network(model, weights)


def _recurrent(
    kind: Any, arrays: dict[str, np.ndarray], settings: dict[str, Any]
) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """The recurrent weights as the model holds them, and units and rank that follow from them."""
    vectors = [name for name in ("left_vectors", "right_vectors") if name in arrays]
    whole = "recurrent_weights" in arrays
    if whole == bool(vectors) or len(vectors) == 1:
        raise InvalidSetting(
            "recurrent is needed, (unit, unit), or left_vectors and right_vectors instead of it"
        )
    if vectors:
        left = arrays["left_vectors"]
        if left.ndim != 2 or not left.size:
            raise InvalidSetting(f"left_vectors has shape {left.shape}; it must be (unit, rank)")
        return arrays, {**settings, "units": len(left), "rank": left.shape[1]}
    recurrent = arrays["recurrent_weights"]
    if recurrent.ndim != 2 or recurrent.shape[0] != recurrent.shape[1] or not recurrent.size:
        raise InvalidSetting(
            f"recurrent has shape {recurrent.shape}; it must be square, (unit, unit)"
        )
    settings["units"] = len(recurrent)
    rank = settings.get("rank", kind.model_fields["rank"].default)
    if rank is None:
        return arrays, settings
    made = {name: array for name, array in arrays.items() if name != "recurrent_weights"}
    return {**made, **_pairs(recurrent, rank)}, {**settings, "rank": rank}


def _pairs(recurrent: np.ndarray, rank: int) -> dict[str, np.ndarray]:
    """m and n with W = m nᵀ / units, by the singular vectors; InvalidSetting for a higher rank."""
    _initial.given("recurrent", recurrent, recurrent.shape)
    units = len(recurrent)
    left, singular, right = np.linalg.svd(np.asarray(recurrent, np.float64))
    found = int(np.sum(singular > RANK_TOLERANCE * singular[0]))
    if found > rank:
        raise InvalidSetting(f"recurrent has rank {found}; rank = {rank} is too low for it")
    size = np.sqrt(units * singular[:rank])
    return {"left_vectors": left[:, :rank] * size, "right_vectors": right[:rank].T * size}


def _kept_by_constraints(model: Any, arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """What constraints keep among the weights: where connections are, which are fixed."""
    constraints = model.weight_constraints
    if constraints is None:
        return {}
    kept = constraints.shapes(model.units)
    found = {}
    if MASK in kept:
        found[MASK] = (arrays["recurrent_weights"] != 0).astype(np.float32)
    if FIXED in kept:
        found[FIXED] = np.asarray(constraints.fixed, np.float32)
    return found


def _check_constraints(model: Any, weights: dict[str, np.ndarray]) -> None:
    """InvalidSetting where weights break the constraints that the model says they obey."""
    constraints = model.weight_constraints
    if constraints is None:
        return
    allowed = constraints.allowed(model.units)
    outside = (weights["recurrent_weights"] != 0) & ~allowed
    if outside.any():
        to, source = np.argwhere(outside)[0]
        raise InvalidSetting(f"recurrent[{to}, {source}] breaks the constraints: it must be 0")
    # fixed weights are never moved: whether they obey the bounds is not asked
    projected = model.constrained(weights, weights)
    for name, array in weights.items():
        moved = np.asarray(projected[name]) != array.astype(np.float32)
        if moved.any():
            to, source = np.argwhere(moved)[0]
            raise InvalidSetting(
                f"{_argument(name)}[{to}, {source}] = {array[to, source]:g} breaks the constraints"
            )


def _argument(name: str) -> str:
    """What the argument that becomes these weights is called."""
    return name.removesuffix("_weights")


def _as_float(array: np.ndarray) -> np.ndarray:
    """A copy, so that the network stays as it is when the caller's array changes."""
    return np.array(array, dtype=array.dtype if array.dtype == np.float32 else np.float64)
