"""Tasks that are answered by choosing: keep fixating, then pick one of several options."""

from __future__ import annotations

from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np
from pydantic import Field

from attractory.tasks._constant import ConstantInput
from attractory.tasks._epochs import EpochTask, Timeline
from attractory.tasks._task import Trial, Trials

NOTHING = -1.0  # the answer of a trial in which no option may be chosen


class ChoiceTask(EpochTask):
    """A task with a fixation output and one output for each option.

    While a trial asks for no answer the fixation output should be 1 and the others 0; in an answer
    epoch fixation should be 0 and the option that is correct 1. The option taken in an answer epoch
    is the largest output, averaged over the epoch; the largest being fixation means none.

    What is correct in the k-th answer epoch is the condition "answer" (one answer epoch) or
    "answer_1", "answer_2", …: index of the option, -1 where no option may be chosen, NaN where
    nothing tells the answer: it is then neither asked for nor scored.

    Parameters
    ----------
    weight_before : float
        Weight in the loss of the times at which no answer is asked for.

    Notes
    -----
    A trial is answered correctly where all of its answers are; one in which none could be known
    counts as NaN.
    """

    answer_epochs: ClassVar[tuple[str, ...]] = ("decision",)

    weight_before: float = Field(default=0.2, gt=0, le=1)

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.output_names = ("fixation", *cls.options)

    def answered(
        self,
        inputs: jax.Array,
        timeline: Timeline,
        answers: tuple[jax.Array, ...],
        conditions: dict[str, jax.Array],
    ) -> Trial:
        """The trial with these inputs whose answer epochs have these answers.

        Parameters
        ----------
        inputs : array (time, input)
            What the trial shows.
        timeline : Timeline
            When its epochs are.
        answers : tuple of scalar arrays
            What is correct in each answer epoch: index of the option, -1 or NaN (see the class).
        conditions : dict of scalar arrays
            The trial's conditions by name, without its answers.

        Returns
        -------
        Trial
            The trial with targets, mask and epochs; its answers are among its conditions.
        """
        names = self._answer_names()
        asking = [timeline.during[epoch] for epoch in self.answer_epochs]
        options = jnp.zeros((self.n_steps, len(self.options)))
        released, unknown = jnp.zeros(self.n_steps), jnp.zeros(self.n_steps)
        for during, answer in zip(asking, answers, strict=True):
            correct = jnp.arange(len(self.options)) == answer
            options = options + during[:, None] * correct
            released = released + during * (answer != NOTHING)
            unknown = unknown + during * jnp.isnan(answer)
        trial = timeline.anywhere_in(*timeline.during)
        targets = jnp.concatenate([(trial * (1 - released))[:, None], options], axis=1)
        weight = jnp.where(sum(asking) > 0, 1.0, self.weight_before * trial)
        mask = jnp.repeat(weight[:, None], 1 + len(self.options), axis=1)
        mask = mask.at[:, 1:].multiply(1 - unknown[:, None])
        given = dict(zip(names, answers, strict=True))
        return Trial(inputs, targets, mask, timeline.limits, {**conditions, **given})

    def chosen(self, outputs: np.ndarray, trials: Trials) -> np.ndarray:
        """The option taken in each answer epoch.

        Parameters
        ----------
        outputs : array (trial, time, output)
            The outputs of a network.
        trials : Trials
            The trials that they answer.

        Returns
        -------
        array (trial, answer)
            The index of the option; -1 where fixation was kept.
        """
        taken = []
        for epoch in self.answer_epochs:
            during = trials.during(epoch)[..., None]
            mean = (outputs * during).sum(1) / np.maximum(during.sum(1), 1)
            taken.append(mean.argmax(1) - 1)
        return np.stack(taken, axis=1)

    def correct(self, outputs: np.ndarray, trials: Trials) -> np.ndarray:
        asked = np.stack([trials.conditions[name] for name in self._answer_names()], axis=1)
        known = ~np.isnan(asked)
        correct = (self.chosen(outputs, trials) == asked) | ~known
        return np.where(known.any(1), correct.all(1), np.nan)

    def chance(self) -> float:
        return float((1 / len(self.options)) ** len(self.answer_epochs))

    def decided(self, fixating: np.ndarray, options: np.ndarray) -> np.ndarray:
        """The outputs of an observer, from what it would take and whether it fixates.

        Parameters
        ----------
        fixating : array of bool (trial, time)
            Whether it keeps fixating.
        options : array of int (trial, time)
            Index of the option that it would take, -1 for none, at every time.

        Returns
        -------
        array (trial, time, output)
            Fixation and options, 1 or 0 each.
        """
        going = ~fixating & (options >= 0)
        taken = options[..., None] == np.arange(len(self.options))
        return np.concatenate([~going[..., None], going[..., None] & taken], axis=-1).astype(float)

    def constant_inputs(self) -> tuple[ConstantInput, ...]:
        """Fixation alone, as in a delay, where that is what the first channel is called.

        Returns
        -------
        tuple of ConstantInput
            That one, or none.
        """
        if self.input_names[:1] != ("fixation",):
            return ()
        return (ConstantInput("fixation alone", np.eye(self.n_inputs)[0]),)

    def _answer_names(self) -> tuple[str, ...]:
        if len(self.answer_epochs) == 1:
            return ("answer",)
        return tuple(f"answer_{i + 1}" for i in range(len(self.answer_epochs)))


def after_fixation(inputs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(trial, time) of bool from inputs whose first channel is fixation: it is on; it was on."""
    on = inputs[..., 0] > 0.5
    return on, np.logical_or.accumulate(on, axis=1) & ~on


def picked(key: jax.Array, values: tuple[float, ...]) -> jax.Array:
    """One of several values, each as likely."""
    return jax.random.choice(key, jnp.asarray(values, jnp.float32))
