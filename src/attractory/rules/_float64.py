"""Float64 numbers of a rule's state, handed on by programs whose usual numbers are float32."""

from __future__ import annotations

import jax
import jax.numpy as jnp


def as_bits(values: jax.Array) -> jax.Array:
    """A float64 array (…) as uint32 (…, 2): programs in float32 hand it on as it is."""
    return jax.lax.bitcast_convert_type(values, jnp.uint32)


def from_bits(bits: jax.Array) -> jax.Array:
    """The float64 array of `as_bits`; for programs with `jax.enable_x64`."""
    return jax.lax.bitcast_convert_type(bits, jnp.float64)
