"""Flip-flops with pulses at random steps, answered at once."""

from __future__ import annotations

from typing import Any, ClassVar, Self

import jax
import jax.numpy as jnp
import numpy as np
from pydantic import Field

from attractory.tasks._guess import best_guess
from attractory.tasks._recipe import NetworkFacts, Section
from attractory.tasks._task import MOST_STEPS, Task, Trial


class PoissonFlipFlop(Task):
    """One-bit memories, set and reset by pulses of one step that come at random.

    At every step each channel gets a pulse with probability `rate`, of either sign; the output of
    the channel is the sign of its last pulse, from the pulse's own step on, and 0 before the first.
    `golub()` is the version of the fixed-point-finder package.

    Inputs, outputs: one for each bit. Times in steps.

    Parameters
    ----------
    bits : int
        Number of channels.
    rate : float
        Probability of a pulse at a step, both signs together.
    steps : int
        Length of a trial.
    first_pulse : bool
        Whether every channel has a pulse (of either sign) at the first step.
    noise : float
        Standard deviation of the Gaussian noise on the inputs, at every step.

    Notes
    -----
    The ideal observer holds the sign of the last input that was nearer to ±1 than to 0. Its score
    is 1 without noise. Chance is next to 0 but where pulses are rare: signs cannot be guessed for
    long.

    References
    ----------
    Sussillo & Barak (2013), Neural Computation 25:626, section 4.1 (Poisson pulses); Golub &
    Sussillo (2018), J. Open Source Softw. 3:1003 (the settings of golub()).
    """

    name: ClassVar[str] = "poisson_flipflop"

    bits: int = Field(default=3, ge=1, le=10)
    rate: float = Field(default=0.02, gt=0, le=1)
    steps: int = Field(default=500, ge=1, le=MOST_STEPS)
    first_pulse: bool = False
    noise: float = Field(default=0.0, ge=0, allow_inf_nan=False)

    @classmethod
    def golub(cls, **changes: Any) -> Self:
        """64 steps, a pulse at a step with probability 1/2, one in all channels at the first.

        Parameters
        ----------
        **changes : settings
            Single settings that are to be others.

        Returns
        -------
        PoissonFlipFlop
            The task.
        """
        return cls(**{"steps": 64, "rate": 0.5, "first_pulse": True, **changes})

    def trial(self, key: jax.Array) -> Trial:
        pulse_key, sign_key, noise_key = jax.random.split(key, 3)
        shape = (self.steps, self.bits)
        signs = jnp.where(jax.random.bernoulli(sign_key, shape=shape), 1.0, -1.0)
        pulses = signs * jax.random.bernoulli(pulse_key, self.rate, shape)
        if self.first_pulse:
            pulses = pulses.at[0].set(signs[0])
        time = jnp.arange(self.steps)[:, None]
        last = jax.lax.cummax(jnp.where(pulses != 0, time, -1), axis=0)
        held = jnp.take_along_axis(pulses, jnp.maximum(last, 0), axis=0)
        inputs = pulses + self.noise * jax.random.normal(noise_key, shape)
        return Trial(inputs, jnp.where(last >= 0, held, 0.0))

    def ideal_observer(self, inputs: np.ndarray) -> np.ndarray:
        time = np.arange(inputs.shape[1])[:, None]
        last = np.maximum.accumulate(np.where(np.abs(inputs) > 0.5, time, -1), axis=1)
        held = np.sign(np.take_along_axis(inputs, last.clip(0), axis=1))
        return np.where(last >= 0, held, 0.0)

    def ideal(self) -> float:
        return 1.0

    def chance(self) -> float:
        return best_guess(self.replace(bits=1), self.bits)

    def conditions(self) -> dict[str, list[float]]:
        return {"noise": [0.0, 0.05, 0.1, 0.15, 0.2]}

    def network_settings(self) -> Section:
        # without a leak: an answer is asked for at once
        return {"units": 96, "tau": self.dt, "dt": self.dt}

    def rule_settings(self, network: NetworkFacts) -> Section:
        return {"learning_rate": 1e-2, "steps": 1000, "batch": 32}
