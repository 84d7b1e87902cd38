"""Boolean operations on pulses, held in memory; and all three of them in one network."""

from __future__ import annotations

from typing import Any, ClassVar, Self

import jax
import jax.numpy as jnp
import numpy as np
from pydantic import Field

from attractory.tasks._epochs import Duration, EpochTask, Milliseconds, PositiveMilliseconds
from attractory.tasks._task import Trial

Truth = tuple[int, ...]  # the answer for each combination of inputs, the first input counting most

_AND, _OR, _XOR = (0, 0, 0, 1), (0, 1, 1, 1), (0, 1, 1, 0)


class Boolean(EpochTask):
    """An operation on simultaneous pulses: its truth value is held to the end of the trial.

    Each input gets a pulse of height 1 or none (each with chance 1/2), all at the same time;
    `delay` after their end the output goes to the operation's truth value, 0 or 1, and stays there.
    The output is at the baseline before.

    Inputs: A (and B). Output: one. Times in ms. Conditions: a (and b), answer. `paper` has the
    author's versions.

    Parameters
    ----------
    before, pulse, delay, answer : float
        Durations of the epochs (ms).
    sigma : float
        Noise on the inputs, per √ms (at dt = 1 ms the standard deviation of a step).
    baseline : float
        What is asked for before the answer.

    Notes
    -----
    The ideal observer reads each pulse by its mean over the time at which it may come. Its score is
    1: with the usual noise the mean of a pulse is 22 standard deviations from half of it.

    References
    ----------
    Jarne & Laje (2023), Biol. Cybern. 117:141, and the author's RNN_study_with_keras.
    """

    truth: ClassVar[Truth] = ()
    _published: ClassVar[dict[str, Any]] = {}  # settings of the author's version
    input_names: ClassVar[tuple[str, ...]] = ("A", "B")
    task_variables: ClassVar[tuple[str, ...]] = ("a", "b")
    parts: ClassVar[tuple[str, ...]] = ("before", "pulse", "delay", "answer")
    held: ClassVar[tuple[str, ...]] = ("answer",)
    newer_fields: ClassVar[tuple[str, ...]] = ("baseline",)

    before: Milliseconds = 30.0
    pulse: PositiveMilliseconds = 20.0
    delay: Milliseconds = 20.0
    answer: PositiveMilliseconds = 130.0
    sigma: float = Field(default=0.1, ge=0, allow_inf_nan=False)
    baseline: float = Field(default=0.0, allow_inf_nan=False)

    @classmethod
    def paper(cls, **changes: Any) -> Self:
        """The author's version of the operation (the generators in the folder of the paper).

        XOR and NOT are as in the package but for a baseline of 0.01. OR has that baseline and no
        noise; AND has no baseline, no noise, and an answer that lasts 140 steps. In the folder of
        the paper the noise of XOR and NOT is switched off as well; in the author's other version it
        is there. Most of the networks are named as trained with noise, whatever their operation:
        `paper(sigma=0.1)` shows it.

        Parameters
        ----------
        **changes : settings
            Single settings that are to be others.

        Returns
        -------
        Boolean
            The task, of the class that is asked.
        """
        return cls(**{**cls._published, **changes})

    def trial(self, key: jax.Array) -> Trial:
        time_key, bit_key, noise_key = jax.random.split(key, 3)
        timeline = self.timeline(time_key)
        n = (len(self.truth) - 1).bit_length()
        bits = jax.random.bernoulli(bit_key, shape=(n,)).astype(int)
        value = jnp.array(self.truth)[_index(bits)].astype(float)
        pulses = timeline.during["pulse"][:, None] * bits
        noise = self.white_noise(noise_key, n, self.sigma)
        conditions = {"ab"[i]: bits[i] for i in range(n)}
        return Trial(
            inputs=pulses + noise,
            targets=jnp.where(timeline.during["answer"], value, self.baseline)[:, None],
            epochs=timeline.limits,
            conditions={**conditions, "answer": value},
        )

    def ideal_observer(self, inputs: np.ndarray) -> np.ndarray:
        bits = _read(inputs, self.steps_of(self.before), self.steps_of(self.pulse))
        value = np.array(self.truth)[_index(bits.T)]
        start = self.n_steps - self.steps_of(self.answer)
        held = np.arange(inputs.shape[1]) >= start
        return np.where(held, value[:, None], self.baseline)[..., None]

    def ideal(self) -> float:
        return 1.0

    def chance(self) -> float:
        ones = float(np.mean(self.truth))
        return max(ones, 1 - ones)

    def conditions(self) -> dict[str, list[float]]:
        return {"sigma": [0.0, 0.1, 0.2, 0.4, 0.8]}


class And(Boolean):
    """A and B of two pulses, held in memory: 1 where both came. Settings as in `Boolean`."""

    name: ClassVar[str] = "and"
    truth: ClassVar[Truth] = _AND
    _published: ClassVar[dict[str, Any]] = {"answer": 140.0, "sigma": 0.0}


class Or(Boolean):
    """A or B of two pulses, held in memory: 1 where any came. Settings as in `Boolean`."""

    name: ClassVar[str] = "or"
    truth: ClassVar[Truth] = _OR
    _published: ClassVar[dict[str, Any]] = {"baseline": 0.01, "sigma": 0.0}


class Xor(Boolean):
    """Either A or B of two pulses, held in memory: 1 where just one came. As in `Boolean`."""

    name: ClassVar[str] = "xor"
    truth: ClassVar[Truth] = _XOR
    _published: ClassVar[dict[str, Any]] = {"baseline": 0.01}


class Not(Boolean):
    """Not A: 1 where no pulse came, from the time of the answer on. Settings as in `Boolean`."""

    name: ClassVar[str] = "not"
    task_variables: ClassVar[tuple[str, ...]] = ("a",)
    truth: ClassVar[Truth] = (1, 0)
    _published: ClassVar[dict[str, Any]] = {"baseline": 0.01}


class ContextBoolean(EpochTask):
    """AND, OR or XOR of two pulses, as a context pulse before them tells.

    The context pulse is +1 for AND, -1 for OR; none for XOR. After a gap come the pulses of A and
    B, each there or not with chance 1/2; `delay` after their end the output takes the truth value,
    0 or 1, and holds it to the end of the trial.

    Inputs: A, B, context. Output: one. Times in ms. Conditions: context (1, -1, 0), a, b, answer.
    `paper` has the author's version.

    Parameters
    ----------
    before : Duration
        Time before the context pulse (ms).
    context, gap, pulse, delay, answer : float
        Durations of the other epochs (ms).
    sigma : float
        Noise on the inputs, per √ms.

    Notes
    -----
    The ideal observer reads context and pulses by their means over the times at which they may
    come. Its score is 1: with the usual noise every mean is 22 standard deviations from half of a
    pulse. Where `before` is random it takes the first input that is nearer to a pulse than to none
    for the begin of one. (With noise of 0.1 such an input is 5 standard deviations away.)

    References
    ----------
    Jarne (2021), J. Phys. Complex. 2:015009, and the author's multitasking_RNN.
    """

    name: ClassVar[str] = "context_boolean"
    input_names: ClassVar[tuple[str, ...]] = ("A", "B", "context")
    task_variables: ClassVar[tuple[str, ...]] = ("a", "b", "context")
    parts: ClassVar[tuple[str, ...]] = ("before", "context", "gap", "pulse", "delay", "answer")
    held: ClassVar[tuple[str, ...]] = ("answer",)

    before: Duration = 30.0
    context: PositiveMilliseconds = 20.0
    gap: Milliseconds = 20.0
    pulse: PositiveMilliseconds = 20.0
    delay: Milliseconds = 20.0
    answer: PositiveMilliseconds = 110.0
    sigma: float = Field(default=0.1, ge=0, allow_inf_nan=False)

    @classmethod
    def paper(cls, **changes: Any) -> Self:
        """The author's version (the generator of three tasks in multitasking_RNN).

        From the source: 290 steps without noise; the context pulse begins at a step from 21 to 70,
        each as likely, the pulses of A and B 40 steps after it, the answer 80 steps after it.
        (In the generator of two tasks, without XOR, it always begins at step 20.) Left out: there
        the answer goes on to the last step but one, here it ends after 140 steps and nothing is
        asked for afterwards, so that it counts as much in every trial.

        Parameters
        ----------
        **changes : settings
            Single settings that are to be others.

        Returns
        -------
        ContextBoolean
            The task.
        """
        return cls(**{"before": (21.0, 70.0), "answer": 140.0, "sigma": 0.0, **changes})

    def trial(self, key: jax.Array) -> Trial:
        time_key, context_key, bit_key, noise_key = jax.random.split(key, 4)
        timeline = self.timeline(time_key)
        context = jax.random.randint(context_key, (), -1, 2)
        bits = jax.random.bernoulli(bit_key, shape=(2,)).astype(int)
        value = jnp.array([_OR, _XOR, _AND])[context + 1, _index(bits)].astype(float)
        pulses = timeline.during["pulse"][:, None] * bits
        told = timeline.during["context"][:, None] * context
        noise = self.white_noise(noise_key, 3, self.sigma)
        return Trial(
            inputs=jnp.concatenate([pulses, told], axis=1) + noise,
            targets=value * timeline.during["answer"][:, None],
            mask=timeline.anywhere_in(*self.parts)[:, None],
            epochs=timeline.limits,
            conditions={"context": context, "a": bits[0], "b": bits[1], "answer": value},
        )

    def ideal_observer(self, inputs: np.ndarray) -> np.ndarray:
        told, width = self._told(inputs), self.steps_of(self.context)
        context = np.rint(_mean(inputs[..., 2:], told, width)[:, 0]).clip(-1, 1).astype(int)
        shown, width = told + width + self.steps_of(self.gap), self.steps_of(self.pulse)
        bits = (_mean(inputs[..., :2], shown, width) > 0.5).astype(int)
        value = np.array([_OR, _XOR, _AND])[context + 1, _index(bits.T)]
        held = np.arange(inputs.shape[1]) >= (shown + width + self.steps_of(self.delay))[:, None]
        return (held * value[:, None])[..., None].astype(float)

    def ideal(self) -> float:
        return 1.0

    def chance(self) -> float:
        return 0.5

    def conditions(self) -> dict[str, list[float]]:
        return {"sigma": [0.0, 0.1, 0.2, 0.4, 0.8]}

    def _told(self, inputs: np.ndarray) -> np.ndarray:
        """(trial,): the step at which the context is told, as far as the inputs say."""
        if isinstance(self.before, float):
            return np.full(len(inputs), self.steps_of(self.before))
        context = _first(np.abs(inputs[..., 2]) > 0.5)
        pulse = _first(np.any(inputs[..., :2] > 0.5, axis=2))
        earlier = self.steps_of(self.context) + self.steps_of(self.gap)
        return np.minimum(context, pulse - earlier).clip(0)


def _first(where: np.ndarray) -> np.ndarray:
    """(trial,): the first step of (trial, time) that is true; far beyond the last where none is."""
    return np.where(where.any(1), where.argmax(1), 2 * where.shape[1])


def _mean(inputs: np.ndarray, start: np.ndarray, width: int) -> np.ndarray:
    """(trial, input): means over so many steps from (trial,) on, as far as there are any."""
    steps = (start[:, None] + np.arange(width)).clip(max=inputs.shape[1] - 1)
    return np.take_along_axis(inputs, steps[..., None], axis=1).mean(1)


def _index(bits: jax.Array | np.ndarray) -> jax.Array | np.ndarray:
    """The row of a truth table for bits (input, …)."""
    index = bits[0]
    for bit in bits[1:]:
        index = 2 * index + bit
    return index


def _read(inputs: np.ndarray, start: int, width: int) -> np.ndarray:
    """(trial, input): 1 where the mean over a time is nearer to 1 than to 0."""
    return (inputs[:, start : start + width].mean(1) > 0.5).astype(int)
