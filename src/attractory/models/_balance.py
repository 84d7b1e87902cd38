"""Initial weights under Dale's law that do not explode: balanced rows, a given spectral radius."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np


def balanced(recurrent: jax.Array) -> jax.Array:
    """The matrix with the inhibition of each row scaled so that its sum is 0, where it has both."""
    excitation = jnp.maximum(recurrent, 0.0).sum(1, keepdims=True)
    inhibition = -jnp.minimum(recurrent, 0.0).sum(1, keepdims=True)
    both = (excitation > 0) & (inhibition > 0)
    scale = jnp.where(both, excitation / jnp.where(both, inhibition, 1.0), 1.0)
    return jnp.where(recurrent < 0, scale * recurrent, recurrent)


def of_radius(recurrent: jax.Array, radius: float) -> jax.Array:
    """The matrix scaled to a spectral radius; as it is when all its eigenvalues are 0."""
    found = jax.pure_callback(
        _spectral_radius, jax.ShapeDtypeStruct((), jnp.float32), recurrent, vmap_method="sequential"
    )
    return recurrent * jnp.where(found > 1e-6, radius / jnp.maximum(found, 1e-6), 1.0)


def _spectral_radius(matrix: Any) -> np.ndarray:
    values = np.linalg.eigvals(np.asarray(matrix, np.float64))
    return np.asarray(np.abs(values).max(), np.float32)
