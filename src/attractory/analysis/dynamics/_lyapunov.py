"""Lyapunov exponents of any step: directions carried along a trajectory, orthonormal by QR."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from scipy import stats

from attractory._arguments import as_array, optional, positive, takes, whole
from attractory._cores import one_blas_thread
from attractory._errors import InvalidSetting
from attractory.analysis._given import constant_input, network_or_step
from attractory.analysis.dynamics._lyapunov_exponents import LyapunovExponents
from attractory.analysis.dynamics._model_step import checked_weights
from attractory.analysis.dynamics._starts import checked_states
from attractory.analysis.dynamics._step import step_of
from attractory.kernels import compiled
from attractory.models import Model, Network, check_meeting
from attractory.runs import kept
from attractory.tasks import Trials, as_trials

SPREAD = 0.1  # of random starts: off a point of rest at 0, and small where a state is of order 1
CONFIDENCE = 0.95


@kept
@one_blas_thread
@takes(
    network=network_or_step,
    n=whole(1),
    inputs=optional(constant_input),
    trials=optional(as_trials),
    steps=whole(1),
    washout=whole(),
    starts=whole(1),
    seed=whole(),
    every=whole(1),
    units=optional(whole(1)),
    initial_states=optional(as_array),
    dt=optional(positive),
)
def lyapunov_exponents(
    network: Network | Callable[[Any, Any], Any],
    n: int = 10,
    inputs: Any = None,
    *,
    trials: Trials | None = None,
    steps: int = 2000,
    washout: int = 500,
    starts: int = 8,
    seed: int = 0,
    every: int = 1,
    units: int | None = None,
    initial_states: Any = None,
    dt: float | None = None,
) -> LyapunovExponents:
    """How fast nearby states go apart or come together, in float64.

    Parameters
    ----------
    network : Network or callable
        A network of any model, or a step(h, x) -> h written in JAX operations, h (unit,).
    n : int
        How many exponents, the largest; all of them where a state has fewer entries.
    inputs : array (input,), optional
        The constant input; 0 when None (a step then gets x = 0).
    trials : Trials, optional
        Instead of a constant input: each trial is a start, and drives the network as long as it
        lasts. The exponents are then those of the driven network, given its inputs.
    steps : int
        Steps that count, after the washout. Trials have their own length.
    washout : int
        Steps that do not count, at the beginning of every start.
    starts : int
        How many trajectories, from random states (normal, standard deviation 0.1, around the
        model's first state).
    seed : int
        Of the starts and of the first directions.
    every : int
        The directions are made orthonormal every so many steps: less often is faster, and right
        while the fastest and the slowest of them do not differ by 1e16 in between.
    units : int, optional
        The size of h for a step(h, x).
    initial_states : array (start, unit), optional
        Where to start instead.
    dt : float, optional
        Length of a step of step(h, x), 1 when None; a network has its own.

    Returns
    -------
    LyapunovExponents
        The exponents per step and per unit of dt, with intervals.

    Raises
    ------
    InvalidSetting
        For inputs, states or numbers that are not allowed, and where states grow without bound.

    Notes
    -----
    The algorithm is that of [1]_ with the QR decomposition [2]_; for recurrent networks see [3]_.
    Noise of the model is left out. The interval is over starts; the error that is left of the
    washout, which falls as 1/steps, is not in it.

    References
    ----------
    .. [1] Benettin, Galgani, Giorgilli & Strelcyn (1980), Meccanica 15:9.
    .. [2] Eckmann & Ruelle (1985), Rev. Mod. Phys. 57:617.
    .. [3] Engelken, Wolf & Abbott (2023), Phys. Rev. Research 5:043044.
    """
    step = step_of(network, _constant(inputs, trials), _size(network, units, initial_states))
    if isinstance(network, Network):
        equation = _of_network(network, trials, dt)
    else:
        equation = _Equation(_program(lambda _, h, x: network(h, x)), {}, np.zeros(step.units))
    rng = np.random.default_rng(seed)
    states = checked_states(initial_states, network, step.units)
    if states is None:
        count = starts if trials is None else len(trials)
        spread = SPREAD if trials is None else 0.0
        states = equation.first + spread * rng.normal(size=(count, step.units))
    if trials is None:
        drive = _undriven(step.inputs, len(states), steps, washout, every)
    else:
        drive = _driven(trials, len(states), washout, every)
    directions = rng.normal(size=(*states.shape, min(n, step.units)))
    growth = _growth(equation, states, directions, drive)
    counted = drive.counted.sum(axis=0) * every
    length = step.dt if dt is None else dt
    return _result(growth / counted[:, None], counted, washout, length, step.units)


class _Equation(NamedTuple):
    """The program of a step, its weights, and the state (unit,) around which starts lie."""

    program: Any
    weights: dict[str, np.ndarray]
    first: np.ndarray


class _Drive(NamedTuple):
    """What each start is given, in blocks of steps after which directions are orthonormal again.

    inputs: (block, step, start, input), without the last axis for a step without an input.
    counted: (block, start), whether the growth in it counts.
    """

    inputs: np.ndarray
    counted: np.ndarray


def _constant(inputs: Any, trials: Trials | None) -> Any:
    """The constant input; with trials any of theirs, which tells the number of inputs."""
    if trials is None:
        return inputs
    if inputs is not None:
        raise InvalidSetting("inputs and trials are given; allowed: one of them")
    return trials.inputs[0, 0]


def _size(network: Any, units: int | None, initial_states: Any) -> int | None:
    if units is None and initial_states is not None and not isinstance(network, Network):
        return int(np.shape(initial_states)[-1]) if np.ndim(initial_states) else None
    return units


def _of_network(network: Network, trials: Trials | None, dt: float | None) -> _Equation:
    if dt is not None:
        raise InvalidSetting(
            f"dt = {dt:g} is not allowed: the network has steps of its own, of "
            f"{network.model.step_length:g}; dt is for a function step(h, x)"
        )
    if trials is not None:
        check_meeting(network.model, trials)
    weights = checked_weights(network)
    first = np.asarray(network.model.first_state(weights, 1, np.float32), np.float64)[0]
    return _Equation(_program_of(network.model), weights, first)


def _undriven(inputs: Any, starts: int, steps: int, washout: int, every: int) -> _Drive:
    before, after = -(-washout // every), -(-steps // every)
    constant = np.zeros(()) if inputs is None else inputs
    shape = (before + after, every, starts, *constant.shape)
    counted = np.arange(before + after) >= before
    return _Drive(np.broadcast_to(constant, shape), np.tile(counted[:, None], (1, starts)))


def _driven(trials: Trials, starts: int, washout: int, every: int) -> _Drive:
    """Blocks that lie in a trial and after the washout count."""
    if starts != len(trials):
        raise InvalidSetting(
            f"initial_states has {starts} states; there are {len(trials)} trials, and each needs "
            "one"
        )
    by_time = np.asarray(trials.inputs, np.float64).transpose(1, 0, 2)
    blocks = len(by_time) // every
    begin = every * np.arange(blocks)[:, None]
    counted = (begin >= washout) & (begin + every <= trials.lengths)
    for trial, left in enumerate(counted.sum(axis=0)):
        if not left:
            raise InvalidSetting(
                f"washout = {washout} is not allowed: trial {trial} is over after "
                f"{trials.lengths[trial]} steps, and none is left to count (every = {every})"
            )
    inputs = by_time[: blocks * every]
    return _Drive(inputs.reshape(blocks, every, *inputs.shape[1:]), counted)


def _growth(
    equation: _Equation, states: np.ndarray, directions: np.ndarray, drive: _Drive
) -> np.ndarray:
    """The sums of the logarithms by which directions grew, (start, exponent)."""
    with jax.enable_x64(True):
        given = (equation.weights, states, directions, drive.inputs, drive.counted)
        arrays = jax.tree.map(jnp.asarray, given)
        last, growth = (np.asarray(each) for each in equation.program(*arrays))
    lost = ~np.isfinite(last).all(axis=1)
    if lost.any():
        raise InvalidSetting(
            f"network: the states of {int(lost.sum())} of {len(states)} starts grow without bound; "
            "there are no Lyapunov exponents (other initial_states may stay)"
        )
    return growth


@lru_cache(maxsize=16)
def _program_of(model: Model) -> Any:
    """Compiled once for a model, whatever its weights."""
    return _program(model.step)


def _program(step: Callable[[Any, Any, Any], Any]) -> Any:
    """Of (weights, states, directions, inputs, counted): last states, sums of logarithms."""

    def forward(weights: Any, state: Any, frame: Any, x: Any) -> tuple[Any, Any]:
        following, push = jax.linearize(lambda h: step(weights, h, x), state)
        return following, jax.vmap(push, 1, 1)(frame)

    beside_each_other = jax.vmap(forward, (None, 0, 0, 0))

    def run(weights: Any, states: Any, frames: Any, inputs: Any, counted: Any) -> tuple[Any, Any]:
        def one_step(carry: Any, x: Any) -> tuple[Any, None]:
            states, frames = carry
            return beside_each_other(weights, states, frames, x), None

        def block(carry: Any, given: Any) -> tuple[Any, None]:
            states, frames, growth = carry
            x, counts = given
            (states, frames), _ = jax.lax.scan(one_step, (states, frames), x)
            frames, upper = jnp.linalg.qr(frames)
            grown = jnp.log(jnp.abs(jnp.diagonal(upper, axis1=1, axis2=2)))
            growth = growth + jnp.where(counts[:, None], grown, 0.0)
            return (states, frames, growth), None

        frames, _ = jnp.linalg.qr(frames)
        begin = (states, frames, jnp.zeros(frames.shape[::2]))
        (states, _, growth), _ = jax.lax.scan(block, begin, (inputs, counted))
        return states, growth

    return compiled(run)


def _result(
    by_start: np.ndarray, steps: np.ndarray, washout: int, dt: float, units: int
) -> LyapunovExponents:
    mean = by_start.mean(axis=0)
    order = np.argsort(-mean, kind="stable")
    by_start, mean = by_start[:, order], mean[order]
    count = len(by_start)
    half = np.full(len(mean), np.nan)
    if count > 1:
        quantile = stats.t.ppf((1 + CONFIDENCE) / 2, count - 1)
        with np.errstate(invalid="ignore"):  # of exponents of minus infinity there is none
            half = quantile * by_start.std(axis=0, ddof=1) / np.sqrt(count)
    return LyapunovExponents(
        exponents=mean,
        low=mean - half,
        high=mean + half,
        by_start=by_start,
        steps=steps,
        washout=washout,
        dt=float(dt),
        units=units,
    )
