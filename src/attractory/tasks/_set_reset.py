"""A one-bit memory with a line to set it and another to reset it."""

from __future__ import annotations

from typing import Any, ClassVar, Self

import jax
import jax.numpy as jnp
import numpy as np
from pydantic import Field, model_validator

from attractory._errors import shown
from attractory.tasks._epochs import Duration, EpochTask, Milliseconds, PositiveMilliseconds
from attractory.tasks._task import Trial

_SET_FIRST, _RESET_FIRST = ("set", "reset"), ("reset", "set")


class SetReset(EpochTask):
    """A one-bit flip-flop with separate lines for set and reset.

    Pulses come at regular times, each on one of the two lines (chance 1/2); `delay` after its end
    the output goes to 1 (set) or 0 (reset) and holds that. It is at the baseline before the first.

    Inputs: set, reset, or as `channels` says. Output: one. Times in ms. `paper` has the author's
    version.

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
    channels : tuple of str
        The order of the inputs: ("set", "reset") or ("reset", "set").
    baseline : float
        What is asked for before the first answer.

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
    newer_fields: ClassVar[tuple[str, ...]] = ("channels", "baseline")
    held: ClassVar[tuple[str, ...]] = ("gap",)

    before: Milliseconds = 50.0
    pulse: PositiveMilliseconds = 20.0
    gap: Milliseconds = 100.0
    pulses: int = Field(default=8, ge=1, le=200)
    delay: Milliseconds = 20.0
    sigma: float = Field(default=0.1, ge=0, allow_inf_nan=False)
    channels: tuple[str, ...] = _SET_FIRST
    baseline: float = Field(default=0.0, allow_inf_nan=False)

    @classmethod
    def paper(cls, **changes: Any) -> Self:
        """The author's version: reset is the first input, and the baseline is 0.01.

        All else is as in the package: pulses of 20 steps at steps 50, 170, ..., 890, answers 40
        steps after their beginning, noise of 0.1, 1010 steps.

        Parameters
        ----------
        **changes : settings
            Single settings that are to be others.

        Returns
        -------
        SetReset
            The task.
        """
        return cls(**{"channels": _RESET_FIRST, "baseline": 0.01, **changes})

    @model_validator(mode="after")
    def _both_lines(self) -> Self:
        if self.channels not in (_SET_FIRST, _RESET_FIRST):
            raise ValueError(
                f"channels = {shown(self.channels)} is not allowed: {_SET_FIRST} or {_RESET_FIRST}"
            )
        return self

    @property
    def input_names(self) -> tuple[str, ...]:  # type: ignore[override]
        """Names of the input channels, in the order of `channels`."""
        return self.channels

    def durations(self) -> dict[str, Duration]:
        epochs: dict[str, Duration] = {"before": self.before}
        for i in range(1, self.pulses + 1):
            epochs |= {f"pulse {i}": self.pulse, f"gap {i}": self.gap}
        return epochs

    def trial(self, key: jax.Array) -> Trial:
        time_key, line_key, noise_key = jax.random.split(key, 3)
        timeline = self.timeline(time_key)
        lines = jax.random.randint(line_key, (self.pulses,), 0, 2)  # 0: set, 1: reset
        channel_lines = jnp.array([_SET_FIRST.index(name) for name in self.channels])
        shown = jnp.stack([timeline.during[f"pulse {i + 1}"] for i in range(self.pulses)], axis=1)
        inputs = shown @ (lines[:, None] == channel_lines)
        inputs = inputs + self.white_noise(noise_key, 2, self.sigma)
        answered = self._answered()
        held = (lines[jnp.maximum(answered, 0)] == 0).astype(float)
        target = jnp.where(answered >= 0, held, self.baseline)
        return Trial(inputs, target[:, None], epochs=timeline.limits)

    def ideal_observer(self, inputs: np.ndarray) -> np.ndarray:
        width, every = self.steps_of(self.pulse), self.steps_of(self.pulse + self.gap)
        starts = self.steps_of(self.before) + every * np.arange(self.pulses)
        means = inputs[:, starts[:, None] + np.arange(width)].mean(2)
        line = self.channels.index
        was_set = means[..., line("set")] > means[..., line("reset")]
        answered = self._answered()
        return np.where(answered >= 0, was_set[:, answered.clip(0)], self.baseline)[..., None]

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
