"""A user's activation: made known by a decorator, its facts tried before a proof builds on them."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any, overload

import jax
import jax.numpy as jnp
import numpy as np

from attractory._errors import InvalidSetting, shown
from attractory.kernels._activation import EPS, Activation, ActivationFunction
from attractory.kernels._activations import ACTIVATIONS, registry

FACTS = (
    *("odd", "low", "high", "curvature", "kinks", "max_slope", "turns", "slope_turns", "tails"),
    *("rounding", "source", "keras", "torch", "onnx", "slope_from_value"),
)
ROUNDING = 64 * EPS  # of a function of several operations, unless more is said
_SLACK = 1e-6  # by which a bound may be missed in float64 before it is called wrong
# where facts are tried: densely where functions bend, and far out
_WHERE = np.unique(
    np.concatenate([np.linspace(-12, 12, 24_001), np.geomspace(12, 1e4, 500) * [[1], [-1]]], None)
)


@overload
def activation(function: ActivationFunction, /) -> ActivationFunction: ...
@overload
def activation(**facts: Any) -> Callable[[ActivationFunction], ActivationFunction]: ...
def activation(function: Any = None, /, **facts: Any) -> Any:
    """Make a function known as an activation, under its own name; a decorator.

    Without facts networks with it are trained, simulated and searched for fixed points, but nothing
    about them is proved.

    Parameters
    ----------
    function : callable
        It acts on each element of a JAX array by itself.
    **facts : fields of `Activation`
        With `curvature`, the bound of how fast the slope changes, fixed points are proved, and
        `max_slope`, `low`, `high`, `kinks`, `turns`, `slope_turns`, `tails` (of a function without
        bounds) and a `source` belong to it. Proofs take them as they are; what a fine grid of
        values contradicts is refused.

    Returns
    -------
    callable
        The function.

    Raises
    ------
    InvalidSetting
        For an unknown fact, one that is wrong, one that is missing beside `curvature`, the name of
        another activation, or a function that does not act on each element by itself.

    Examples
    --------
    ::

        @at.models.activation(odd=True, low=-1, high=1, max_slope=1, curvature=0.6,
                              slope_turns=(0,), source="by hand: the slope is 1/cosh(u)")
        def gudermann(u):
            return 2 / jnp.pi * jnp.arctan(jnp.sinh(jnp.pi / 2 * u))
    """
    if function is None:
        return lambda decorated: _registered(decorated, facts)
    return _registered(function, facts)


def _registered(function: Any, facts: dict[str, Any]) -> Any:
    for name in facts:
        if name not in FACTS:
            raise InvalidSetting(
                f"activation: unknown fact {shown(name)}; allowed: {', '.join(FACTS)}"
            )
    check_elementwise(function)
    name = function.__name__
    record = Activation(name, function, stated=True, **{"rounding": ROUNDING, **facts})
    if record.curvature is not None:
        _check_facts(record, facts)
    registry.register(record)
    return function


def check_elementwise(function: Any) -> None:
    """InvalidSetting for a function that does not act on each element of an array by itself."""
    probe = jax.ShapeDtypeStruct((2, 3), jnp.float32)
    refused = f"activation = {shown(function)} is not allowed: "
    try:
        made = jax.eval_shape(function, probe)
    except Exception as error:
        first = str(error).splitlines()[0]
        raise InvalidSetting(f"{refused}it must work on JAX arrays ({first})") from None
    if getattr(made, "shape", None) != probe.shape:
        raise InvalidSetting(f"{refused}it must return an array of the same shape")
    # a unit's rate may depend on its own input alone (the recurrence's gradient builds on it)
    alone, beside = jnp.array([[0.3, -0.7]]), jnp.array([[0.3, 1.9]])
    if not np.allclose(function(alone)[0, 0], function(beside)[0, 0], rtol=1e-6, atol=0):
        raise InvalidSetting(f"{refused}it must act on each element by itself")


def _check_facts(record: Activation, facts: dict[str, Any]) -> None:
    """InvalidSetting for facts that a fine grid of values contradicts, or that are missing."""
    for needed in ("max_slope", "source"):
        if not facts.get(needed):
            raise InvalidSetting(
                f"activation {shown(record.name)}: curvature needs {needed} beside it: "
                + ("why the bounds hold" if needed == "source" else "the largest |slope|")
            )
    if not record.bounded and not np.isfinite(record.tails[2]):
        raise InvalidSetting(
            f"activation {shown(record.name)}: without low and high, curvature needs tails beside "
            "it: (a, b, d) with |phi(u) - (a min(u, 0) + b max(u, 0))| <= d"
        )
    values, slopes = record.value(_WHERE), record.slope(_WHERE)
    if not (np.isfinite(values).all() and np.isfinite(slopes).all()):
        raise InvalidSetting(
            f"activation {shown(record.name)}: its value or slope is not finite in float64 at "
            f"u = {_WHERE[~(np.isfinite(values) & np.isfinite(slopes))][0]:g}"
        )
    for fact, wrong in _contradictions(record, values, slopes).items():
        if wrong.any():
            where = _WHERE[: len(wrong)][wrong][0]
            said = getattr(record, fact)
            raise InvalidSetting(
                f"activation {shown(record.name)}: {fact} = {shown(said)} is wrong at u = {where:g}"
            )


def _contradictions(
    record: Activation, values: np.ndarray, slopes: np.ndarray
) -> dict[str, np.ndarray]:
    """For each fact where the grid contradicts it, (u,) or one fewer."""
    slack = _SLACK * np.maximum(1.0, np.abs(_WHERE))
    kinks = np.array(record.kinks)
    away = np.ones(len(_WHERE) - 1, bool)  # intervals of the grid without a kink in or beside them
    for kink in kinks:
        away &= (_WHERE[1:] < kink - 1e-9) | (_WHERE[:-1] > kink + 1e-9)
    width = np.diff(_WHERE)
    curvature = 0.0 if record.curvature is None else record.curvature
    below, above, off = record.tails
    line = below * np.minimum(_WHERE, 0) + above * np.maximum(_WHERE, 0)
    found = {
        "low": values < record.low - slack,
        "high": values > record.high + slack,
        "max_slope": np.abs(slopes) > record.max_slope * (1 + _SLACK),
        "curvature": away & (np.abs(np.diff(slopes)) > curvature * width * (1 + 1e-3) + _SLACK),
        "turns": _turns_unsaid(values, record.turns),
        "slope_turns": _turns_unsaid(slopes, (*record.slope_turns, *record.kinks)),
        "tails": np.abs(values - line) > off + slack,
    }
    if record.odd:
        found["odd"] = record.value(-_WHERE) != -values
    return found


def _turns_unsaid(values: np.ndarray, turns: tuple[float, ...]) -> np.ndarray:
    """Where values of the grid stop rising or falling though no turn is near, (u - 1,)."""
    change = np.diff(values)
    change[np.abs(change) <= 1e-12 * np.maximum(1.0, np.abs(values[1:]))] = 0.0
    moving = np.flatnonzero(change)
    turned = np.zeros(len(change), bool)
    for before, after in pairwise(moving):
        if change[before] * change[after] < 0:
            said = any(_WHERE[before] - 1e-9 <= turn <= _WHERE[after + 1] + 1e-9 for turn in turns)
            turned[after] = not said
    return turned


def of_settings(activation: Any) -> Any:
    """What a setting holds for an activation: its name where it is registered, else itself."""
    function = activation.function if isinstance(activation, Activation) else activation
    for name, known in ACTIVATIONS.items():
        if known.function is function:
            return name
    return activation
