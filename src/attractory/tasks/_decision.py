"""Perceptual and context-dependent decision making."""

from __future__ import annotations

from math import erf, sqrt
from typing import ClassVar

import jax
import jax.numpy as jnp
import numpy as np
from pydantic import Field

from attractory.tasks._choice import ChoiceTask, picked
from attractory.tasks._constant import ConstantInput
from attractory.tasks._epochs import Duration, TruncatedExponential
from attractory.tasks._evidence import EvidenceStream
from attractory.tasks._task import Trial

Coherences = tuple[float, ...]
NO_EVIDENCE = 0.5  # a stimulus of coherence 0
FULL = (0.5, -0.5)  # what a coherence of 100 per cent adds to the two stimuli


class PerceptualDecision(ChoiceTask):
    """Which of two noisy stimuli is stronger (random-dot motion with two directions).

    Both stimuli are shown at once, at 0.5 ± coherence / 200, with white noise; when fixation is
    taken away the option of the stronger one is to be chosen. With coherence 0 nothing tells which:
    no answer is asked for.

    Inputs: fixation, two stimuli. Outputs: fixation, two options. Times in ms. Conditions:
    coherence (per cent, positive for the first option), answer.

    Parameters
    ----------
    dt : float
        Length of one step (ms).
    fixation, stimulus, decision : Duration
        Durations of the epochs (ms).
    coherences : tuple of float
        In per cent; each trial has one of them, in either direction.
    sigma : float
        Noise on each stimulus, per √ms (a step's standard deviation is sigma / √dt).

    Notes
    -----
    The ideal observer chooses by the sign of the summed difference of the stimuli.

    References
    ----------
    Britten, Shadlen, Newsome & Movshon (1992), J. Neurosci. 12:4745; durations, coherences and
    noise as in neurogym's PerceptualDecisionMaking (Molano-Mazón et al. 2022).
    """

    name: ClassVar[str] = "perceptual_decision"
    input_names: ClassVar[tuple[str, ...]] = ("fixation", "stimulus 1", "stimulus 2")
    options: ClassVar[tuple[str, ...]] = ("first", "second")
    evidence: ClassVar[str | None] = "coherence"
    evidence_streams: ClassVar[tuple[EvidenceStream, ...]] = (
        EvidenceStream("coherence", "stimulus", "stimulus 1", "stimulus 2"),
    )
    task_variables: ClassVar[tuple[str, ...]] = ("coherence",)
    parts: ClassVar[tuple[str, ...]] = ("fixation", "stimulus", "decision")

    dt: float = Field(default=20.0, gt=0)
    fixation: Duration = 100.0
    stimulus: Duration = 2000.0
    decision: Duration = 100.0
    coherences: Coherences = Field(default=(0.0, 6.4, 12.8, 25.6, 51.2), min_length=1)
    sigma: float = Field(default=1.0, ge=0, allow_inf_nan=False)

    def trial(self, key: jax.Array) -> Trial:
        time_key, coherence_key, side_key, noise_key = jax.random.split(key, 4)
        timeline = self.timeline(time_key)
        side = _side(side_key)
        coherence = side * picked(coherence_key, self.coherences)
        stimuli = _two_stimuli(coherence) + self.white_noise(noise_key, 2, self.sigma)
        shown = timeline.during["stimulus"][:, None]
        fixating = timeline.anywhere_in("fixation", "stimulus")[:, None]
        inputs = jnp.concatenate([fixating, shown * stimuli], axis=1)
        answer = jnp.where(coherence == 0, jnp.nan, (coherence < 0).astype(float))
        return self.answered(inputs, timeline, (answer,), {"coherence": coherence})

    def ideal_observer(self, inputs: np.ndarray) -> np.ndarray:
        summed = np.cumsum(inputs[..., 1] - inputs[..., 2], axis=1)
        return self.decided(inputs[..., 0] > 0.5, (summed < 0).astype(int))

    def ideal(self) -> float:
        return _two_sided(self.coherences, self.stimulus, self.sigma)

    def conditions(self) -> dict[str, list[float]]:
        return {"sigma": [0.0, 0.5, 1.0, 1.5, 2.0, 3.0]}

    def constant_inputs(self) -> tuple[ConstantInput, ...]:
        return _off_and_on(np.array([1.0, 0.0, 0.0]), slice(1, 3), "stimulus")

    def evidence_directions(self) -> dict[str, np.ndarray]:
        return {"stimulus": np.array([0.0, *FULL])}


class ContextDecision(ChoiceTask):
    """Which of two stimuli is stronger, in the one of two modalities that a context names.

    Each modality shows two noisy stimuli with a coherence and a direction of its own; a context
    input, on for the whole trial, says which modality counts. After a random delay fixation is
    taken away, and the option of the stronger stimulus of that modality is to be chosen.

    Inputs: fixation, two stimuli of modality 1, two of modality 2, context 1, context 2. Outputs:
    fixation, two options. Times in ms. Conditions: context (0 or 1); coherence_1, coherence_2 of
    the modalities and the same as relevant and irrelevant (per cent, positive for the first
    option); answer.

    Parameters
    ----------
    dt : float
        Length of one step (ms). 25 because 750 ms is no multiple of 20.
    fixation, stimulus, delay, decision : Duration
        Durations of the epochs (ms).
    coherences : tuple of float
        In per cent; each modality has one of them, in either direction.
    sigma : float
        Noise on each stimulus, per √ms.
    neurogym_compat : bool
        What neurogym's environment gives by default: no context input (modality 1 always counts)
        and fixation on in the first epoch alone, so that nothing tells when to answer: no observer
        can know.

    Notes
    -----
    The ideal observer chooses by the sign of the summed difference in the modality that the context
    names.

    References
    ----------
    Mante, Sussillo, Shenoy & Newsome (2013), Nature 503:78; durations, coherences and noise as in
    neurogym's ContextDecisionMaking.
    """

    name: ClassVar[str] = "context_decision"
    input_names: ClassVar[tuple[str, ...]] = (
        "fixation",
        "modality 1, first",
        "modality 1, second",
        "modality 2, first",
        "modality 2, second",
        "context 1",
        "context 2",
    )
    options: ClassVar[tuple[str, ...]] = ("first", "second")
    evidence: ClassVar[str | None] = "relevant"
    evidence_streams: ClassVar[tuple[EvidenceStream, ...]] = (
        EvidenceStream("coherence_1", "stimulus", "modality 1, first", "modality 1, second"),
        EvidenceStream("coherence_2", "stimulus", "modality 2, first", "modality 2, second"),
    )
    task_variables: ClassVar[tuple[str, ...]] = ("coherence_1", "coherence_2", "context")
    parts: ClassVar[tuple[str, ...]] = ("fixation", "stimulus", "delay", "decision")
    held: ClassVar[tuple[str, ...]] = ("delay",)

    dt: float = Field(default=25.0, gt=0)
    fixation: Duration = 300.0
    stimulus: Duration = 750.0
    delay: Duration = TruncatedExponential(mean=600, shortest=300, longest=3000)
    decision: Duration = 100.0
    coherences: Coherences = Field(default=(5.0, 15.0, 50.0), min_length=1)
    sigma: float = Field(default=1.0, ge=0, allow_inf_nan=False)
    neurogym_compat: bool = False

    def trial(self, key: jax.Array) -> Trial:
        time_key, noise_key, context_key, *modality_keys = jax.random.split(key, 5)
        timeline = self.timeline(time_key)
        context = jnp.where(self.neurogym_compat, 0, jax.random.randint(context_key, (), 0, 2))
        first, second = (self._coherence(modality_key) for modality_key in modality_keys)
        stimuli = jnp.concatenate([_two_stimuli(first), _two_stimuli(second)])
        stimuli = stimuli + self.white_noise(noise_key, 4, self.sigma)
        fixating = timeline.anywhere_in(
            *(("fixation",) if self.neurogym_compat else ("fixation", "stimulus", "delay"))
        )
        channels = [fixating[:, None], timeline.during["stimulus"][:, None] * stimuli]
        if not self.neurogym_compat:
            named = timeline.anywhere_in(*timeline.during)[:, None]
            channels.append(named * jnp.array([context == 0, context == 1]))
        relevant = jnp.where(context == 0, first, second)
        answer = jnp.where(relevant == 0, jnp.nan, (relevant < 0).astype(float))
        conditions = {
            "context": context,
            "coherence_1": first,
            "coherence_2": second,
            "relevant": relevant,
            "irrelevant": jnp.where(context == 0, second, first),
        }
        return self.answered(jnp.concatenate(channels, axis=1), timeline, (answer,), conditions)

    def ideal_observer(self, inputs: np.ndarray) -> np.ndarray:
        if self.neurogym_compat:
            return super().ideal_observer(inputs)
        differences = inputs[..., [1, 3]] - inputs[..., [2, 4]]
        summed = (np.cumsum(differences, axis=1) * inputs[..., 5:]).sum(-1)
        return self.decided(inputs[..., 0] > 0.5, (summed < 0).astype(int))

    def ideal(self) -> float:
        return _two_sided(self.coherences, self.stimulus, self.sigma)

    def conditions(self) -> dict[str, list[float]]:
        return {"sigma": [0.0, 0.5, 1.0, 1.5, 2.0, 3.0]}

    def constant_inputs(self) -> tuple[ConstantInput, ...]:
        if self.neurogym_compat:
            return _off_and_on(np.zeros(5), slice(1, 5), "modality 1")
        made: list[ConstantInput] = []
        for i in range(2):
            inputs = np.array([1.0, 0, 0, 0, 0, i == 0, i == 1])
            made += _off_and_on(inputs, slice(1, 5), f"modality {i + 1}", f"context {i + 1}, ")
        return tuple(made)

    def evidence_directions(self) -> dict[str, np.ndarray]:
        first, second = np.zeros((2, self.n_inputs))
        first[1:3] = second[3:5] = FULL
        return {"modality 1": first, "modality 2": second}

    def _coherence(self, key: jax.Array) -> jax.Array:
        side_key, size_key = jax.random.split(key)
        return _side(side_key) * picked(size_key, self.coherences)


def _side(key: jax.Array) -> jax.Array:
    return jnp.where(jax.random.bernoulli(key), 1.0, -1.0)


def _two_stimuli(coherence: jax.Array) -> jax.Array:
    """(2,): 0.5 + (coherence / 200) cos(θ - θ*) at the two opposite directions."""
    return NO_EVIDENCE + coherence / 100 * jnp.array(FULL)


def _two_sided(coherences: Coherences, stimulus: Duration, sigma: float) -> float:
    """How often the sign of the summed difference is correct, over the coherences other than 0.

    Over a time T the difference has the mean coherence / 100 · T and the variance 2 sigma² T.
    """
    asked = [abs(c) / 100 for c in coherences if c != 0]
    if sigma == 0 or not asked:
        return 1.0
    times = _durations_drawn(stimulus)
    clear = np.array([[c * sqrt(t) / (sqrt(2) * sigma) for c in asked] for t in times])
    return float(np.mean([0.5 * (1 + erf(d / sqrt(2))) for d in clear.ravel()]))


def _durations_drawn(duration: Duration) -> np.ndarray:
    """Durations (ms) that stand for a random one."""
    if isinstance(duration, TruncatedExponential):
        low, high = duration.shortest / duration.mean, duration.longest / duration.mean
        chance = (np.arange(200) + 0.5) / 200
        return duration.mean * (low - np.log1p(chance * np.expm1(low - high)))
    if isinstance(duration, tuple):
        return np.linspace(*duration, 200)
    return np.array(getattr(duration, "values", [duration]), float)


def _off_and_on(
    inputs: np.ndarray, stimuli: slice, relevant: str, where: str = ""
) -> tuple[ConstantInput, ...]:
    """This input without stimuli, and with stimuli of coherence 0."""
    shown = inputs.copy()
    shown[stimuli] = NO_EVIDENCE
    return (
        ConstantInput(f"{where}stimulus off", inputs, relevant),
        ConstantInput(f"{where}coherence 0", shown, relevant),
    )
