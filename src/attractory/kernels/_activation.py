"""An activation: one record of the function and of every fact that something here needs of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from attractory.kernels._compile import compiled

ActivationFunction = Callable[[jax.Array], jax.Array]
Elementwise = Callable[[np.ndarray], np.ndarray]
EPS = float(np.finfo(np.float64).eps)


@dataclass(frozen=True, eq=False)
class Activation:
    """An activation phi, which acts on each element of an array by itself.

    Attributes
    ----------
    name : str
        What it is called in settings, files and commands.
    function : callable
        The function phi in JAX operations, for any dtype.
    float64_value, float64_slope : callable or None
        phi and phi' of a NumPy array in float64; None: made from `function` by JAX (see `value`,
        `slope`).
    odd : bool
        Whether phi(-u) = -phi(u), exactly, also in floating point.
    low, high : float
        Bounds between which phi stays (infinite where it has no such bound).
    curvature : float or None
        A Lipschitz constant of phi' on any interval without a kink; None where it is not known
        (then nothing is proved).
    kinks : tuple of float
        Where phi' jumps.
    max_slope : float
        The largest |phi'|.
    turns, slope_turns : tuple of float
        Where phi, and where phi', stop rising or falling: between two of them they are monotone.
    tails : (a, b, d)
        Numbers with |phi(u) - (a min(u, 0) + b max(u, 0))| <= d for all u.
    rounding : float
        A bound: |computed - exact| <= rounding · max(1, |u|), for value and slope.
    source : str
        Why these bounds hold, in words.
    stated : bool
        Whether the bounds are a user's own, which proofs take as they are.
    keras, torch, onnx : str or None
        Its name in these frameworks; None where they have no such function.
    native : int or None
        Its number in the native kernels; None where they do not have it.
    slope_from_value : callable or None
        The slope phi' as a function of phi, where it follows from it.
    """

    name: str
    function: ActivationFunction
    float64_value: Elementwise | None = None
    float64_slope: Elementwise | None = None
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
    source: str = ""
    stated: bool = field(default=False, repr=False)
    keras: str | None = None
    torch: str | None = None
    onnx: str | None = None
    native: int | None = None
    slope_from_value: ActivationFunction | None = None

    def __call__(self, u: jax.Array) -> jax.Array:
        """phi(u)."""
        return self.function(u)

    @cached_property
    def value(self) -> Elementwise:
        """phi of a NumPy array, in float64."""
        return self.float64_value or _by_jax(self.function)

    @cached_property
    def slope(self) -> Elementwise:
        """phi' of a NumPy array, in float64."""
        return self.float64_slope or _by_jax(self._slope)

    def _slope(self, u: jax.Array) -> jax.Array:
        return jax.jvp(self.function, (u,), (jnp.ones_like(u),))[1]

    @property
    def bounded(self) -> bool:
        """Whether phi stays between two numbers."""
        return bool(np.isfinite(self.low) and np.isfinite(self.high))

    @property
    def nonnegative(self) -> bool:
        """Whether phi is nowhere below 0."""
        return self.low >= 0

    @property
    def piecewise_linear(self) -> bool:
        """Whether phi is linear between its kinks."""
        return self.curvature == 0.0

    def range(self, low: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The least and the greatest value of phi on intervals, rounding included.

        Parameters
        ----------
        low, high : array
            The ends of the intervals.

        Returns
        -------
        pair of arrays
            The least and the greatest value on each.
        """
        return self._hull(self.value, self.turns, low, high)

    def slope_range(self, low: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The least and the greatest value of phi' on intervals, rounding included.

        At a kink it takes in the slopes on both sides.

        Parameters
        ----------
        low, high : array
            The ends of the intervals.

        Returns
        -------
        pair of arrays
            The least and the greatest value on each.
        """
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


def _by_jax(function: Callable[[Any], Any]) -> Elementwise:
    """The function in float64, compiled for numbers of values that are powers of two."""
    run = compiled(function)

    def elementwise(u: np.ndarray) -> np.ndarray:
        flat = np.ravel(u)
        size = max(1024, 1 << max(0, flat.size - 1).bit_length())
        with jax.enable_x64(True):
            made = np.asarray(run(jnp.asarray(np.pad(flat, (0, size - flat.size)))))
        return made[: flat.size].reshape(np.shape(u))

    return elementwise
