"""Series of numbers that reservoirs are compared on: NARMA of order 10, and Mackey-Glass."""

from __future__ import annotations

from functools import partial
from typing import Any, ClassVar, Self

import jax
import jax.numpy as jnp
import numpy as np
from pydantic import Field, model_validator

from attractory.tasks._noise import standard_normal
from attractory.tasks._recipe import NetworkFacts, Section
from attractory.tasks._task import Task, Trial, Trials

ORDER = 10  # of NARMA: its constants are those of this order
FINE = 10  # steps of the integration of Mackey-Glass in a step of the series
TRANSIENT = 1000  # steps of the series before a trial: by then the random history is forgotten
# steps that the past is seen before the delay, so that what lies between two steps can be told
EARLIER = 6
LARGEST = 1 - 1e-6  # of an input whose inverse hyperbolic tangent is taken
TOGETHER = 16  # trials that the observer goes on with at a time: their past stays in the cache

# of Mackey-Glass: a past of one delay as a ring, the place of its oldest value, the newest one
State = tuple[jax.Array, jax.Array, jax.Array]


class TimeSeries(Task):
    """A number is heard at each step, and another one is asked for.

    A trial is answered correctly when the normalised error of the outputs is within `tolerance`.
    Times are in steps. Input: one. Output: one.

    Parameters
    ----------
    steps : int
        Length of a trial.
    washout : int
        Steps at the start of a trial that are not counted: a network is still on its way there from
        the state in which it began.
    noise : float
        Standard deviation of the Gaussian noise on the input, at every step.
    """

    reservoir: ClassVar[dict[str, float]] = {}  # of the recipe: leak and gain of the inputs

    steps: int = Field(default=600, ge=1)
    washout: int = Field(default=100, ge=0)
    noise: float = Field(default=0.0, ge=0, allow_inf_nan=False)

    @model_validator(mode="after")
    def _long_enough(self) -> Self:
        if self.steps <= self.first_counted:
            raise ValueError(
                f"steps = {self.steps} is too short: the first {self.first_counted} are not counted"
            )
        return self

    @property
    def first_counted(self) -> int:
        """The step from which on answers are counted."""
        return self.washout

    def told(self, key: jax.Array, inputs: jax.Array, targets: jax.Array) -> Trial:
        """The trial of these inputs and answers, with the noise on the inputs.

        Parameters
        ----------
        key : JAX random key
            That of the trial, from which the series is drawn.
        inputs, targets : array (time, 1)
            The series, and what is asked for.

        Returns
        -------
        Trial
            What is heard, what is asked for, and what of it counts.
        """
        noise = self.noise * standard_normal(jax.random.fold_in(key, 1), inputs.shape)
        counted = jnp.arange(self.steps) >= self.first_counted
        return Trial(inputs + noise, targets, counted[:, None].astype(jnp.float32))

    def normalised_error(self, outputs: np.ndarray, trials: Trials) -> np.ndarray:
        """Root mean squared error over the standard deviation of the targets (NRMSE).

        Parameters
        ----------
        outputs : array (trial, time, 1)
            The outputs of a network.
        trials : Trials
            The trials that they answer.

        Returns
        -------
        array (trial,)
            0 without an error, 1 for the mean of the targets all the time; over what the mask
            counts.
        """
        weight = trials.mask / trials.mask.sum((1, 2), keepdims=True)
        mean = (weight * trials.targets).sum((1, 2), keepdims=True)
        squares = (weight * np.square(outputs - trials.targets)).sum((1, 2))
        variance = (weight * np.square(trials.targets - mean)).sum((1, 2))
        return np.sqrt(squares / np.maximum(variance, np.finfo(np.float32).tiny))

    def correct(self, outputs: np.ndarray, trials: Trials) -> np.ndarray:
        return (self.normalised_error(outputs, trials) <= self.tolerance).astype(float)

    def ideal(self) -> float:
        return 1.0 if self.noise == 0 else super().ideal()  # with noise nobody has worked it out

    def chance(self) -> float:
        return 0.0

    def conditions(self) -> dict[str, list[Any]]:
        return {"noise": [0.0, 0.001, 0.003, 0.01, 0.03, 0.1]}

    def network_settings(self) -> Section:
        units = 500
        # a uniform distribution within ±√(6 / (units + 1)), made one within ±gain
        into = self.reservoir["input_gain"] * ((units + 1) / 6) ** 0.5
        return {
            "units": units,
            "tau": self.dt / self.reservoir["leak"],
            "recurrent_init": "normal",
            "recurrent_gain": 0.9,
            "input_gain": into,
        }

    def rule_settings(self, network: NetworkFacts) -> Section:
        # 40 trials: as many as the comparison in docs/reservoir.md has
        return {"name": "Reservoir", "steps": 5, "batch": 8}


class NARMA(TimeSeries):
    """NARMA of order 10: what follows from the last ten inputs, and from the last ten answers.

    y(t+1) = 0.3 y(t) + 0.05 y(t) Σ_{i<10} y(t-i) + 1.5 u(t-9) u(t) + 0.1, where the inputs u are
    drawn uniformly from 0 to 0.5; asked for is y(t+1). It is held at 1 at most: beyond, a rare
    series runs away. A trial is answered correctly when the root mean squared error is at most 0.35
    of the targets' standard deviation. Input: u. Output: one. Times are in steps.

    Parameters
    ----------
    steps : int
        Length of a trial.
    washout : int
        Steps at the start of a trial that are not counted: a network is still on its way there from
        the state in which it began.
    noise : float
        Standard deviation of the Gaussian noise on the input, at every step.

    References
    ----------
    Atiya & Parlos (2000), IEEE Trans. Neural Netw. 11:697; Jaeger (2003), NIPS 15.
    """

    name: ClassVar[str] = "narma"
    input_names: ClassVar[tuple[str, ...]] = ("u",)
    tolerance: ClassVar[float] = 0.35  # the best linear readout of the last 40 inputs has 0.38
    reservoir: ClassVar[dict[str, float]] = {"leak": 1.0, "input_gain": 0.2}

    def trial(self, key: jax.Array) -> Trial:
        inputs = jax.random.uniform(key, (self.steps, 1), maxval=0.5)
        return self.told(key, inputs, _moving_average(inputs))

    def ideal_observer(self, inputs: np.ndarray) -> np.ndarray:
        return np.asarray(_moving_average(jnp.asarray(inputs.swapaxes(0, 1)))).swapaxes(0, 1)


class MackeyGlass(TimeSeries):
    """The chaotic series of Mackey & Glass, to be told ahead of its time.

    dx/dt = 0.2 x(t - delay) / (1 + x(t - delay)^10) - 0.1 x(t), in steps of 0.1 by Heun's method,
    every tenth of which is a step of the series; heard and asked for is tanh(x - 1). A trial begins
    1000 steps after a random history near 1.2. The first steps, as many as the delay and 6, are not
    counted either: only then the past is known from which the series follows. A trial is answered
    correctly when the root mean squared error is at most 0.1 of the targets' standard
    deviation. Input: series. Output: one. Times are in steps.

    Parameters
    ----------
    steps : int
        Length of a trial.
    washout : int
        Steps at the start of a trial that are not counted: a network is still on its way there from
        the state in which it began.
    noise : float
        Standard deviation of the Gaussian noise on the input, at every step.
    delay : int
        That of the equation. With 17, as usual, the series is chaotic.
    ahead : int
        How far ahead it is to be told.

    References
    ----------
    Mackey & Glass (1977), Science 197:287; Jaeger (2001), GMD Report 148.
    """

    name: ClassVar[str] = "mackey_glass"
    input_names: ClassVar[tuple[str, ...]] = ("series",)
    tolerance: ClassVar[float] = 0.1
    reservoir: ClassVar[dict[str, float]] = {"leak": 0.5, "input_gain": 0.5}

    delay: int = Field(default=17, ge=1, le=1000)
    ahead: int = Field(default=84, ge=1)

    @property
    def first_counted(self) -> int:
        return max(self.washout, self.delay + EARLIER)

    def trial(self, key: jax.Array) -> Trial:
        history = 1.2 + 0.2 * (jax.random.uniform(key, (FINE * self.delay + 1,)) - 0.5)
        whole = FINE * (TRANSIENT + self.steps + self.ahead)
        series = _continued(history, whole)[1][FINE * TRANSIENT :: FINE]
        series = jnp.tanh(series - 1)[:, None]
        return self.told(key, series[: self.steps], series[self.ahead :])

    def ideal_observer(self, inputs: np.ndarray) -> np.ndarray:
        series = 1 + np.arctanh(np.clip(inputs[..., 0], -LARGEST, LARGEST))
        seen = self.delay + EARLIER + 1
        # before enough is seen, the series may as well have stood still
        padded = np.pad(series, [(0, 0), (seen - 1, 0)], mode="edge")
        pasts = np.lib.stride_tricks.sliding_window_view(padded, seen, axis=1)
        told = _told(pasts, _between_steps(self.delay, seen), FINE * self.ahead)
        return np.tanh(np.asarray(told) - 1)[..., None]


@jax.jit
def _moving_average(inputs: jax.Array) -> jax.Array:
    """NARMA's answer to inputs (time, …), of the same shape."""
    nothing = jnp.zeros((ORDER - 1, *inputs.shape[1:]))
    nine_before = jnp.concatenate([nothing, inputs])[: len(inputs)]

    def after(last: jax.Array, both: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
        now, before = both
        y = 0.3 * last[-1] + 0.05 * last[-1] * last.sum(0) + 1.5 * before * now + 0.1
        y = jnp.minimum(y, 1.0)
        return jnp.concatenate([last[1:], y[None]]), y

    first = jnp.zeros((ORDER, *inputs.shape[1:]))
    return jax.lax.scan(after, first, (inputs, nine_before))[1]


def _continued(history: jax.Array, count: int) -> tuple[jax.Array, jax.Array]:
    """How Mackey-Glass goes on after a history (fine step, …) of one delay, oldest first.

    Returns its last value (…,), and all (count, …).
    """

    def slope(x: jax.Array, delayed: jax.Array) -> jax.Array:
        return 0.2 * delayed / (1 + delayed**10) - 0.1 * x

    def after(state: State, _: Any) -> tuple[State, jax.Array]:
        past, place, x = state
        first = slope(x, past[place])
        following = (place + 1) % len(history)
        second = slope(x + 0.1 * first, past[following])
        x = x + 0.05 * (first + second)
        return (past.at[place].set(x), following, x), x

    begun = (history, jnp.asarray(0), history[-1])
    last, series = jax.lax.scan(after, begun, None, length=count)
    return last[2], series


@partial(jax.jit, static_argnames="count")
def _told(pasts: jax.Array, between: jax.Array, count: int) -> jax.Array:
    """What comes `count` fine steps after each past (trial, time, step): (trial, time)."""
    return jax.lax.map(
        lambda own: _continued(between @ own.T, count)[0], pasts, batch_size=TOGETHER
    )


def _between_steps(delay: int, seen: int) -> np.ndarray:
    """What makes a past at every fine step, (fine step, step), of one at the last `seen` steps."""
    from scipy.interpolate import make_interp_spline

    fine = seen - 1 - delay + np.arange(FINE * delay + 1) / FINE
    spline = make_interp_spline(np.arange(seen), np.eye(seen), k=5)
    return np.asarray(spline(fine), np.float32)
