"""Parametric working memory: comparing two frequencies over a delay."""

from __future__ import annotations

from math import erf, sqrt
from typing import Any, ClassVar, Self

import jax
import jax.numpy as jnp
import numpy as np
from pydantic import Field, model_validator

from attractory.tasks._choice import NOTHING, ChoiceTask
from attractory.tasks._epochs import Duration, Milliseconds, PositiveMilliseconds
from attractory.tasks._evidence import EvidenceStream
from attractory.tasks._recipe import NetworkFacts, Section, usual_rule
from attractory.tasks._task import Trial

Pair = tuple[float, float]


class ParametricWorkingMemory(ChoiceTask):
    """Which of two vibrations was faster: f1, a delay, f2, then a choice.

    The stimuli come as (1 + f') / 2 with f' = 0 for the lowest of all frequencies and 1 for the
    highest, with white noise. When fixation is taken away, the option of the higher frequency is to
    be chosen. `romo()` is the richer version: a long random delay, a second input that is tuned the
    other way, (1 - f') / 2, and catch trials without stimuli in which fixation must be kept.

    Inputs: fixation, stimulus (and the oppositely tuned one). Outputs: fixation, "f1 higher", "f2
    higher". Times in ms. Conditions: f1, f2, difference (f1 - f2, Hz; all NaN in catch trials),
    answer.

    Parameters
    ----------
    dt : float
        Length of one step (ms).
    fixation, first, delay, second, decision : float, or Duration (delay, decision)
        Durations of the epochs (ms).
    pairs : tuple of pairs of float
        Frequencies (higher, lower) in Hz, shown in either order.
    opposite : bool
        Whether there is an oppositely tuned input.
    catch : float
        Share of catch trials.
    sigma : float
        Noise on each stimulus, per √ms.

    Notes
    -----
    The ideal observer compares the means of the first stimulus and of the last `second` ms of
    fixation. It takes a trial for a catch trial when the first of them is nearer to nothing than to
    the weakest stimulus. It makes no use of knowing which pairs there are. Chance is one
    option, the best answer that ignores the inputs (or, with many catches, none).

    References
    ----------
    Romo, Brody, Hernández & Lemus (1999), Nature 399:470; Barak, Tsodyks & Romo (2010), J.
    Neurosci. 30:9424; neurogym's DelayComparison; romo() after Song, Yang & Wang (2016), PLoS
    Comput. Biol. 12:e1004792 (delay, tuning and catch trials of pycog's romo.py, whose inputs are
    0.2 + 0.8 f' and 0.2 + 0.8 (1 - f'), whose fixation lasts 100 ms and decision 300 ms, and which
    has no fixation input).
    """

    name: ClassVar[str] = "parametric_memory"
    input_names: ClassVar[tuple[str, ...]] = ("fixation", "stimulus", "opposite stimulus")
    options: ClassVar[tuple[str, ...]] = ("f1 higher", "f2 higher")
    evidence: ClassVar[str | None] = "difference"
    evidence_streams: ClassVar[tuple[EvidenceStream, ...]] = (
        EvidenceStream("f1", "first", "stimulus"),
        EvidenceStream("f2", "second", "stimulus"),
    )
    task_variables: ClassVar[tuple[str, ...]] = ("f1", "f2")
    parts: ClassVar[tuple[str, ...]] = ("fixation", "first", "delay", "second", "decision")
    held: ClassVar[tuple[str, ...]] = ("delay",)

    dt: float = Field(default=20.0, gt=0)
    fixation: Milliseconds = 500.0
    first: PositiveMilliseconds = 500.0
    delay: Duration = 1000.0
    second: PositiveMilliseconds = 500.0
    decision: Duration = 100.0
    pairs: tuple[Pair, ...] = Field(
        default=((18, 10), (22, 14), (26, 18), (30, 22), (34, 26)), min_length=1
    )
    opposite: bool = False
    catch: float = Field(default=0.0, ge=0, lt=1)
    sigma: float = Field(default=1.0, ge=0, allow_inf_nan=False)

    @classmethod
    def romo(cls, **changes: Any) -> Self:
        """Delay uniform from 2.5 to 3.5 s, two opposite-tuned inputs, 1 catch trial in 11.

        Parameters
        ----------
        **changes : settings
            Single settings that are to be others.

        Returns
        -------
        ParametricWorkingMemory
            The task.
        """
        richer = {"delay": (2500.0, 3500.0), "opposite": True, "catch": 1 / 11}
        return cls(**{**richer, **changes})

    @model_validator(mode="after")
    def _pairs_differ(self) -> Self:
        for high, low in self.pairs:
            if high <= low:
                raise ValueError(f"pairs: ({high}, {low}) is not allowed: (higher, lower)")
        return self

    def trial(self, key: jax.Array) -> Trial:
        time_key, pair_key, order_key, catch_key, noise_key = jax.random.split(key, 5)
        timeline = self.timeline(time_key)
        pair = jnp.asarray(self.pairs)[jax.random.randint(pair_key, (), 0, len(self.pairs))]
        turned = jax.random.randint(order_key, (), 0, 2)
        first, second = pair[turned], pair[1 - turned]
        is_catch = jax.random.uniform(catch_key) < self.catch
        shown = timeline.during["first"][:, None] * self._tuned(first)
        shown = shown + timeline.during["second"][:, None] * self._tuned(second)
        noise = self.white_noise(noise_key, shown.shape[1], self.sigma)
        shown = shown + timeline.anywhere_in("first", "second")[:, None] * noise
        fixating = timeline.anywhere_in("fixation", "first", "delay", "second")[:, None]
        inputs = jnp.concatenate([fixating, jnp.where(is_catch, 0.0, shown)], axis=1)
        answer = jnp.where(is_catch, NOTHING, (first < second).astype(float))
        frequencies = {"f1": first, "f2": second, "difference": first - second}
        conditions = {
            name: jnp.where(is_catch, jnp.nan, value) for name, value in frequencies.items()
        }
        return self.answered(inputs, timeline, (answer,), conditions)

    def ideal_observer(self, inputs: np.ndarray) -> np.ndarray:
        begin = self.steps_of(self.fixation)
        end, width = begin + self.steps_of(self.first), self.steps_of(self.second)
        one = inputs[..., 1] - inputs[..., 2] if self.opposite else inputs[..., 1]
        fixating = inputs[..., 0] > 0.5
        released = np.where(fixating.all(1), inputs.shape[1], fixating.argmin(1))
        window = released[:, None] - width + np.arange(width)
        rows = np.arange(len(inputs))[:, None]
        higher = one[:, begin:end].mean(1) < one[rows, window.clip(0)].mean(1)
        shown = inputs[:, begin:end, 1:].sum(2).mean(1) > (0.5 if self.opposite else 0.25)
        taken = np.where(shown | (self.catch == 0), higher, -1)
        return self.decided(fixating, np.repeat(taken[:, None], inputs.shape[1], axis=1))

    def ideal(self) -> float:
        if self.sigma == 0:
            return 1.0
        channels = 2 if self.opposite else 1
        lowest, highest = np.min(self.pairs), np.max(self.pairs)
        correct = []
        for high, low in self.pairs:
            difference = channels * (high - low) / (2 * (highest - lowest))
            spread = self.sigma * sqrt(channels * (1 / self.first + 1 / self.second))
            correct.append(0.5 * (1 + erf(difference / spread / sqrt(2))))
        return float((1 - self.catch) * np.mean(correct) + self.catch)

    def chance(self) -> float:
        return max((1 - self.catch) / 2, self.catch)

    def conditions(self) -> dict[str, list[float]]:
        return {"sigma": [0.0, 0.5, 1.0, 2.0, 3.0]}

    def rule_settings(self, network: NetworkFacts) -> Section:
        # an amount that is held for seconds comes later than what to do with it
        return usual_rule(network, steps=4000)

    def _tuned(self, frequency: jax.Array) -> jax.Array:
        """(1,) or (2,): what the stimulus inputs carry for a frequency."""
        lowest, highest = min(map(min, self.pairs)), max(map(max, self.pairs))
        scaled = (frequency - lowest) / (highest - lowest)
        signs = jnp.array([1.0, -1.0]) if self.opposite else jnp.ones(1)
        return (1 + signs * scaled) / 2
