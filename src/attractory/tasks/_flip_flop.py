"""The n-bit flip-flop memory (Sussillo & Barak 2013; as parametrised by Jarne 2024)."""

from __future__ import annotations

from itertools import product
from typing import Any, ClassVar, Self

import jax
import jax.numpy as jnp
import numpy as np
from pydantic import Field, model_validator

from attractory._errors import InvalidSetting, shown
from attractory.tasks._guess import best_guess
from attractory.tasks._machine import Machine
from attractory.tasks._recipe import NetworkFacts, Section
from attractory.tasks._task import MOST_STEPS, Task, Trial, Trials

StepRange = tuple[int, int]
MOST_WALKED = 6  # bits: a walk through the states of more is too long to be looked at
MOST_PULSES = 1000  # of a channel: each of them is a part of the compiled generator


class FlipFlop(Task):
    """Independent one-bit memories, each set by a positive pulse and reset by a negative one.

    Each channel gets pulses of random sign at random times; `delay` steps after a pulse has ended
    its output takes the pulse's sign and holds it until the next pulse. Channels are independent.
    Times are in steps (of 1 ms, nominally).

    Parameters
    ----------
    bits : int
        Number of channels, 1 to 10.
    pulse : int
        Length of a pulse.
    delay : int
        From the end of a pulse to the change of the target.
    first_onset : pair of int
        Earliest and latest start of the first pulse, uniform.
    gaps : pair of int, or tuple of such pairs
        Shortest and longest silence between two pulses, uniform; or one such pair for each gap,
        which also fixes the number of pulses (one more than there are gaps). With a single pair
        pulses follow one another to the end of the trial; one whose answer would fall outside of
        the trial is left out.
    skip_first : float
        Probability that the first pulse is left out.
    noise : float
        Standard deviation of the Gaussian noise on the inputs, at every step.
    amplitude : float
        Height of the pulses (the targets are always -1, 0, 1).
    steps : int
        Length of a trial.
    neutral_start : bool
        True asks for output 0 until the first update; False asks for nothing there (the mask is 0),
        so that a network need not hold a neutral state.
    published_defects : bool
        What the published generator does: the target of the last step is 0, and a third pulse is
        shown even when its answer falls outside of the trial. Networks are then scored without the
        last step.
    score_last_step : bool
        False takes the last step out of loss and scores (mask 0).

    Notes
    -----
    The ideal observer takes each step for a pulse that is nearer to the amplitude than to 0. Its
    score is 1: with the usual noise a pulse is 5 standard deviations from half of it at each step.

    Pulses come at times and with signs that cannot be known, but a guess may be correct: few pulses
    in one channel can be guessed in a trial of ten, those of three channels in three of a thousand.

    In robustness curves (`conditions`) noise, amplitude and pulse go from none to well beyond the
    usual; with another pulse width the answer keeps its time after onset. (A pulse longer than
    pulse + delay was is answered as soon as it has ended.) States are shown (`probe`) in the
    walk through all of them; with more than 6 bits in the first trials of a sample.

    References
    ----------
    Sussillo & Barak (2013), Neural Computation 25:626, section 4.1; Jarne (2024), Front. Syst.
    Neurosci. 18:1269190, section 3 and its generator.
    """

    name: ClassVar[str] = "flipflop"
    picture: ClassVar[str | None] = "flip_flop"
    held: ClassVar[tuple[str, ...]] = ("gaps", "steps")

    bits: int = Field(default=3, ge=1, le=10)
    pulse: int = Field(default=20, ge=1, le=MOST_STEPS)
    delay: int = Field(default=20, ge=0, le=MOST_STEPS)
    first_onset: StepRange = (10, 99)
    gaps: StepRange | tuple[StepRange, ...] = (50, 130)
    skip_first: float = Field(default=1 / 3, ge=0, le=1)
    noise: float = Field(default=0.1, ge=0, allow_inf_nan=False)
    amplitude: float = Field(default=1.0, gt=0, allow_inf_nan=False)
    steps: int = Field(default=340, ge=1, le=MOST_STEPS)
    neutral_start: bool = True
    published_defects: bool = False
    score_last_step: bool = True

    @classmethod
    def paper(cls, **changes: Any) -> Self:
        """The published generator (Jarne 2024), with its defects.

        Three pulses a channel: the first starts at 10..99, the second 71..120 steps after it, the
        third 101..150 steps after the second; the first is +1, -1 or absent (each 1/3), the others
        +1 or -1. In every trial the target of the last step stays 0, and in about a quarter of the
        channels the third pulse comes too late for its answer to be asked.

        Parameters
        ----------
        **changes : settings
            Single settings that are to be others, such as score_last_step=False or bits=2.

        Returns
        -------
        FlipFlop
            The task.
        """
        published: dict[str, Any] = {
            "gaps": ((51, 100), (81, 130)),
            "published_defects": True,
        }
        return cls(**{**published, **changes})

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if not self.gaps:
            raise ValueError("gaps = () is not allowed: one (shortest, longest) pair, or several")
        for field, (low, high) in [("first_onset", self.first_onset), *self._named_gaps()]:
            if not 0 <= low <= high <= MOST_STEPS:
                raise ValueError(
                    f"{field} = ({low}, {high}) is not allowed: two step counts, "
                    f"0 <= first <= last <= {MOST_STEPS}"
                )
        needed = self.first_onset[1] + self.latency + 1
        if self.steps < needed:
            raise ValueError(
                f"steps = {self.steps} is too short for one pulse and its answer: at least "
                f"{needed} (latest first_onset {self.first_onset[1]} + pulse {self.pulse} + "
                f"delay {self.delay} + 1)"
            )
        pulses = 1 + self._most_gaps()
        if pulses > MOST_PULSES:
            raise ValueError(
                f"up to {pulses} pulses in a channel are not allowed: at most {MOST_PULSES}; "
                "fewer steps, longer gaps or longer pulses"
            )
        return self

    @property
    def latency(self) -> int:
        """Steps from the onset of a pulse to its answer."""
        return self.pulse + self.delay

    def trial(self, key: jax.Array) -> Trial:
        pulse_key, noise_key = jax.random.split(key)
        onsets, signs = self._pulses(pulse_key)
        pulses, targets = self._traces(onsets, signs)
        inputs = pulses + self.noise * jax.random.normal(noise_key, pulses.shape)
        if self.published_defects:
            targets = targets.at[-1].set(0.0)
        return Trial(inputs, targets, self._mask(targets))

    def ideal_observer(self, inputs: np.ndarray) -> np.ndarray:
        signs = np.sign(inputs) * (np.abs(inputs) > self.amplitude / 2)
        before = np.pad(signs, ((0, 0), (1, 0), (0, 0)))[:, :-1]
        onsets = np.where((signs != 0) & (before != signs), signs, 0)
        answered = np.pad(onsets, ((0, 0), (self.latency, 0), (0, 0)))[:, : inputs.shape[1]]
        time = np.arange(inputs.shape[1])[:, None]
        last = np.maximum.accumulate(np.where(answered != 0, time, 0), axis=1)
        held = np.take_along_axis(answered, last, axis=1)
        if self.published_defects:
            held[:, self.steps - 1 :] = 0.0
        return held

    def ideal(self) -> float:
        return 1.0

    def chance(self) -> float:
        return best_guess(self.replace(bits=1), self.bits)

    def varied(self, name: str, value: Any) -> Task:
        if name == "pulse":
            if not (isinstance(value, (int, float)) and value >= 1 and float(value).is_integer()):
                raise InvalidSetting(
                    f"pulse = {shown(value)} is not allowed: a whole number of steps, 1 or more"
                )
            return self.replace(pulse=int(value), delay=max(0, self.latency - int(value)))
        return super().varied(name, value)

    def conditions(self) -> dict[str, list[Any]]:
        scale = [0.2, 0.4, 0.6, 0.8, 1.0, 1.25, 1.5, 2.0]
        longest = self.steps - self.first_onset[1] - 1
        widths = sorted({max(1, round(self.pulse * factor)) for factor in scale})
        return {
            "noise": [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0],
            "amplitude": [round(self.amplitude * factor, 6) for factor in scale],
            "pulse": [width for width in widths if width <= longest],
        }

    def probe(self, sample: Trials | None = None) -> Trials:
        return self.walk() if self.memory_bits else super().probe(sample)

    @property
    def memory_bits(self) -> int:
        return self.bits if self.bits <= MOST_WALKED else 0

    def scored(self) -> Task:
        return self.replace(score_last_step=False) if self.published_defects else self

    def mask_with_spoiled(self, trials: Trials) -> np.ndarray | None:
        # the last step counts where the one before it does: that is when a channel has begun
        if not self.published_defects:
            return None
        mask = trials.mask.copy()
        mask[:, -1] = mask[:, -2]
        return mask

    def network_settings(self) -> Section:
        # without bias or gain: an orthogonal matrix holds signs as it is
        return {"units": 96, "tau": 10 * self.dt, "dt": self.dt}

    def rule_settings(self, network: NetworkFacts) -> Section:
        # the defaults are for the paper's network, whose units do not leak; others bear more
        if not network.rates or network.constrained:
            return super().rule_settings(network)
        return {} if network.leak == 1 else {"learning_rate": 2.5e-2, "steps": 650}

    def walk(self, every: int | None = None, start: int = 30) -> Trials:
        """One noiseless trial that takes the memory through all 2**bits states, twice.

        Channel signs alternate with half-periods of 2, 1, 4, 8, … pulses: for 3 bits the published
        test set (+ + - -, + -, + + + + - - - -; 16 pulses).

        Parameters
        ----------
        every : int, optional
            Steps from one pulse (in every channel) to the next; 30 more than the latency when None,
            70 in the published task.
        start : int
            The step of the first pulse.

        Returns
        -------
        Trials
            Arrays (1, time, bits); targets are 0 before the first update.
        """
        every = self.latency + 30 if every is None else every
        if every <= self.pulse or start < 0:
            raise InvalidSetting(
                f"every = {every}, start = {start} is not allowed: every more than the pulse's "
                f"{self.pulse} steps, start 0 or more"
            )
        n_pulses = 2 * 2**self.bits
        half_periods = [1] if self.bits == 1 else [2, 1, *(2**i for i in range(2, self.bits))]
        signs = np.stack([1 - 2 * (np.arange(n_pulses) // h % 2) for h in half_periods], axis=1)
        onsets = np.repeat(start + every * np.arange(n_pulses)[:, None], self.bits, axis=1)
        last_onset = start + every * (n_pulses - 1)
        length = last_onset + max(every - self.pulse, self.latency + 10)
        pulses, targets = self._walk_traces(onsets, signs, length)
        mask = np.ones_like(targets)
        if not self.neutral_start:
            mask = (targets != 0).astype(np.float32)
        return Trials(pulses[None], targets[None], mask[None], self.dt)

    def machine(self) -> Machine:
        """The flip-flop as a machine: a pulse sets its channel, silence leaves it as it is.

        Returns
        -------
        Machine
            States: -1 and +1 in each channel, and 0 (nothing stored yet) where the task starts at
            0. Inputs: a positive pulse, a negative one or none in each channel, all combinations of
            them up to 3 bits, one channel at a time beyond. A block lasts as long as two pulses may
            be apart at least.
        """
        levels = (-1, 0, 1) if self.neutral_start else (-1, 1)
        outputs = np.array(list(product(levels, repeat=self.bits)), float)
        signs = np.array(list(product((-1, 0, 1), repeat=self.bits)))
        if self.bits > 3:
            signs = signs[np.abs(signs).sum(axis=1) <= 1]
        index = {tuple(row): i for i, row in enumerate(outputs.tolist())}
        follows = np.where(signs != 0, signs, outputs[:, None, :]).astype(float)
        return Machine(
            states=tuple(_named(row) for row in outputs),
            outputs=outputs,
            inputs=tuple(_named(row) for row in signs),
            pulses=self.amplitude * np.repeat(signs[:, None].astype(float), self.pulse, axis=1),
            transitions=np.array([[index[tuple(q)] for q in row] for row in follows.tolist()]),
            silent=int(np.flatnonzero(~signs.any(axis=1))[0]),
            start=index[(0.0,) * self.bits] if self.neutral_start else None,
            rest=max(self.delay + 1, int(self._gap_ranges()[:, 0].min(initial=self.steps))),
            hold=max(self.delay + 1, int(self._gap_ranges()[:, 1].max(initial=self.delay + 1))),
            noise=self.noise,
        )

    def _walk_traces(
        self, onsets: np.ndarray, signs: np.ndarray, length: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """As `_traces`, pulse after pulse: a long walk would not fit in one (pulse, time) array."""
        pulses = np.zeros((length, self.bits), np.float32)
        targets = np.zeros_like(pulses)
        for row, row_signs in zip(onsets, signs, strict=True):
            for channel, (onset, sign) in enumerate(zip(row, row_signs, strict=True)):
                pulses[onset : onset + self.pulse, channel] = self.amplitude * sign
                targets[onset + self.latency :, channel] = sign
        return pulses, targets

    def _named_gaps(self) -> list[tuple[str, StepRange]]:
        if self.gaps and isinstance(self.gaps[0], tuple):
            return [(f"gaps[{i}]", gap) for i, gap in enumerate(self.gaps)]
        return [("gaps", self.gaps)]  # type: ignore[list-item]

    def _gap_ranges(self) -> np.ndarray:
        """(gap, 2): shortest and longest silence before pulse 2, 3, …"""
        ranges = [gap for _, gap in self._named_gaps()]
        if not isinstance(self.gaps[0], tuple):
            ranges = ranges * self._most_gaps()
        return np.array(ranges, dtype=np.int32).reshape(-1, 2)

    def _most_gaps(self) -> int:
        """How many gaps there are, or fit into a trial at the most."""
        if isinstance(self.gaps[0], tuple):
            return len(self.gaps)
        room = self.steps - self.latency - self.first_onset[0] - 1
        return room // (self.pulse + self.gaps[0])

    def _pulses(self, key: jax.Array) -> tuple[jax.Array, jax.Array]:
        """(pulse, bits) each: the step at which a pulse starts; its sign, 0 if it is left out."""
        waits = np.concatenate([[self.first_onset], self._gap_ranges()])
        low, count = waits[:, :1], waits[:, 1:] - waits[:, :1] + 1
        # one draw for all that is random here: every call of the generator costs compile time
        draws = jax.random.uniform(key, (2 * len(waits) + 1, self.bits))
        chance, signed, skipped = draws[: len(waits)], draws[len(waits) : -1], draws[-1]
        wait = low + jnp.floor(chance * count).astype(int)
        onsets = jnp.cumsum(wait, axis=0) + self.pulse * jnp.arange(len(waits))[:, None]
        signs = jnp.where(signed < 0.5, -1.0, 1.0)
        signs = signs.at[0].multiply(skipped >= self.skip_first)
        if self.published_defects:
            return onsets, signs
        return onsets, jnp.where(onsets + self.latency < self.steps, signs, 0.0)

    def _traces(self, onsets: jax.Array, signs: jax.Array) -> tuple[jax.Array, jax.Array]:
        """(steps, bits) each: the pulses without noise, and the targets."""
        time = jnp.arange(self.steps)[:, None]
        pulses = jnp.zeros((self.steps, self.bits))
        targets = jnp.zeros((self.steps, self.bits))
        for onset, sign in zip(onsets, signs, strict=True):
            inside = (time >= onset) & (time < onset + self.pulse)
            pulses = pulses + jnp.where(inside, self.amplitude * sign, 0.0)
            targets = jnp.where((time >= onset + self.latency) & (sign != 0), sign, targets)
        return pulses, targets

    def _mask(self, targets: jax.Array) -> jax.Array:
        mask = jnp.ones_like(targets)
        if not self.neutral_start:
            started = jnp.cumsum(jnp.abs(targets), axis=0) > 0
            mask = started.astype(targets.dtype)
        return mask if self.score_last_step else mask.at[-1].set(0.0)


def _named(signs: np.ndarray) -> str:
    """[1, -1, 0] as '+-0'."""
    return "".join("-0+"[int(sign) + 1] for sign in signs)
