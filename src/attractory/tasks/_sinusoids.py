"""A signal that repeats, to be made without being told anything."""

from __future__ import annotations

from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np
from pydantic import Field

from attractory.tasks._epochs import Duration, EpochTask, PositiveMilliseconds
from attractory.tasks._recipe import NetworkFacts, Section, usual_rule
from attractory.tasks._task import Trial, Trials

# of the first harmonics of half the frequency of the signal, in the code that Sussillo & Abbott
# published with their paper (force_external_feedback_loop.m); their sum is scaled by 1.3 / 1.5
PUBLISHED = (1.3 / 1.5, 1.3 / 3.0, 1.3 / 9.0, 1.3 / 4.5)


class SumOfSinusoids(EpochTask):
    """The output repeats a sum of sinusoids; nothing in the input tells it to.

    The target is Σ_k amplitudes[k] · sin(2π (k + 1) t / period), from t = dt on, for a whole number
    of periods: trials put one behind the other are one signal without a break. The input is noise
    alone, or nothing. A trial is answered correctly when the root mean squared error is at most 0.1
    of the target's root mean square.

    Input: noise. Output: one. Times in ms.

    Parameters
    ----------
    period : float
        After which the signal repeats (ms).
    periods : int
        Number of periods in a trial.
    amplitudes : tuple of float
        Of the sinusoids, the one of the longest period first. The usual four are those of Sussillo
        & Abbott's figure 2.
    sigma : float
        Noise on the input, per √ms.

    Notes
    -----
    An answer that ignores the input can be right, so that chance is 1. Networks whose state begins
    at 0 and that hear no noise may stay there: see `FORCE` for one that does not.

    References
    ----------
    Sussillo & Abbott (2009), Neuron 63:544, figure 2, and the code published with it.
    """

    name: ClassVar[str] = "sum_of_sinusoids"
    input_names: ClassVar[tuple[str, ...]] = ("noise",)
    tolerance: ClassVar[float] = 0.1  # of the target's root mean square

    period: PositiveMilliseconds = 1200.0
    periods: int = Field(default=1, ge=1)
    amplitudes: tuple[float, ...] = Field(default=PUBLISHED, min_length=1)
    sigma: float = Field(default=0.01, ge=0, allow_inf_nan=False)

    def durations(self) -> dict[str, Duration]:
        return {"signal": self.period * self.periods}

    def signal(self) -> np.ndarray:
        """What is asked for in every trial.

        Returns
        -------
        array (time,)
            The sum of sinusoids.
        """
        phase = 2 * np.pi * self.dt * np.arange(1, self.n_steps + 1) / self.period
        orders = np.arange(1, len(self.amplitudes) + 1)
        return np.sin(np.outer(phase, orders)) @ np.asarray(self.amplitudes)

    def trial(self, key: jax.Array) -> Trial:
        return Trial(
            inputs=self.white_noise(key, 1, self.sigma),
            targets=jnp.asarray(self.signal(), jnp.float32)[:, None],
            epochs=self.timeline(key).limits,
        )

    def correct(self, outputs: np.ndarray, trials: Trials) -> np.ndarray:
        squared = np.square(outputs - trials.targets).mean((1, 2))
        allowed = self.tolerance**2 * np.square(trials.targets).mean((1, 2))
        return (squared <= allowed).astype(float)

    def ideal_observer(self, inputs: np.ndarray) -> np.ndarray:
        return np.broadcast_to(self.signal()[:, None], (*inputs.shape[:2], 1))

    def ideal(self) -> float:
        return 1.0

    def chance(self) -> float:
        return 1.0

    def conditions(self) -> dict[str, list[Any]]:
        return {"sigma": [0.0, 0.01, 0.02, 0.05, 0.1]}

    def network_settings(self) -> Section:
        # in chaos, as in the paper, but fewer
        return {
            "units": 300,
            "tau": 10 * self.dt,
            "recurrent_init": "normal",
            "recurrent_gain": 1.5,
            "bias": False,
            "output_bias": False,
        }

    def rule_settings(self, network: NetworkFacts) -> Section:
        if not network.feedback:
            return usual_rule(network)
        return {"name": "FORCE", "carry": True, "steps": 100}
