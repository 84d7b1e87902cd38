"""The activations by name: the package's own, and those that users register."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from scipy import special

from attractory._errors import InvalidSetting, nearest, shown
from attractory._registry import Registry
from attractory._stored import stored_as
from attractory.kernels._activation import EPS, Activation, ActivationFunction, Elementwise


def linear(x: jax.Array) -> jax.Array:
    """The activation of a linear network."""
    return x


def _tanh_slope(u: np.ndarray) -> np.ndarray:
    return 1.0 - np.tanh(u) ** 2


def _sigmoid_slope(u: np.ndarray) -> np.ndarray:
    return special.expit(u) * special.expit(-u)


def _elu(u: np.ndarray) -> np.ndarray:
    return np.where(u > 0, u, np.expm1(np.minimum(u, 0.0)))


def _elu_slope(u: np.ndarray) -> np.ndarray:
    return np.exp(np.minimum(u, 0.0))


def _silu_slope(u: np.ndarray) -> np.ndarray:
    return special.expit(u) * (1.0 + u * special.expit(-u))


def _inside(low: float, high: float) -> Elementwise:
    """The slope of a function that is the identity in an interval and flat elsewhere."""
    return lambda u: ((u > low) & (u < high)).astype(np.float64)


def _clip(low: float, high: float) -> Elementwise:
    return lambda u: np.clip(u, low, high)


# the zeros of silu' and of silu'': u with 1 + u σ(-u) = 0, and with 2 + u (1 - 2 σ(u)) = 0
_SILU_TURN = -1.278464542761074
_SILU_SLOPE_TURN = 2.399357280515468
_BY_HAND = "extrema by hand; NumPy and SciPy are trusted to 8 units in the last place"

# greatest |phi''|: tanh 4/(3√3), sigmoid 1/(6√3), softplus 1/4 (the greatest slope of a sigmoid),
# elu 1, silu 1/2 (at 0), soft_sign 2 (at 0): the second derivatives' extrema, by hand.
# Tails: log(1 + e^u) is at most log 2 above max(u, 0); elu at most 1 below; silu at most 0.2785
_OWN = (
    Activation(
        "tanh",
        jnp.tanh,
        np.tanh,
        _tanh_slope,
        odd=True,
        low=-1.0,
        high=1.0,
        curvature=4 / (3 * np.sqrt(3)) * (1 + EPS),
        slope_turns=(0.0,),
        source=_BY_HAND,
        keras="tanh",
        torch="tanh",
        onnx="Tanh",
        native=0,
        slope_from_value=lambda rates: 1.0 - rates * rates,
    ),
    Activation(
        "relu",
        jax.nn.relu,
        _clip(0, np.inf),
        _inside(0, np.inf),
        low=0.0,
        curvature=0.0,
        kinks=(0.0,),
        tails=(0.0, 1.0, 0.0),
        source=_BY_HAND,
        keras="relu",
        torch="relu",
        onnx="Relu",
        native=1,
        slope_from_value=lambda rates: (rates > 0).astype(rates.dtype),
    ),
    Activation(
        "sigmoid",
        jax.nn.sigmoid,
        special.expit,
        _sigmoid_slope,
        low=0.0,
        high=1.0,
        curvature=1 / (6 * np.sqrt(3)) * (1 + EPS),
        max_slope=0.25,
        slope_turns=(0.0,),
        source=_BY_HAND,
        keras="sigmoid",
        onnx="Sigmoid",
        native=2,
        slope_from_value=lambda rates: rates * (1.0 - rates),
    ),
    Activation(
        "softplus",
        jax.nn.softplus,
        lambda u: np.logaddexp(0.0, u),
        special.expit,
        low=0.0,
        curvature=0.25,
        tails=(0.0, 1.0, 0.6931471805599454),
        source=_BY_HAND,
        keras="softplus",
        onnx="Softplus",
        native=3,
    ),
    Activation(
        "linear",
        linear,
        lambda u: u,
        np.ones_like,
        odd=True,
        curvature=0.0,
        tails=(1.0, 1.0, 0.0),
        source=_BY_HAND,
        keras="linear",
        native=4,
    ),
    Activation(
        "relu6",
        jax.nn.relu6,
        _clip(0, 6),
        _inside(0, 6),
        low=0.0,
        high=6.0,
        curvature=0.0,
        kinks=(0.0, 6.0),
        slope_turns=(3.0,),
        source=_BY_HAND,
        keras="relu6",
    ),
    Activation(
        "hard_tanh",
        jax.nn.hard_tanh,
        _clip(-1, 1),
        _inside(-1, 1),
        odd=True,
        low=-1.0,
        high=1.0,
        curvature=0.0,
        kinks=(-1.0, 1.0),
        slope_turns=(0.0,),
        source=_BY_HAND,
        keras="hard_tanh",
    ),
    # Keras's leaky_relu has another slope
    Activation(
        "leaky_relu",
        jax.nn.leaky_relu,
        lambda u: np.where(u >= 0, u, 0.01 * u),
        lambda u: np.where(u >= 0, 1.0, 0.01),
        curvature=0.0,
        kinks=(0.0,),
        tails=(0.01, 1.0, 0.0),
        source=_BY_HAND,
    ),
    Activation(
        "elu",
        jax.nn.elu,
        _elu,
        _elu_slope,
        low=-1.0,
        curvature=1.0,
        tails=(0.0, 1.0, 1.0),
        source=_BY_HAND,
        keras="elu",
        onnx="Elu",
    ),
    Activation(
        "celu",
        jax.nn.celu,
        _elu,
        _elu_slope,
        low=-1.0,
        curvature=1.0,
        tails=(0.0, 1.0, 1.0),
        source=_BY_HAND,
        keras="celu",
    ),
    Activation(
        "silu",
        jax.nn.silu,
        lambda u: u * special.expit(u),
        _silu_slope,
        low=-0.2785,
        curvature=0.5,
        max_slope=1.1,
        turns=(_SILU_TURN,),
        slope_turns=(-_SILU_SLOPE_TURN, _SILU_SLOPE_TURN),
        tails=(0.0, 1.0, 0.2785),
        source=_BY_HAND,
        keras="silu",
    ),
    Activation(
        "soft_sign",
        jax.nn.soft_sign,
        lambda u: u / (1 + np.abs(u)),
        lambda u: (1 + np.abs(u)) ** -2.0,
        odd=True,
        low=-1.0,
        high=1.0,
        curvature=2.0,
        slope_turns=(0.0,),
        source=_BY_HAND,
        keras="softsign",
        onnx="Softsign",
    ),
    # no bounds of these two are known here; Keras's gelu is the exact one
    Activation("gelu", jax.nn.gelu),
    Activation("selu", jax.nn.selu, keras="selu"),
)
registry: Registry[Activation] = Registry(
    "activation",
    None,
    "attractory.models",
    name_of=lambda record: record.name,
    known=_OWN,
    decorator="attractory.models.activation",
    accepts=lambda record: isinstance(record, Activation),
)
ACTIVATIONS: dict[str, Activation] = registry.parts


def _of_name(name: str, function: ActivationFunction | None) -> Activation:
    """The record that a file names; one that is not registered by its function."""
    return ACTIVATIONS[name] if function is None else activation_of(function)


def _parts(record: Activation) -> dict[str, Any]:
    known = ACTIVATIONS.get(record.name) is record
    return {"name": record.name, "activation": None if known else record.function}


stored_as(Activation, _parts, lambda name, activation: _of_name(name, activation))


def activation_of(activation: str | ActivationFunction) -> Activation:
    """The record of an activation by its name, its function, or itself.

    Of a function that is not registered nothing is known but its value and slope. Raises
    InvalidSetting for an unknown name.
    """
    if isinstance(activation, Activation):
        return activation
    if not callable(activation):
        if not isinstance(activation, str) or activation not in ACTIVATIONS:
            raise InvalidSetting(
                f"activation = {shown(activation)} is not allowed: a JAX function of one array, "
                f"or a name; {nearest(activation, ACTIVATIONS)}"
            )
        return ACTIVATIONS[activation]
    for known in ACTIVATIONS.values():
        if known.function is activation:
            return known
    return _unknown(activation)


@lru_cache(maxsize=64)
def _unknown(function: ActivationFunction) -> Activation:
    """One record for a function, so that what is compiled for it is found again."""
    return Activation(getattr(function, "__name__", repr(function)), function)
