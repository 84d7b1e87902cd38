"""The battery of 20 cognitive tasks of Yang et al. (2019)."""

from __future__ import annotations

from functools import cached_property
from math import erf, pi, sqrt
from typing import ClassVar

import jax
import jax.numpy as jnp
import numpy as np
from pydantic import Field, field_validator, model_validator

from attractory._errors import nearest, shown
from attractory.tasks._noise import standard_normal
from attractory.tasks._recipe import NetworkFacts, Section, leaky
from attractory.tasks._task import MOST_STEPS, Task, Trial, Trials
from attractory.tasks._yang_rules import (
    END,
    EPOCHS,
    RESPONSE,
    RULES,
    Answer,
    Cue,
    Plan,
    Rule,
    RuleTable,
    draw_plan,
    rule_table,
    values_of,
)

NAMES = tuple(RULES)
TAU = 100.0  # ms: the time constant of the published network, by which its noise is scaled
WIDTH, HEIGHT, REST = pi / 8, 0.8, 0.05  # of a bump on a ring; what an output is at rest
UNSCORED = 100.0  # ms at the start of a trial and of a response in which nothing is counted
ALLOWED_ERROR = pi / 5  # of the direction of a response
SEEN = 0.25  # the strength from which the observer takes activity on a ring for a stimulus
SETTLING = 40.0  # ms from when it has noticed the cue to when it has settled where to respond
SAME = pi / 10  # the distance up to which it takes two directions for one


class YangBattery(Task):
    """20 tasks for one network: go, anti, decisions, matching, as a rule input tells.

    Stimuli are bumps of activity on two rings of units (two modalities), each bump at a direction.
    One of 20 rule inputs is on throughout. While the fixation output is asked for the response
    ring rests; to respond, fixation is released and the ring shows a bump at the correct direction.

    - fdgo, reactgo, delaygo: respond in the direction of the stimulus: when fixation goes off while
      the stimulus is still on; as soon as the stimulus comes; after a delay.
    - fdanti, reactanti, delayanti: the same, in the opposite direction.
    - dm1, dm2: two stimuli together in modality 1 (2); respond to the stronger one. contextdm1,
      contextdm2: stimuli in both modalities, of which the first (second) counts. multidm: the
      sum over both modalities counts. delaydm1, delaydm2, contextdelaydm1, contextdelaydm2,
      multidelaydm: the same, with stimuli one after the other.
    - dmsgo, dmsnogo: two stimuli one after the other; respond to the second if it has (has not) the
      direction of the first, else keep fixating. dmcgo, dmcnogo: the same with two categories of
      directions, below and above 180°.

    A trial is answered correctly when, from 100 ms after the response has begun, the mean output
    fixates (> 0.5) where fixation must be kept; and else does not, and the population vector of the
    ring points within 36° of the correct direction. (Published: the same at the last step alone.)

    Inputs: fixation, ring 1, ring 2, rules (1 + 2 · 32 + 20, whatever `rules` holds). Outputs:
    fixation, ring (33). Conditions: rule (index in the published order), location_1, location_2 of
    the stimuli (degrees, NaN where there is none), strength_1_1, strength_1_2, strength_2_1,
    strength_2_2 (stimulus, modality), difference (between the strengths of the two, in the
    modalities that count; NaN where they are not compared), direction (of the response, degrees;
    NaN where fixation must be kept).

    Parameters
    ----------
    dt : float
        Length of one step (ms).
    rules : tuple of str
        The rules that trials are drawn from, each as likely (in the published training contextdm1
        and contextdm2 came five times as often).
    ring : int
        Units in a ring.
    sigma : float
        Noise on every input; the standard deviation of a step is sigma · √(2 · 100 ms / dt).
    coherences : tuple of float
        Half the difference in strength of two stimuli shown together.
    delayed_coherences : tuple of float
        The same of two stimuli one after the other.

    Notes
    -----
    The ideal observer reads each stimulus off the rings while it is on, and follows the rule. A
    stimulus is on where the bump that fits best to the last 100 ms has a strength above 0.25; what
    is read off it are the steps that such times hold on both sides. Where to respond is settled
    40 ms after the cue was noticed, from all that was seen up to then.

    The ideal score is how often the stronger of two stimuli is told; all else is clear. The
    observer, which has to find when the stimuli are on, comes within 0.01 of it up to sigma = 0.05.
    Chance is that of responding in one direction; or of never responding, where that is better.

    Unlike in the published code each trial of a batch has its own rule, times and modalities.

    References
    ----------
    Yang, Joglekar, Song, Newsome & Wang (2019), Nat. Neurosci. 22:297. Times, strengths, bumps
    (height 0.8, width 22.5°), targets (0.8 for fixation, 0.05 + bump, 0.05 at rest), weights (0 in
    the first 100 ms of trial and response, then 1 before and 5 in the response, twice that for
    fixation; here divided by 10) as in github.com/gyyang/multitask, task.py.
    """

    name: ClassVar[str] = "yang"

    dt: float = Field(default=20.0, gt=0)
    rules: tuple[str, ...] = Field(default=NAMES, min_length=1)
    ring: int = Field(default=32, ge=16, le=10_000)
    sigma: float = Field(default=0.01, ge=0, allow_inf_nan=False)
    coherences: tuple[float, ...] = Field(default=(0.01, 0.02, 0.04, 0.08), min_length=1)
    delayed_coherences: tuple[float, ...] = Field(default=(0.08, 0.16, 0.32), min_length=1)

    @field_validator("rules")
    @classmethod
    def _known(cls, rules: tuple[str, ...]) -> tuple[str, ...]:
        for rule in rules:
            if rule not in RULES:
                raise ValueError(f"rule {shown(rule)} is unknown; {nearest(rule, NAMES)}")
            if rules.count(rule) > 1:
                raise ValueError(f"rule {shown(rule)} stands there twice")
        return rules

    @field_validator("coherences", "delayed_coherences")
    @classmethod
    def _can_be_told(cls, coherences: tuple[float, ...]) -> tuple[float, ...]:
        for coherence in coherences:
            if not 0 < coherence < 0.8:  # the weaker stimulus has at least 0.8 - coherence
                raise ValueError("each between 0 and 0.8")
        return coherences

    @model_validator(mode="after")
    def _times_fit_the_step(self) -> YangBattery:
        if UNSCORED / self.dt > MOST_STEPS:
            raise ValueError(f"dt = {self.dt:g} ms is not allowed: at most {MOST_STEPS} steps")
        if abs(UNSCORED / self.dt - round(UNSCORED / self.dt)) > 1e-6 or self.dt > UNSCORED:
            raise ValueError(f"dt = {self.dt:g} ms is not allowed: 100 ms must be a multiple of it")
        if self.n_steps > MOST_STEPS:
            raise ValueError(f"dt = {self.dt:g} ms is not allowed: at most {MOST_STEPS} steps")
        return self

    @property
    def epoch_names(self) -> tuple[str, ...]:
        return EPOCHS

    @property
    def n_steps(self) -> int:
        longest = self._table.steps.max(-1) + self._table.spread
        return int(longest.sum(-1)[self._indices].max())

    def trial(self, key: jax.Array) -> Trial:
        plan_key, noise_key = jax.random.split(key)
        plan = draw_plan(
            plan_key, self._table, self._indices, self.coherences, self.delayed_coherences
        )
        time = jnp.arange(self.n_steps)[:, None]
        inputs, targets = self._rendered(plan, time)
        noise = self._noise * standard_normal(noise_key, inputs.shape)
        return Trial(
            inputs=jnp.where(time < plan.limits[END], inputs + noise, 0.0),
            targets=targets,
            mask=self._weights(plan, time),
            epochs=plan.limits,
            conditions=self._described(plan),
        )

    def correct(self, outputs: np.ndarray, trials: Trials) -> np.ndarray:
        during = trials.during("response")
        late = during[:, self._unscored :] & during[:, : -self._unscored]
        mean = _mean(outputs[:, self._unscored :], late)
        away = _apart(self._pointed(mean[:, 1:]), np.radians(trials.conditions["direction"]))
        fixates = mean[:, 0] > 0.5
        return np.where(np.isnan(away), fixates, ~fixates & (away < ALLOWED_ERROR)).astype(float)

    def ideal(self) -> float:
        return float(np.mean([self._told(RULES[rule]) for rule in self.rules]))

    def chance(self) -> float:
        kept = np.mean([RULES[rule].answer >= Answer.MATCH for rule in self.rules]) / 2
        return float(max((1 - kept) * ALLOWED_ERROR / pi, kept))

    def conditions(self) -> dict[str, list[float]]:
        return {"sigma": [0.0, 0.01, 0.02, 0.03, 0.05]}

    def network_settings(self) -> Section:
        # more units, which rectify, as in the published network
        return {**leaky(self.dt), "units": 256, "activation": "relu"}

    def rule_settings(self, network: NetworkFacts) -> Section:
        # 20 tasks take longer than one
        if network.constrained:
            return super().rule_settings(network)
        return {"learning_rate": 5e-3, "steps": 5000, "batch": 64}

    def ideal_observer(self, inputs: np.ndarray) -> np.ndarray:
        seen = np.asarray(inputs, float)
        rings = seen[..., 1 : 1 + 2 * self.ring].reshape(*seen.shape[:2], 2, self.ring)
        on = self._lately(rings @ self._bumps(self._preferred) / self._energy).max((2, 3)) > SEEN
        begun = np.cumsum(on & ~np.pad(on, ((0, 0), (1, 0)))[:, :-1], axis=1)  # stimuli so far
        rule = np.cumsum(seen[..., 1 + 2 * self.ring :], axis=1).argmax(-1)
        cue = self._table.cue[rule]
        released = self._lately(1 - seen[..., 0]) > 0.5
        cued = np.where(cue == Cue.FIXATION, released, begun >= np.maximum(cue, 1))
        settled = np.where(cued.any(1), cued.argmax(1) + round(SETTLING / self.dt), on.shape[1])
        settled, time = settled[:, None], np.arange(on.shape[1])
        rule = np.where(time == settled, rule, 0).sum(1)
        later = np.minimum(time + self._unscored - 1, np.minimum(settled, time[-1]))
        inside = on & np.take_along_axis(on, later, axis=1) & (time <= settled)
        one, two = (_mean(rings, inside & (begun == k)) for k in (1, 2))
        directions, responds = self._decided(rule, one, two)
        responding = (time >= settled) & responds[:, None]
        answer = REST + responding[..., None] * self._bumps(directions)[:, None]
        return np.concatenate([np.where(responding, REST, HEIGHT)[..., None], answer], axis=-1)

    def _decided(
        self, rule: np.ndarray, one: np.ndarray, two: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Where to respond (radians), and whether to: (trial,) each.

        rule (trial,): indices. one, two (trial, modality, unit): mean activity in the first and
        second time that something was shown; stimuli that are shown together are both in `one`.
        """
        answer = self._table.answer[rule]
        together = (answer == Answer.STRONGER) & ~self._table.one_after_the_other[rule]
        pair = self._two_directions(one.sum(1))
        first = np.where(together, pair[0], self._pointed(one.sum(1)))
        second = np.where(together, pair[1], self._pointed(two.sum(1)))
        counts = self._table.attended[rule][:, :, None]
        other = np.where(together[:, None, None], one, two)
        strength = (self._bumps(first) * (counts * one).sum(1)).sum(1)
        stronger = strength > (self._bumps(second) * (counts * other).sum(1)).sum(1)
        same_category = (np.sin(first) > 0) == (np.sin(second) > 0)
        matches = np.where(
            self._table.categories[rule], same_category, _apart(first, second) < SAME
        )
        to_second = (answer >= Answer.MATCH) | ((answer == Answer.STRONGER) & ~stronger)
        direction = np.where(to_second, second, first) + pi * (answer == Answer.AWAY)
        responds = (answer < Answer.MATCH) | ((answer == Answer.MATCH) == matches)
        return direction, responds

    def _two_directions(self, activity: np.ndarray) -> np.ndarray:
        """(2, trial): the directions of two bumps that lie over one another, (trial, unit).

        The first three moments over the ring, p_m = s_1 z_1^m + s_2 z_2^m with z = exp(i direction)
        and the bumps' own moments divided out, follow p_(m+2) = (z_1 + z_2) p_(m+1) - z_1 z_2 p_m
        (Prony's method): two equations for the sum and the product.
        """
        waves = np.exp(1j * np.outer(self._preferred, np.arange(3)))
        p0, p1, p2 = ((activity @ waves) / (self._bumps(np.zeros(())) @ waves).real).T
        determinant = np.abs(p1) ** 2 - np.abs(p0) ** 2
        determinant = np.where(np.abs(determinant) < 1e-12, 1e-12, determinant)
        total = (p1.conj() * p2 - p0 * p1) / determinant
        product = (p0 * p2 - p1**2) / determinant
        root = np.sqrt(total**2 - 4 * product)
        return np.angle([total + root, total - root])

    def _rendered(self, plan: Plan, time: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Inputs without noise, and targets: (time, channel) each."""
        away = jnp.append(plan.locations, plan.response)[:, None] - self._preferred
        away = jnp.mod(away + pi, 2 * pi) - pi
        bumps = HEIGHT * jnp.exp(-jnp.square(away / WIDTH) / 2)
        limits = plan.limits[jnp.asarray(self._table.limits)[plan.rule]]
        courses = [  # of fixation, of the two stimuli, of the rule
            time < plan.limits[jnp.asarray(self._table.fixation_off)[plan.rule]],
            (time >= limits[:, 0]) & (time < limits[:, 1]),
            jnp.ones_like(time),
        ]
        stimuli = (plan.strengths[:, :, None] * bumps[:2, None, :]).reshape(2, -1)
        channels = jnp.zeros((4, 1 + 2 * self.ring + len(NAMES)))
        channels = channels.at[0, 0].set(1).at[1:3, 1 : 1 + 2 * self.ring].set(stimuli)
        channels = channels.at[3, 1 + 2 * self.ring + plan.rule].set(1)
        over_time = jnp.concatenate(courses, axis=1).astype(channels.dtype)
        inputs = jnp.matmul(over_time, channels, precision="highest")
        responding = plan.responds & (time >= plan.limits[RESPONSE])
        kept = jnp.where(responding, REST, HEIGHT)
        return inputs, jnp.concatenate([kept, REST + responding * bumps[2]], axis=1)

    def _weights(self, plan: Plan, time: jax.Array) -> jax.Array:
        """(time, output): the published weights, a tenth of them."""
        cue = plan.limits[RESPONSE]
        before = (time >= self._unscored) & (time < cue)
        after = (time >= cue + self._unscored) & (time < plan.limits[END])
        weight = jnp.where(before, 0.1, jnp.where(after, 0.5, 0.0))
        return weight * jnp.array([2.0] + self.ring * [1.0])

    def _described(self, plan: Plan) -> dict[str, jax.Array]:
        """The conditions of a trial."""
        two = plan.limits[jnp.asarray(self._table.limits)[plan.rule, 1, 0]] < plan.limits[END]
        strengths = {
            f"strength_{i + 1}_{modality + 1}": plan.strengths[i, modality] * ((i == 0) | two)
            for i in range(2)
            for modality in range(2)
        }
        first, second, response = jnp.degrees(jnp.append(plan.locations, plan.response))
        return {
            "rule": plan.rule,
            "location_1": first,
            "location_2": jnp.where(two, second, jnp.nan),
            **strengths,
            "difference": plan.difference,
            "direction": jnp.where(plan.responds, response, jnp.nan),
        }

    def _told(self, rule: Rule) -> float:
        """How often the sign of the difference in measured strengths is correct."""
        if rule.answer != Answer.STRONGER or self.sigma == 0:
            return 1.0
        later = rule.one_after_the_other
        firsts = np.array(values_of(rule.durations[1]))[:, None]
        seconds = np.array(values_of(rule.durations[3])) if later else firsts
        counted = sum(rule.attended)
        variance = counted * 2 * TAU * self.sigma**2 / self._energy  # of a strength, times ms
        spread = np.sqrt(variance * (1 / firsts + 1 / seconds)).ravel()
        coherences = np.array(self.delayed_coherences if later else self.coherences)
        clear = 2 * counted * coherences[:, None] / spread
        return float(np.mean([0.5 * (1 + erf(each / sqrt(2))) for each in clear.ravel()]))

    def _bumps(self, directions: np.ndarray) -> np.ndarray:
        """Activity of a ring for directions (radians): one more axis, of its units."""
        away = _apart(directions[..., None], self._preferred)
        return HEIGHT * np.exp(-((away / WIDTH) ** 2) / 2)

    def _pointed(self, activity: np.ndarray) -> np.ndarray:
        """Direction (radians) of the population vector of (trial, unit)."""
        return np.angle(activity @ np.exp(1j * self._preferred))

    def _lately(self, values: np.ndarray) -> np.ndarray:
        """The mean over the last 100 ms of (trial, time, …), taken to be 0 before the trial."""
        summed = np.cumsum(values, axis=1)
        summed[:, self._unscored :] -= summed[:, : -self._unscored].copy()
        return summed / self._unscored

    @property
    def _noise(self) -> float:
        return self.sigma * sqrt(2 * TAU / self.dt)

    @property
    def _unscored(self) -> int:
        return round(UNSCORED / self.dt)

    @cached_property
    def _preferred(self) -> np.ndarray:
        return 2 * pi * np.arange(self.ring) / self.ring

    @cached_property
    def _energy(self) -> float:
        return float(np.sum(self._bumps(np.zeros(())) ** 2))

    @cached_property
    def _indices(self) -> np.ndarray:
        return np.array([NAMES.index(rule) for rule in self.rules])

    @cached_property
    def _table(self) -> RuleTable:
        return rule_table(self.dt)


def _mean(values: np.ndarray, counted: np.ndarray) -> np.ndarray:
    """The mean of (trial, time, …) over the times that count (trial, time); 0 where none does."""
    flat = values.reshape(*values.shape[:2], -1)
    summed = (counted[:, None].astype(flat.dtype) @ flat)[:, 0]
    mean = summed / np.maximum(counted.sum(1, keepdims=True), 1)
    return mean.reshape(len(values), *values.shape[2:])


def _apart(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """The distance of two directions, 0 … π."""
    return np.abs(np.mod(first - second + pi, 2 * pi) - pi)
