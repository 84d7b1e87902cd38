"""What is known of an activation function: its slope, and how fast that can change."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from scipy import special

from attractory.kernels import Activation, compiled
from attractory.models import activation_function

Elementwise = Callable[[np.ndarray], np.ndarray]
EPS = float(np.finfo(np.float64).eps)


@dataclass(frozen=True)
class Shape:
    """An activation phi in float64, and the facts about it that proofs need.

    value, slope: phi and phi' of an array. odd: phi(-u) = -phi(u), exactly, also in floating point.
    bounded: phi stays in an interval. curvature: a Lipschitz constant of phi' on any interval
    without a kink; None when it is not known (then nothing is proved). kinks: where phi' jumps.
    max_slope: the largest |phi'|. rounding: |computed - exact| <= rounding · max(1, |u|), for value
    and slope; the elementary functions of NumPy and SciPy are trusted to 8 units in the last place.
    """

    value: Elementwise
    slope: Elementwise
    odd: bool = False
    bounded: bool = False
    curvature: float | None = None
    kinks: tuple[float, ...] = ()
    max_slope: float = 1.0
    rounding: float = 16 * EPS


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


# greatest |phi''|: tanh 4/(3√3), sigmoid 1/(6√3), softplus 1/4 (the greatest slope of a sigmoid),
# elu 1, silu 1/2 (at 0), soft_sign 2 (at 0): the second derivatives' extrema, by hand
_shapes = {
    "tanh": Shape(np.tanh, _tanh_slope, True, True, 4 / (3 * np.sqrt(3)) * (1 + EPS)),
    "sigmoid": Shape(
        special.expit, _sigmoid_slope, False, True, 1 / (6 * np.sqrt(3)) * (1 + EPS), (), 0.25
    ),
    "softplus": Shape(lambda u: np.logaddexp(0.0, u), special.expit, curvature=0.25),
    "linear": Shape(lambda u: u, np.ones_like, odd=True, curvature=0.0),
    "relu": Shape(_clip(0, np.inf), _inside(0, np.inf), curvature=0.0, kinks=(0.0,)),
    "relu6": Shape(_clip(0, 6), _inside(0, 6), False, True, 0.0, (0.0, 6.0)),
    "hard_tanh": Shape(_clip(-1, 1), _inside(-1, 1), True, True, 0.0, (-1.0, 1.0)),
    "leaky_relu": Shape(
        lambda u: np.where(u >= 0, u, 0.01 * u),
        lambda u: np.where(u >= 0, 1.0, 0.01),
        curvature=0.0,
        kinks=(0.0,),
    ),
    "elu": Shape(_elu, _elu_slope, curvature=1.0),
    "celu": Shape(_elu, _elu_slope, curvature=1.0),
    "silu": Shape(lambda u: u * special.expit(u), _silu_slope, curvature=0.5, max_slope=1.1),
    "soft_sign": Shape(
        lambda u: u / (1 + np.abs(u)), lambda u: (1 + np.abs(u)) ** -2.0, True, True, 2.0
    ),
}


def shape_of(activation: str | Activation) -> Shape:
    """What is known of an activation by name; of another function only value and slope, by JAX."""
    if isinstance(activation, str) and activation in _shapes:
        return _shapes[activation]
    function = activation_function(activation)

    def slope(u: jax.Array) -> jax.Array:
        return jax.jvp(function, (u,), (jnp.ones_like(u),))[1]

    return Shape(_by_jax(function), _by_jax(slope))


def _by_jax(function: Activation) -> Elementwise:
    """The function in float64, compiled for numbers of values that are powers of two."""
    run = compiled(function)

    def elementwise(u: np.ndarray) -> np.ndarray:
        flat = np.ravel(u)
        size = max(1024, 1 << max(0, flat.size - 1).bit_length())
        with jax.enable_x64(True):
            made = np.asarray(run(jnp.asarray(np.pad(flat, (0, size - flat.size)))))
        return made[: flat.size].reshape(np.shape(u))

    return elementwise
