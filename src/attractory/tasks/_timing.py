"""An oscillation that is switched on, and a pulse made at the right time."""

from __future__ import annotations

from typing import Any, ClassVar, Self

import jax
import jax.numpy as jnp
import numpy as np
from pydantic import Field, model_validator

from attractory.tasks._epochs import Duration, EpochTask, Milliseconds, PositiveMilliseconds
from attractory.tasks._task import Trial, Trials


class _Triggered(EpochTask):
    """What the two tasks share: a pulse, in half of the trials, asks for a course in time.

    Half of the course would be near to both answers for most of the time. So a trial is answered
    correctly when the output is near the target at 90 % of all points and also at 90 % of those
    where the course is so large that no value is near to it and to 0. How near is a share of the
    course's amplitude: the answer is as hard to give in any unit.
    """

    input_names: ClassVar[tuple[str, ...]] = ("trigger",)
    tolerance: ClassVar[float] = 0.3
    newer_fields: ClassVar[tuple[str, ...]] = ("smoothing", "amplitude", "baseline")

    before: Milliseconds
    pulse: PositiveMilliseconds = 20.0
    sigma: float = Field(default=0.1, ge=0, allow_inf_nan=False)
    smoothing: Milliseconds = 0.0
    amplitude: float = Field(default=1.0, gt=0, allow_inf_nan=False)
    baseline: float = Field(default=0.0, allow_inf_nan=False)

    def course(self) -> np.ndarray:
        """What is asked for in a triggered trial while it is answered, (time,); 0 elsewhere."""
        raise NotImplementedError

    def answering(self) -> np.ndarray:
        """When an answer is asked for, (time,) of bool; the baseline is at all other times."""
        raise NotImplementedError

    def trial(self, key: jax.Array) -> Trial:
        time_key, trigger_key, noise_key = jax.random.split(key, 3)
        timeline = self.timeline(time_key)
        triggered = jax.random.bernoulli(trigger_key).astype(float)
        course = jnp.where(self.answering(), triggered * self.course(), self.baseline)
        pulse = triggered * timeline.during["pulse"][:, None]
        if self.smoothing:  # a factor of 1 instead would change how the sum below is rounded
            pulse = pulse * self._trigger()[:, None]
        return Trial(
            inputs=pulse + self.white_noise(noise_key, 1, self.sigma),
            targets=course[:, None],
            epochs=timeline.limits,
            conditions={"triggered": triggered},
        )

    def correct(self, outputs: np.ndarray, trials: Trials) -> np.ndarray:
        allowed = self.tolerance * self.amplitude
        near = (np.abs(outputs - trials.targets) < allowed)[..., 0]
        telling = np.abs(self.course()) >= 2 * allowed
        everywhere = near.mean(1) >= self.share_needed
        told = near[:, telling].sum(1) >= self.share_needed * telling.sum()
        return (everywhere & told).astype(float)

    def ideal_observer(self, inputs: np.ndarray) -> np.ndarray:
        """Reads the trigger by its mean, then keeps time by itself."""
        trigger = self._trigger()
        shown = trigger > 0
        triggered = inputs[:, shown, 0].mean(1) > trigger[shown].mean() / 2
        answer = triggered[:, None] * self.course()
        return np.where(self.answering(), answer, self.baseline)[..., None]

    def ideal(self) -> float:
        """1: with the usual noise the mean of the pulse is 22 standard deviations from half."""
        return 1.0

    def chance(self) -> float:
        return 0.5

    def conditions(self) -> dict[str, list[float]]:
        return {"sigma": [0.0, 0.1, 0.2, 0.4, 0.8]}

    def _trigger(self) -> np.ndarray:
        """The pulse of a triggered trial without noise, (time,)."""
        start, width = self.steps_of(self.before), self.steps_of(self.pulse)
        points = self.steps_of(self.smoothing) + 1  # from zero to zero, both included
        # a window of two points is zero at both; it would smooth nothing anyway
        window = np.hanning(points) if points > 2 else np.ones(1)
        trigger = np.zeros(self.n_steps)
        trigger[start : start + width] = smoothed_box(width, window)
        return trigger


def smoothed_box(steps: int, window: np.ndarray) -> np.ndarray:
    """A box of height 1, smoothed by a window and cut to its own length.

    Parameters
    ----------
    steps : int
        Length of the box.
    window : array (point,)
        Weights of the points around each step, in proportion. Of an even number, the middle one is
        the first after the centre: the box is moved by half a step.

    Returns
    -------
    array (steps,)
        The smoothed box. What the window spreads beyond it is lost.
    """
    spread = np.convolve(np.ones(steps), window / window.sum())
    first = (len(window) - 1) // 2
    return spread[first : first + steps]


class TriggeredOscillation(_Triggered):
    """A pulse switches an oscillation on; without it the output stays at 0.

    `delay` after the end of the pulse the output is amplitude · sin(2π t / period), for the
    duration of `oscillation`. A trial is answered correctly when the output is within 0.3
    amplitudes of the target at 90 % of all points, and of those where the oscillation is beyond
    ±0.6 amplitudes. `paper` has the author's version.

    Input: trigger. Output: one. Times in ms. Conditions: triggered (0 or 1).

    Parameters
    ----------
    before, pulse, delay, oscillation, rest : float
        Durations of the epochs (ms). In `rest` the oscillation is over; there is no such epoch when
        it is 0.
    period : float
        Of the oscillation (28 ms: 12 cycles in 340 ms).
    fade : float
        The time (ms) in which the oscillation grows at the beginning and dies away at the end, less
        than the period. A sine that lasts so much less is averaged over so much of what has gone
        by, and scaled to its amplitude again. 0: a sine at once.
    sigma : float
        Noise on the input, per √ms.
    smoothing : float
        Width from zero to zero of the Hann window that smooths the trigger (ms); what it would
        spread beyond the pulse is cut. 0: a rectangular trigger.
    amplitude : float
        Of the oscillation.
    baseline : float
        What is asked for before and after the time of the oscillation, in every trial.

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
    newer_fields: ClassVar[tuple[str, ...]] = (*_Triggered.newer_fields, "rest", "fade")

    before: Milliseconds = 100.0
    delay: Milliseconds = 20.0
    oscillation: PositiveMilliseconds = 200.0
    rest: Milliseconds = 0.0
    period: PositiveMilliseconds = 28.0
    fade: Milliseconds = 0.0

    @classmethod
    def paper(cls, **changes: Any) -> Self:
        """The author's version (the generator in the folder of the paper).

        From the source: 420 steps; a trigger of 40 steps from step 100, which rises as 0.57, 0.71,
        0.82, ..., 1; noise of 0.1; an oscillation of period 35 and amplitude 1.74 from step 160,
        with peaks at steps 174, 209, 244, ...; nothing but a baseline of 0.002 in the last 40
        steps. There the oscillation is a box convolved with a sine, here a sine that fades in and
        out in 10 steps: the same values. How near an output must be was not published; it is as in
        the package, in amplitudes.

        Parameters
        ----------
        **changes : settings
            Single settings that are to be others.

        Returns
        -------
        TriggeredOscillation
            The task.
        """
        published: dict[str, Any] = {
            "pulse": 40.0,
            "smoothing": 14.0,  # 15 points
            "oscillation": 220.0,
            "rest": 40.0,
            "period": 35.0,
            # the box is 220 steps long, six periods and 10 steps: the periods add up to nothing
            "fade": 10.0,
            "amplitude": 1.7444,  # 0.2 times the sum of 10 steps of a sine, at its largest
            "baseline": 0.002,
        }
        return cls(**{**published, **changes})

    @model_validator(mode="after")
    def _fades_within_a_period(self) -> Self:
        if self.fade >= min(self.period, self.oscillation):
            raise ValueError(
                f"fade = {self.fade:g} ms is not allowed: less than period = {self.period:g} ms "
                f"and oscillation = {self.oscillation:g} ms"
            )
        return self

    def durations(self) -> dict[str, Duration]:
        return super().durations() | ({"rest": self.rest} if self.rest else {})

    def answering(self) -> np.ndarray:
        """When the oscillation is asked for.

        Returns
        -------
        array of bool (time,)
            True there; the baseline is asked for at all other times.
        """
        time = np.arange(self.n_steps) - self._onset()
        return (time >= 0) & (time < self.steps_of(self.oscillation))

    def course(self) -> np.ndarray:
        """The oscillation; 0 before it begins and when it is over.

        Returns
        -------
        array (time,)
            What is asked for in a triggered trial while it is answered.
        """
        fade = self.steps_of(self.fade)
        time = self.dt * np.arange(self.steps_of(self.oscillation) - fade)
        sine = np.sin(2 * np.pi * time / self.period)
        course = np.zeros(self.n_steps)
        course[self.answering()] = self.amplitude * (self._faded(sine, fade) if fade else sine)
        return course

    def _onset(self) -> int:
        return self.steps_of(self.before + self.pulse + self.delay)

    def _faded(self, sine: np.ndarray, fade: int) -> np.ndarray:
        """The sine averaged over so many steps before each; its amplitude is 1."""
        angle = np.pi * self.dt / self.period  # half of that between two steps
        largest = np.sin(fade * angle) / np.sin(angle)  # sum of so many steps of a sine
        return np.append(0.0, np.convolve(sine, np.ones(fade))) / largest


class TimePulse(_Triggered):
    """A pulse asks for another one, of Gaussian shape, a fixed time later.

    The output peaks at `amplitude`, `latency` after the end of the trigger; without a trigger it
    stays at 0. A trial is answered correctly when the output is within 0.3 amplitudes of the target
    at 90 % of all points, and of those where the pulse is above 0.6 amplitudes. `paper` has the
    author's version.

    Input: trigger. Output: one. Times in ms. Conditions: triggered (0 or 1).

    Parameters
    ----------
    before, pulse, after : float
        Durations of the epochs (ms); `after` holds the answer.
    latency : float
        From the end of the trigger to the peak of the output (ms).
    width : float
        Standard deviation of the output's shape (ms).
    length : float, optional
        Length of the answer (ms). It is then a box of this length, smoothed by the Gaussian (which
        is cut to this length too), cut to it again, and scaled to its amplitude. None: the Gaussian
        alone, from the end of the trigger on.
    sigma : float
        Noise on the input, per √ms.
    smoothing : float
        Width from zero to zero of the Hann window that smooths the trigger (ms); what it would
        spread beyond the pulse is cut. 0: a rectangular trigger.
    amplitude : float
        Height of the answer.
    baseline : float
        What is asked for before and after the time of the answer, in every trial.

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
    newer_fields: ClassVar[tuple[str, ...]] = (*_Triggered.newer_fields, "length")

    before: Milliseconds = 30.0
    after: PositiveMilliseconds = 70.0
    latency: PositiveMilliseconds = 30.0
    width: PositiveMilliseconds = 8.0
    length: PositiveMilliseconds | None = None

    @classmethod
    def paper(cls, **changes: Any) -> Self:
        """The author's version (the generator in the folder of the paper).

        From the source: 300 steps; a trigger of 20 steps from step 50, smoothed; noise of 0.03; an
        answer that is cut to 20 steps, with a peak of 0.98 at step 100; a baseline of 0.045 at all
        times when there can be no answer. Left out: there the targets have noise of 0.03 as well,
        which no network can learn. How near an output must be was not published; it is as in the
        package, in amplitudes.

        Parameters
        ----------
        **changes : settings
            Single settings that are to be others.

        Returns
        -------
        TimePulse
            The task.
        """
        published: dict[str, Any] = {
            "before": 50.0,
            "smoothing": 9.0,  # 10 points
            "after": 230.0,
            "width": 12.0,
            "length": 20.0,
            "amplitude": 0.9851,  # 0.055 times the sum of the Gaussian's 20 points
            "baseline": 0.045,
            "sigma": 0.03,
        }
        return cls(**{**published, **changes})

    @model_validator(mode="after")
    def _answers_after_the_trigger(self) -> Self:
        if self.length is not None and self.length > 2 * self.latency:
            raise ValueError(
                f"length = {self.length:g} ms is not allowed: at most {2 * self.latency:g} ms, "
                "twice the latency; the answer would begin before the trigger has ended"
            )
        return self

    def answering(self) -> np.ndarray:
        """When the pulse is asked for.

        Returns
        -------
        array of bool (time,)
            True there; the baseline is asked for at all other times.
        """
        steps = self._steps_from_the_trigger()
        if self.length is None:
            return steps >= 0
        start = self.steps_of(self.latency - self.length / 2)
        return (steps >= start) & (steps < start + self.steps_of(self.length))

    def course(self) -> np.ndarray:
        """The pulse; 0 as long as the trigger may still be on.

        Returns
        -------
        array (time,)
            What is asked for in a triggered trial while it is answered.
        """
        if self.length is None:
            time = self.dt * self._steps_from_the_trigger() - self.latency
            return np.where(self.answering(), self.amplitude * self._gaussian(time), 0.0)
        steps = self.steps_of(self.length)
        window = self._gaussian(self.dt * (np.arange(steps) - (steps - 1) / 2))
        course = np.zeros(self.n_steps)
        where = self.answering()
        course[where] = self.amplitude * smoothed_box(steps, window)[: where.sum()]
        return course

    def _steps_from_the_trigger(self) -> np.ndarray:
        """(time,): steps since the end of the trigger."""
        return np.arange(self.n_steps) - self.steps_of(self.before + self.pulse)

    def _gaussian(self, time: np.ndarray) -> np.ndarray:
        return np.exp(-0.5 * np.square(time / self.width))
