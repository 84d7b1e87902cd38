"""A sequence in windows of time, through whose ends no gradient passes: truncated BPTT."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp


def in_windows(
    run: Callable[[jax.Array, Any], Any], window: int | None, given: Any, state: jax.Array
) -> Any:
    """What `run` makes of a whole sequence, its gradient cut at the end of each window.

    run(state, given) makes the states after each step of `given`, alone or first in a tuple; all
    arrays have a leading axis of time. The first window begins in `state`, each other one in the
    last state of the one before, taken as given. window: steps of each, the last may have fewer;
    None: all steps are one.
    """
    steps = len(jax.tree.leaves(given)[0])
    if window is None or window >= steps:
        return run(state, given)
    whole = steps // window * window

    def of_window(state: jax.Array, now: Any) -> tuple[jax.Array, Any]:
        made = run(state, now)
        return jax.lax.stop_gradient(jax.tree.leaves(made)[0][-1]), made

    # a loop: the program is as long for many windows as for two
    state, made = jax.lax.scan(
        of_window, state, jax.tree.map(lambda x: _cut(x[:whole], window), given)
    )
    made = jax.tree.map(lambda x: x.reshape(whole, *x.shape[2:]), made)
    if whole == steps:
        return made
    rest = run(state, jax.tree.map(lambda x: x[whole:], given))
    return jax.tree.map(lambda *parts: jnp.concatenate(parts), made, rest)


def window_argument(window: int | None) -> dict[str, Any]:
    """The argument `window` of a model's functions: none without one, a user's may not have it."""
    return {} if window is None else {"window": window}


def _cut(array: jax.Array, window: int) -> jax.Array:
    """(time, …) as (window, time, …)."""
    return array.reshape(-1, window, *array.shape[1:])
