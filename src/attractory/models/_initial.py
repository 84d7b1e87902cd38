"""Initial weights. Every matrix is [to, from]."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from attractory._arguments import as_array
from attractory._errors import InvalidSetting, nearest, shown

LARGEST = float(np.finfo(np.float32).max)


def recurrent(init: str | np.ndarray, gain: float, units: int, key: jax.Array) -> jax.Array:
    """(units, units): 'orthogonal', 'normal' of standard deviation 1/√units, 'glorot' uniform, or
    'identity', times the gain; or a user's own matrix as it is."""
    if not isinstance(init, str):
        return given("recurrent_init", init, (units, units))
    shape = (units, units)
    if init == "orthogonal":
        return gain * jax.random.orthogonal(key, units)
    if init == "normal":
        return gain * jax.random.normal(key, shape) / jnp.sqrt(units)
    if init == "identity":
        return gain * jnp.eye(units)
    return gain * _glorot(key, shape)


def projection(
    field: str, init: str | np.ndarray, shape: tuple[int, int], key: jax.Array
) -> jax.Array:
    """(to, from): 'glorot' uniform, 'normal' of standard deviation 1/√from, 'zeros', or a user's
    own."""
    if not isinstance(init, str):
        return given(field, init, shape)
    if init == "normal":
        return jax.random.normal(key, shape) / jnp.sqrt(shape[1])
    return jnp.zeros(shape) if init == "zeros" else _glorot(key, shape)


def given(field: str, array: np.ndarray, shape: tuple[int, ...]) -> jax.Array:
    """A user's array, when it has the right shape and only finite numbers."""
    try:
        values = np.asarray(array, dtype=np.float64)
    except (TypeError, ValueError):
        raise InvalidSetting(f"{field}: not an array of numbers") from None
    if values.shape != shape:
        raise InvalidSetting(f"{field} has shape {values.shape}; it must be {shape}, [to, from]")
    if not np.isfinite(values).all():
        bad = int((~np.isfinite(values)).sum())
        raise InvalidSetting(f"{field} has {bad} values that are not finite; all must be")
    check_range(field, values)
    return jnp.asarray(values, dtype=jnp.float32)


def check_range(field: str, values: np.ndarray) -> None:
    """InvalidSetting for numbers that are none in float32, in which networks are trained and run.

    field: how the numbers are called in the message.
    """
    largest = float(np.abs(values).max(initial=0.0))
    if largest > LARGEST:  # NaN compares as False: whoever calls has looked for it
        raise InvalidSetting(
            f"{field} has a value of size {largest:.3g}; at most {LARGEST:.3g} is a number in "
            "float32"
        )


def check_weights(weights: Mapping[str, np.ndarray]) -> None:
    """Refuse weights made elsewhere that are not finite, or not in float32.

    Parameters
    ----------
    weights : dict of arrays
        The weights by name.

    Raises
    ------
    InvalidSetting
        Where some are not finite, or too large for float32.
    """
    for name, array in weights.items():
        if not np.isfinite(array).all():
            raise InvalidSetting(f"{name} has values that are not finite; all must be")
        check_range(name, array)


def check_init(field: str, value: Any, allowed: tuple[str, ...]) -> None:
    """ValueError for an initial distribution that is unknown by name."""
    if not isinstance(value, str):
        as_array(field, value)
    elif value not in allowed:
        raise ValueError(
            f"{field} = {shown(value)} is not allowed: an array or a name; "
            + nearest(value, allowed)
        )


def _glorot(key: jax.Array, shape: tuple[int, int]) -> jax.Array:
    """Uniform within ±√(6 / (to + from)) (Glorot & Bengio 2010, equation 16)."""
    limit = (6.0 / sum(shape)) ** 0.5
    return jax.random.uniform(key, shape, minval=-limit, maxval=limit)
