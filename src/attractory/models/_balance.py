"""Initial weights under Dale's law that do not explode: balanced rows, a given spectral radius."""

from __future__ import annotations

import jax
import jax.numpy as jnp


def balanced(recurrent: jax.Array) -> jax.Array:
    """The matrix with the inhibition of each row scaled so that its sum is 0, where it has both."""
    excitation = jnp.maximum(recurrent, 0.0).sum(1, keepdims=True)
    inhibition = -jnp.minimum(recurrent, 0.0).sum(1, keepdims=True)
    both = (excitation > 0) & (inhibition > 0)
    scale = jnp.where(both, excitation / jnp.where(both, inhibition, 1.0), 1.0)
    return jnp.where(recurrent < 0, scale * recurrent, recurrent)


def of_radius(recurrent: jax.Array, radius: float) -> jax.Array:
    """The matrix scaled to a spectral radius; as it is when all its eigenvalues are 0.

    All of it is JAX: a call back to NumPy from here would wait for the device's only thread, which
    waits for the call, on a machine of one core.
    """
    found = jnp.abs(jnp.linalg.eigvals(recurrent)).max()
    return recurrent * jnp.where(found > 1e-6, radius / jnp.maximum(found, 1e-6), 1.0)
