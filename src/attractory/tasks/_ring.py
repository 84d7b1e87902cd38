"""Delayed response to a remembered direction."""

from __future__ import annotations

from math import erf, sqrt
from typing import ClassVar

import jax
import jax.numpy as jnp
import numpy as np
from pydantic import Field

from attractory.tasks._epochs import Duration, EpochTask, PositiveMilliseconds
from attractory.tasks._task import Trial, Trials


class DelayedResponse(EpochTask):
    """A direction is shown, held over a random delay, and pointed at (a ring memory).

    The stimulus is a direction, uniform on the circle, as its cosine and sine with white noise.
    When fixation is taken away, the outputs should point in that direction. A trial is answered
    correctly when the mean output of the response points within `allowed_error` of it, and the
    fixation output is nearer to 0.

    Inputs: fixation, cos, sin. Outputs: fixation, cos, sin. Times in ms. Conditions: direction
    (degrees).

    Parameters
    ----------
    dt : float
        Length of one step (ms).
    fixation, stimulus, delay, response : Duration, or float (stimulus)
        Durations of the epochs (ms).
    sigma : float
        Noise on the stimulus, per √ms.
    allowed_error : float
        In degrees.
    weight_before : float
        Weight in the loss of the times before the response.

    Notes
    -----
    The ideal observer points in the mean direction of the stimulus. Its score follows from the
    error's normal approximation, sigma / √stimulus radians.

    References
    ----------
    Funahashi, Bruce & Goldman-Rakic (1989), J. Neurophysiol. 61:331 (oculomotor delayed response);
    Compte et al. (2000), Cereb. Cortex 10:910; 36° as in Yang et al. (2019).
    """

    name: ClassVar[str] = "delayed_response"
    input_names: ClassVar[tuple[str, ...]] = ("fixation", "cos", "sin")
    output_names: ClassVar[tuple[str, ...]] = ("fixation", "cos", "sin")
    parts: ClassVar[tuple[str, ...]] = ("fixation", "stimulus", "delay", "response")
    held: ClassVar[tuple[str, ...]] = ("delay",)

    dt: float = Field(default=20.0, gt=0)
    fixation: Duration = 500.0
    stimulus: PositiveMilliseconds = 500.0
    delay: Duration = (500.0, 1500.0)
    response: Duration = 500.0
    sigma: float = Field(default=1.0, ge=0, allow_inf_nan=False)
    allowed_error: float = Field(default=36.0, gt=0, lt=180)
    weight_before: float = Field(default=0.2, gt=0, le=1)

    def trial(self, key: jax.Array) -> Trial:
        time_key, direction_key, noise_key = jax.random.split(key, 3)
        timeline = self.timeline(time_key)
        angle = 2 * jnp.pi * jax.random.uniform(direction_key)
        pointing = jnp.stack([jnp.cos(angle), jnp.sin(angle)])
        stimulus = pointing + self.white_noise(noise_key, 2, self.sigma)
        fixating = timeline.anywhere_in("fixation", "stimulus", "delay")[:, None]
        responding = timeline.during["response"][:, None]
        shown = timeline.during["stimulus"][:, None] * stimulus
        weight = responding + self.weight_before * fixating
        return Trial(
            inputs=jnp.concatenate([fixating, shown], axis=1),
            targets=jnp.concatenate([fixating, responding * pointing], axis=1),
            mask=jnp.repeat(weight, 3, axis=1),
            epochs=timeline.limits,
            conditions={"direction": jnp.degrees(angle)},
        )

    def correct(self, outputs: np.ndarray, trials: Trials) -> np.ndarray:
        during = trials.during("response")[..., None]
        fixation, cos, sin = ((outputs * during).sum(1) / during.sum(1)).T
        error = np.degrees(np.arctan2(sin, cos)) - trials.conditions["direction"]
        away = np.abs((error + 180) % 360 - 180)
        return ((away < self.allowed_error) & (fixation < 0.5)).astype(float)

    def ideal_observer(self, inputs: np.ndarray) -> np.ndarray:
        fixating = inputs[..., :1] > 0.5
        summed = np.cumsum(inputs[..., 1:], axis=1)
        length = np.maximum(np.linalg.norm(summed, axis=-1, keepdims=True), 1e-12)
        return np.concatenate([fixating, ~fixating * summed / length], axis=-1)

    def ideal(self) -> float:
        if self.sigma == 0:
            return 1.0
        spread = self.sigma / sqrt(self.stimulus)
        return erf(np.radians(self.allowed_error) / spread / sqrt(2))

    def chance(self) -> float:
        return self.allowed_error / 180

    def conditions(self) -> dict[str, list[float]]:
        return {"sigma": [0.0, 1.0, 2.0, 4.0, 8.0]}
