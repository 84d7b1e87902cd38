"""Set and reset, an oscillation that is switched on, a pulse made at the right time."""

from __future__ import annotations

from typing import ClassVar

import jax
import jax.numpy as jnp
import numpy as np
from pydantic import Field

from attractory.tasks._epochs import (
    Duration,
    EpochTask,
    Milliseconds,
    PositiveMilliseconds,
)
from attractory.tasks._task import Trial, Trials


class SetReset(EpochTask):
    """A one-bit flip-flop with separate lines for set and reset.

    Pulses come at regular times, each on one of the two lines (chance 1/2); `delay` after its end
    the output goes to 1 (set) or 0 (reset) and holds that. It is 0 before the first.

    Inputs: set, reset (in the author's generator reset is the first). Output: one. Times in ms.

    Parameters
    ----------
    before : float
        Silence before the first pulse (ms).
    pulse : float
        Length of a pulse (ms).
    gap : float
        Silence after it (ms).
    pulses : int
        Number of pulses.
    delay : float
        From the end of a pulse to the change of the output (ms).
    sigma : float
        Noise on the inputs, per √ms.

    Notes
    -----
    The ideal observer reads each pulse by the line with the larger mean over its time. Its score is
    1: with the usual noise the two means are 32 standard deviations apart. Chance is that of
    guessing all lines: correct where wrong guesses hold few enough of the points.

    References
    ----------
    Jarne & Laje (2023), Biol. Cybern. 117:141, and the author's RNN_study_with_keras.
    """

    name: ClassVar[str] = "set_reset"
    input_names: ClassVar[tuple[str, ...]] = ("set", "reset")

    before: Milliseconds = 50.0
    pulse: PositiveMilliseconds = 20.0
    gap: Milliseconds = 100.0
    pulses: int = Field(default=8, ge=1, le=200)
    delay: Milliseconds = 20.0
    sigma: float = Field(default=0.1, ge=0, allow_inf_nan=False)

    def durations(self) -> dict[str, Duration]:
        epochs: dict[str, Duration] = {"before": self.before}
        for i in range(1, self.pulses + 1):
            epochs |= {f"pulse {i}": self.pulse, f"gap {i}": self.gap}
        return epochs

    def trial(self, key: jax.Array) -> Trial:
        time_key, line_key, noise_key = jax.random.split(key, 3)
        timeline = self.timeline(time_key)
        lines = jax.random.randint(line_key, (self.pulses,), 0, 2)  # 0: set, 1: reset
        shown = jnp.stack([timeline.during[f"pulse {i + 1}"] for i in range(self.pulses)], axis=1)
        inputs = shown @ (lines[:, None] == jnp.arange(2))
        inputs = inputs + self.white_noise(noise_key, 2, self.sigma)
        answered = self._answered()
        target = jnp.where(answered >= 0, lines[jnp.maximum(answered, 0)] == 0, False)
        return Trial(inputs, target[:, None].astype(float), epochs=timeline.limits)

    def ideal_observer(self, inputs: np.ndarray) -> np.ndarray:
        width, every = self.steps_of(self.pulse), self.steps_of(self.pulse + self.gap)
        starts = self.steps_of(self.before) + every * np.arange(self.pulses)
        means = inputs[:, starts[:, None] + np.arange(width)].mean(2)
        was_set = means[..., 0] > means[..., 1]
        answered = np.asarray(self._answered())
        held = (answered >= 0) & was_set[:, answered.clip(0)]
        return held[..., None].astype(float)

    def ideal(self) -> float:
        return 1.0

    def chance(self) -> float:
        answered = self._answered()
        held = np.bincount(answered[answered >= 0], minlength=self.pulses)
        ways = np.zeros(self.n_steps + 1)  # how many sets of pulses hold so many points together
        ways[0] = 1
        for steps in held:
            ways[steps:] += ways[: len(ways) - steps].copy()
        wrong = np.arange(self.n_steps + 1)
        correct = (self.n_steps - wrong) / self.n_steps >= self.share_needed
        return float(ways[correct].sum() * 0.5**self.pulses)

    def conditions(self) -> dict[str, list[float]]:
        return {"sigma": [0.0, 0.1, 0.2, 0.4, 0.8]}

    def _answered(self) -> np.ndarray:
        """(time,): index of the pulse that the output follows; -1 before the first answer."""
        first = self.steps_of(self.before) + self.steps_of(self.pulse) + self.steps_of(self.delay)
        every = self.steps_of(self.pulse + self.gap)
        passed = np.floor((np.arange(self.n_steps) - first) / every).astype(int)
        return passed.clip(-1, self.pulses - 1)


class _Triggered(EpochTask):
    """What the two tasks share: a pulse, in half of the trials, asks for a course in time.

    Half of the course would be near to both answers for most of the time. So a trial is answered
    correctly when the output is near the target at 90 % of all points and also at 90 % of those
    where the course is so large that no value is near to it and to 0.
    """

    input_names: ClassVar[tuple[str, ...]] = ("trigger",)
    tolerance: ClassVar[float] = 0.3

    before: Milliseconds
    pulse: PositiveMilliseconds = 20.0
    sigma: float = Field(default=0.1, ge=0, allow_inf_nan=False)

    def course(self) -> np.ndarray:
        """What is asked for in a triggered trial, (time,)."""
        raise NotImplementedError

    def trial(self, key: jax.Array) -> Trial:
        time_key, trigger_key, noise_key = jax.random.split(key, 3)
        timeline = self.timeline(time_key)
        triggered = jax.random.bernoulli(trigger_key).astype(float)
        pulse = triggered * timeline.during["pulse"][:, None]
        return Trial(
            inputs=pulse + self.white_noise(noise_key, 1, self.sigma),
            targets=triggered * jnp.asarray(self.course())[:, None],
            epochs=timeline.limits,
            conditions={"triggered": triggered},
        )

    def correct(self, outputs: np.ndarray, trials: Trials) -> np.ndarray:
        near = (np.abs(outputs - trials.targets) < self.tolerance)[..., 0]
        telling = np.abs(self.course()) >= 2 * self.tolerance
        everywhere = near.mean(1) >= self.share_needed
        told = near[:, telling].sum(1) >= self.share_needed * telling.sum()
        return (everywhere & told).astype(float)

    def ideal_observer(self, inputs: np.ndarray) -> np.ndarray:
        """Reads the trigger by its mean, then keeps time by itself."""
        start, width = self.steps_of(self.before), self.steps_of(self.pulse)
        triggered = inputs[:, start : start + width, 0].mean(1) > 0.5
        return triggered[:, None, None] * self.course()[:, None]

    def ideal(self) -> float:
        """1: with the usual noise the mean of the pulse is 22 standard deviations from half."""
        return 1.0

    def chance(self) -> float:
        return 0.5

    def conditions(self) -> dict[str, list[float]]:
        return {"sigma": [0.0, 0.1, 0.2, 0.4, 0.8]}


class TriggeredOscillation(_Triggered):
    """A pulse switches an oscillation on; without it the output stays at 0.

    `delay` after the end of the pulse the output is sin(2π t / period), to the end of the trial.
    (In the author's generator its amplitude is about 2.5, and it stops 20 ms before the end.) A
    trial is answered correctly when the output is within 0.3 of the target at 90 % of all points,
    and of those where the oscillation is beyond ±0.6.

    Input: trigger. Output: one. Times in ms. Conditions: triggered (0 or 1).

    Parameters
    ----------
    before, pulse, delay, oscillation : float
        Durations of the epochs (ms).
    period : float
        Of the oscillation (28 ms: 12 cycles in 340 ms).
    sigma : float
        Noise on the input, per √ms.

    Notes
    -----
    The ideal observer reads the trigger by its mean, then keeps time by itself. Its score is 1:
    with the usual noise the mean of the pulse is 22 standard deviations from half.

    References
    ----------
    Jarne & Laje (2023), Biol. Cybern. 117:141, and the author's RNN_study_with_keras.
    """

    name: ClassVar[str] = "triggered_oscillation"
    parts: ClassVar[tuple[str, ...]] = ("before", "pulse", "delay", "oscillation")

    before: Milliseconds = 100.0
    delay: Milliseconds = 20.0
    oscillation: PositiveMilliseconds = 200.0
    period: PositiveMilliseconds = 28.0

    def course(self) -> np.ndarray:
        """The oscillation, 0 before it begins.

        Returns
        -------
        array (time,)
            What is asked for in a triggered trial.
        """
        start = self.before + self.pulse + self.delay
        time = self.dt * np.arange(self.n_steps) - start
        return np.where(time >= 0, np.sin(2 * np.pi * time / self.period), 0.0)


class TimePulse(_Triggered):
    """A pulse asks for another one, of Gaussian shape, a fixed time later.

    The output peaks at 1, `latency` after the end of the trigger; without a trigger it stays at 0.
    (In the author's generator trigger and answer are both smoothed, with peaks of about 0.7, and
    the targets are noisy.) A trial is answered correctly when the output is within 0.3 of the
    target at 90 % of all points, and of those where the pulse is above 0.6.

    Input: trigger. Output: one. Times in ms. Conditions: triggered (0 or 1).

    Parameters
    ----------
    before, pulse, after : float
        Durations of the epochs (ms); `after` holds the answer.
    latency : float
        From the end of the trigger to the peak of the output (ms).
    width : float
        Standard deviation of the output's shape (ms).
    sigma : float
        Noise on the input, per √ms.

    Notes
    -----
    The ideal observer reads the trigger by its mean, then keeps time by itself. Its score is 1:
    with the usual noise the mean of the pulse is 22 standard deviations from half.

    References
    ----------
    Jarne & Laje (2023), Biol. Cybern. 117:141, and the author's RNN_study_with_keras.
    """

    name: ClassVar[str] = "time_pulse"
    parts: ClassVar[tuple[str, ...]] = ("before", "pulse", "after")

    before: Milliseconds = 30.0
    after: PositiveMilliseconds = 70.0
    latency: PositiveMilliseconds = 30.0
    width: PositiveMilliseconds = 8.0

    def course(self) -> np.ndarray:
        """The pulse; 0 as long as the trigger may still be on.

        Returns
        -------
        array (time,)
            What is asked for in a triggered trial.
        """
        time = self.dt * np.arange(self.n_steps) - self.before - self.pulse
        bump = np.exp(-0.5 * np.square((time - self.latency) / self.width))
        return np.where(time >= 0, bump, 0.0)
