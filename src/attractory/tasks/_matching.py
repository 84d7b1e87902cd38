"""Delayed match to sample with two items."""

from __future__ import annotations

from math import erf, sqrt
from typing import ClassVar

import jax
import jax.numpy as jnp
import numpy as np
from pydantic import Field

from attractory.tasks._choice import ChoiceTask
from attractory.tasks._epochs import Duration, Milliseconds
from attractory.tasks._task import Trial


class DualDelayedMatch(ChoiceTask):
    """Two items are remembered and tested one after the other, in the order that cues tell.

    Two samples are shown together, each in one of two directions (0° or 90°). Then, twice: a delay,
    a cue that names an item, and a test stimulus in that item's channels. While the test is on, the
    answer is whether it has the direction of that item's sample. Each item is tested once; tests
    match or not independently.

    Inputs: fixation (on throughout), item 1 (cos, sin), item 2 (cos, sin), cue 1, cue 2. Outputs:
    fixation, match, non-match. Times in ms. Conditions: sample_1, sample_2 (degrees), first_item
    (0 or 1: the item tested first), answer_1, answer_2 (in the order of the tests; 0 match, 1
    non-match).

    Parameters
    ----------
    dt : float
        Length of one step (ms).
    fixation, sample_time, delay_1, cue_1, test_1, delay_2, cue_2, test_2 : float
        Durations of the epochs (ms).
    sigma : float
        Noise on the stimuli in sample and tests, per √ms.

    Notes
    -----
    The ideal observer compares, as the test goes on, its mean direction with that of the item's
    sample. Its score is near 1: with sigma = 1 the summed difference is 15 standard deviations
    from 0.

    References
    ----------
    neurogym's DualDelayMatchSample, after Rose et al. (2016), Science 354:1136; delayed matching to
    sample as in Freedman & Assad (2006), Nature 443:85.
    """

    name: ClassVar[str] = "dual_delayed_match"
    input_names: ClassVar[tuple[str, ...]] = (
        "fixation",
        "item 1, cos",
        "item 1, sin",
        "item 2, cos",
        "item 2, sin",
        "cue 1",
        "cue 2",
    )
    options: ClassVar[tuple[str, ...]] = ("match", "non-match")
    answer_epochs: ClassVar[tuple[str, ...]] = ("test_1", "test_2")
    held: ClassVar[tuple[str, ...]] = ("delay_1", "delay_2")

    dt: float = Field(default=20.0, gt=0)
    fixation: Milliseconds = 500.0
    sample_time: Milliseconds = 500.0
    delay_1: Milliseconds = 500.0
    cue_1: Milliseconds = 500.0
    test_1: Milliseconds = 500.0
    delay_2: Milliseconds = 500.0
    cue_2: Milliseconds = 500.0
    test_2: Milliseconds = 500.0
    sigma: float = Field(default=1.0, ge=0, allow_inf_nan=False)

    def durations(self) -> dict[str, Duration]:
        names = ("delay_1", "cue_1", "test_1", "delay_2", "cue_2", "test_2")
        later = {name: getattr(self, name) for name in names}
        return {"fixation": self.fixation, "sample": self.sample_time, **later}

    def trial(self, key: jax.Array) -> Trial:
        time_key, sample_key, order_key, match_key, noise_key = jax.random.split(key, 5)
        timeline = self.timeline(time_key)
        during = timeline.during
        samples = jax.random.randint(sample_key, (2,), 0, 2)  # of item 1, item 2: 0° or 90°
        first = jax.random.randint(order_key, (), 0, 2)
        differs = jax.random.randint(match_key, (2,), 0, 2)  # in the first test, in the second
        order = jnp.array([first, 1 - first])
        stimuli = during["sample"][:, None] * _directions(samples)
        noisy = during["sample"][:, None] * jnp.ones(4)
        cues = []
        for k, (cue, test) in enumerate([("cue_1", "test_1"), ("cue_2", "test_2")]):
            item = jnp.arange(2) == order[k]
            shown = _directions(samples ^ differs[k]) * jnp.repeat(item, 2)
            stimuli = stimuli + during[test][:, None] * shown
            noisy = noisy + during[test][:, None] * jnp.repeat(item, 2)
            cues.append(during[cue][:, None] * item)
        noise = noisy * self.white_noise(noise_key, 4, self.sigma)
        fixating = timeline.anywhere_in(*during)[:, None]
        inputs = jnp.concatenate([fixating, stimuli + noise, sum(cues)], axis=1)
        conditions = {
            "sample_1": 90.0 * samples[0],
            "sample_2": 90.0 * samples[1],
            "first_item": first,
        }
        answers = (differs[0].astype(float), differs[1].astype(float))
        return self.answered(inputs, timeline, answers, conditions)

    def ideal_observer(self, inputs: np.ndarray) -> np.ndarray:
        steps = self.most_steps()
        ends = dict(zip(steps, np.cumsum(list(steps.values())), strict=True))
        begins = {epoch: end - steps[epoch] for epoch, end in ends.items()}
        turned = inputs[..., [1, 3]] - inputs[..., [2, 4]]  # cos - sin of each item: > 0 at 0°
        sample = turned[:, begins["sample"] : ends["sample"]].sum(1) > 0
        taken = np.full(inputs.shape[:2], -1)
        for cue, test in [("cue_1", "test_1"), ("cue_2", "test_2")]:
            cued = inputs[:, begins[cue] : ends[cue], 5:].mean(1).argmax(1)
            rows = np.arange(len(inputs))
            shown = np.cumsum(turned[rows, begins[test] : ends[test], cued], axis=1) > 0
            taken[:, begins[test] : ends[test]] = shown != sample[rows, cued][:, None]
        return self.decided(taken < 0, taken)

    def ideal(self) -> float:
        def told(time: float) -> float:
            return 1.0 if self.sigma == 0 else 0.5 * (1 + erf(sqrt(time) / (2 * self.sigma)))

        sample, tests = told(self.sample_time), [told(self.test_1), told(self.test_2)]
        both = [sample * test + (1 - sample) * (1 - test) for test in tests]
        return both[0] * both[1]

    def conditions(self) -> dict[str, list[float]]:
        return {"sigma": [0.0, 1.0, 2.0, 4.0, 8.0]}


def _directions(samples: jax.Array) -> jax.Array:
    """(4,): cos and sin of the direction of each item; 0 for 0°, 1 for 90°."""
    angles = jnp.pi / 2 * samples
    return jnp.round(jnp.stack([jnp.cos(angles), jnp.sin(angles)], axis=1).reshape(-1))
