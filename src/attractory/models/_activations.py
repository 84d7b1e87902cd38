"""Activation functions by name."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

from attractory._errors import InvalidSetting, nearest, shown
from attractory.kernels import Activation, linear

_common: dict[str, Activation] = {
    "tanh": jnp.tanh,
    "relu": jax.nn.relu,
    "softplus": jax.nn.softplus,
    "sigmoid": jax.nn.sigmoid,
    "linear": linear,
}
# what else jax.nn has as a function of one array, under its name there
_from_jax = ("celu", "elu", "gelu", "hard_tanh", "leaky_relu", "relu6", "selu", "silu", "soft_sign")


def activation_function(activation: str | Activation) -> Activation:
    """The function of a name that `check_activation` accepts, or the given function itself."""
    if callable(activation):
        return activation
    return _common[activation] if activation in _common else getattr(jax.nn, activation)


def check_activation(activation: str | Activation) -> None:
    """InvalidSetting for an unknown name, or a function that does not act on each element alone."""
    if callable(activation):
        _check_shape(activation)
        _check_elementwise(activation)
    elif activation not in _common and activation not in _from_jax:
        raise InvalidSetting(
            f"activation = {shown(activation)} is not allowed: a JAX function of one array, "
            f"or a name; {nearest(activation, [*_common, *_from_jax])}"
        )


def _check_shape(function: Activation) -> None:
    probe = jax.ShapeDtypeStruct((2, 3), jnp.float32)
    try:
        made = jax.eval_shape(function, probe)
    except Exception as error:
        first = str(error).splitlines()[0]
        raise InvalidSetting(
            f"activation = {shown(function)} is not allowed: it must work on JAX arrays ({first})"
        ) from None
    if getattr(made, "shape", None) != probe.shape:
        raise InvalidSetting(
            f"activation = {shown(function)} is not allowed: "
            "it must return an array of the same shape"
        )


def _check_elementwise(function: Activation) -> None:
    """A unit's rate may depend on its own input alone (the recurrence's gradient builds on it)."""
    alone, beside = jnp.array([[0.3, -0.7]]), jnp.array([[0.3, 1.9]])
    if not np.allclose(function(alone)[0, 0], function(beside)[0, 0], rtol=1e-6, atol=0):
        raise InvalidSetting(
            f"activation = {shown(function)} is not allowed: it must act on each element by itself"
        )
