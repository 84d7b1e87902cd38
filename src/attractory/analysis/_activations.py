"""What is known of an activation function: its slope, and how fast that can change."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from scipy import special

from attractory.analysis._rounding import EPS
from attractory.kernels import Activation, compiled
from attractory.models import activation_function

Elementwise = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Shape:
    """An activation phi in float64, and the facts about it that proofs need.

    value, slope: phi and phi' of an array. odd: phi(-u) = -phi(u), exactly, also in floating point.
    low, high: phi stays between them (infinite where it has no such bound). curvature: a Lipschitz
    constant of phi' on any interval without a kink; None when it is not known (then nothing is
    proved). kinks: where phi' jumps. max_slope: the largest |phi'|.
    turns, slope_turns: where phi, and where phi', stop rising or falling: between two of them they
    are monotone. tails: (a, b, d) with |phi(u) - (a min(u, 0) + b max(u, 0))| <= d for all u.
    rounding: |computed - exact| <= rounding · max(1, |u|), for value and slope; the elementary
    functions of NumPy and SciPy are trusted to 8 units in the last place.
    """

    value: Elementwise
    slope: Elementwise
    odd: bool = False
    low: float = -np.inf
    high: float = np.inf
    curvature: float | None = None
    kinks: tuple[float, ...] = ()
    max_slope: float = 1.0
    turns: tuple[float, ...] = ()
    slope_turns: tuple[float, ...] = ()
    tails: tuple[float, float, float] = (0.0, 0.0, np.inf)
    rounding: float = 16 * EPS

    @property
    def bounded(self) -> bool:
        return bool(np.isfinite(self.low) and np.isfinite(self.high))

    @property
    def piecewise_linear(self) -> bool:
        return self.curvature == 0.0

    def range(self, low: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The least and the greatest value of phi on intervals [low, high], rounding included."""
        return self._hull(self.value, self.turns, low, high)

    def slope_range(self, low: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The same of phi'; at a kink it takes in the slopes on both sides."""
        # one float further on either side: an end that lies on a kink has both its slopes
        low, high = np.nextafter(low, -np.inf), np.nextafter(high, np.inf)
        return self._hull(self.slope, self.slope_turns, low, high)

    def _hull(
        self, function: Elementwise, turns: tuple[float, ...], low: np.ndarray, high: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        first, last = function(low), function(high)
        least, greatest = np.minimum(first, last), np.maximum(first, last)
        for turn in turns:
            # a turn is known to a few units in the last place, where the function is flat
            inside = (low <= turn + 8 * EPS) & (high >= turn - 8 * EPS)
            there = float(function(np.array(turn)))
            least = np.where(inside, np.minimum(least, there), least)
            greatest = np.where(inside, np.maximum(greatest, there), greatest)
        error = self.rounding * np.maximum(1.0, np.maximum(np.abs(low), np.abs(high)))
        return least - error, greatest + error


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

# greatest |phi''|: tanh 4/(3√3), sigmoid 1/(6√3), softplus 1/4 (the greatest slope of a sigmoid),
# elu 1, silu 1/2 (at 0), soft_sign 2 (at 0): the second derivatives' extrema, by hand.
# Tails: log(1 + e^u) is at most log 2 above max(u, 0); elu at most 1 below; silu at most 0.2785
_shapes = {
    "tanh": Shape(
        np.tanh,
        _tanh_slope,
        odd=True,
        low=-1.0,
        high=1.0,
        curvature=4 / (3 * np.sqrt(3)) * (1 + EPS),
        slope_turns=(0.0,),
    ),
    "sigmoid": Shape(
        special.expit,
        _sigmoid_slope,
        low=0.0,
        high=1.0,
        curvature=1 / (6 * np.sqrt(3)) * (1 + EPS),
        max_slope=0.25,
        slope_turns=(0.0,),
    ),
    "softplus": Shape(
        lambda u: np.logaddexp(0.0, u),
        special.expit,
        low=0.0,
        curvature=0.25,
        tails=(0.0, 1.0, 0.6931471805599454),
    ),
    "linear": Shape(lambda u: u, np.ones_like, odd=True, curvature=0.0, tails=(1.0, 1.0, 0.0)),
    "relu": Shape(
        _clip(0, np.inf),
        _inside(0, np.inf),
        low=0.0,
        curvature=0.0,
        kinks=(0.0,),
        tails=(0.0, 1.0, 0.0),
    ),
    "relu6": Shape(
        _clip(0, 6),
        _inside(0, 6),
        low=0.0,
        high=6.0,
        curvature=0.0,
        kinks=(0.0, 6.0),
        slope_turns=(3.0,),
    ),
    "hard_tanh": Shape(
        _clip(-1, 1),
        _inside(-1, 1),
        odd=True,
        low=-1.0,
        high=1.0,
        curvature=0.0,
        kinks=(-1.0, 1.0),
        slope_turns=(0.0,),
    ),
    "leaky_relu": Shape(
        lambda u: np.where(u >= 0, u, 0.01 * u),
        lambda u: np.where(u >= 0, 1.0, 0.01),
        curvature=0.0,
        kinks=(0.0,),
        tails=(0.01, 1.0, 0.0),
    ),
    "elu": Shape(_elu, _elu_slope, low=-1.0, curvature=1.0, tails=(0.0, 1.0, 1.0)),
    "celu": Shape(_elu, _elu_slope, low=-1.0, curvature=1.0, tails=(0.0, 1.0, 1.0)),
    "silu": Shape(
        lambda u: u * special.expit(u),
        _silu_slope,
        low=-0.2785,
        curvature=0.5,
        max_slope=1.1,
        turns=(_SILU_TURN,),
        slope_turns=(-_SILU_SLOPE_TURN, _SILU_SLOPE_TURN),
        tails=(0.0, 1.0, 0.2785),
    ),
    "soft_sign": Shape(
        lambda u: u / (1 + np.abs(u)),
        lambda u: (1 + np.abs(u)) ** -2.0,
        odd=True,
        low=-1.0,
        high=1.0,
        curvature=2.0,
        slope_turns=(0.0,),
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
