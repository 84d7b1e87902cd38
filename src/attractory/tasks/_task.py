"""What a task is: settings, and one method that makes one trial."""

from __future__ import annotations

from functools import cached_property
from typing import Any, ClassVar

import jax
import numpy as np
from pydantic import Field

from attractory._arguments import a_flag, a_name, takes
from attractory._errors import InvalidSetting, nearest, shown
from attractory._settings import Settings
from attractory.tasks._constant import InputFacts
from attractory.tasks._evidence import EvidenceStream
from attractory.tasks._holding import HoldingFacts
from attractory.tasks._machine import Machine
from attractory.tasks._recipe import NetworkFacts, Section, usual_network, usual_rule
from attractory.tasks._sampling import checked_shapes, sampled, trials_of
from attractory.tasks._trial import Batch, Trial, Trials

PROBED = 16  # trials in which states are shown: as many as can be told apart in one picture
MOST_STEPS = 1_000_000  # of a trial: more is a mistake in dt or in a duration


class Task(HoldingFacts, InputFacts, Settings):
    """Base of every task. A task's author writes the settings as fields, and `trial`.

    `trial(key)` makes one trial from a JAX random key, in JAX operations, so that it can be
    vectorised over trials and compiled into the training step. Everything else (batches, seeds,
    sizes, checks) comes from here. Where a task can, it also says how good one can be at it:
    `ideal_observer`, `ideal` and `chance`.

    A trial is answered correctly where at `share_needed` of its counted points the output is within
    `tolerance` of the target; a task that is answered otherwise overrides `correct`.

    Parameters
    ----------
    dt : float
        Length of one step (ms).
    """

    name: ClassVar[str] = ""
    input_names: ClassVar[tuple[str, ...]] = ()  # of the channels, for figures; () numbers them
    output_names: ClassVar[tuple[str, ...]] = ()
    tolerance: ClassVar[float] = 0.5
    share_needed: ClassVar[float] = 0.9
    # of tasks that are answered by choosing: the options in the order of `chosen`, the epochs in
    # which they are chosen, and the condition that a psychometric curve is drawn over
    options: ClassVar[tuple[str, ...]] = ()
    answer_epochs: ClassVar[tuple[str, ...]] = ()
    evidence: ClassVar[str | None] = None
    evidence_streams: ClassVar[tuple[EvidenceStream, ...]] = ()  # where in the inputs it is shown
    # conditions that are numbers which states may follow, for the page's task geometry; the values
    # of one that is called "context" stand beside one another there
    task_variables: ClassVar[tuple[str, ...]] = ()
    # the figure in `attractory.figures` that shows what this task asks for, by its name
    picture: ClassVar[str | None] = None
    # where the class is not known in this process: the line that says so, and what makes it known
    missing: ClassVar[str | None] = None

    dt: float = Field(default=1.0, gt=0, description="length of one step (ms)")

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "name" not in cls.__dict__:
            cls.name = cls.__name__.lower()

    def trial(self, key: jax.Array) -> Trial:
        """One trial from one random key.

        Parameters
        ----------
        key : JAX random key
            What all that is random in the trial is drawn from.

        Returns
        -------
        Trial
            Inputs, targets, and what else there is to say of it.
        """
        raise NotImplementedError(f"{type(self).__name__} must define trial(self, key)")

    @property
    def n_inputs(self) -> int:
        """Number of input channels."""
        return self._shapes.inputs.shape[1]

    @property
    def n_outputs(self) -> int:
        """Number of output channels."""
        return self._shapes.targets.shape[1]

    @property
    def n_steps(self) -> int:
        """Number of time steps in a trial."""
        return self._shapes.inputs.shape[0]

    def batch(self, keys: jax.Array) -> Batch:
        """One trial for each of an array of keys.

        Pure: it can be called inside a compiled function.

        Parameters
        ----------
        keys : array of JAX random keys (trial,)
            What the trials are made from.

        Returns
        -------
        Batch
            The trials.
        """
        return trials_of(self, keys)[0]

    @takes(compiled=a_flag)
    def sample(self, n: int, seed: int = 0, compiled: bool = True) -> Trials:
        """Independent trials; the same seed gives the same trials.

        Trial i depends on the seed and on i alone: a larger `n` repeats the smaller's trials.

        Parameters
        ----------
        n : int
            How many.
        seed : int
            What they are drawn from.
        compiled : bool
            False saves the second that it takes to compile a task's generator, for a few trials of
            a task that is used once; values may differ by rounding.

        Returns
        -------
        Trials
            The trials, as NumPy arrays.

        Raises
        ------
        InvalidSetting
            When n < 1, when the seed is no integer, when the trials would not fit into memory, and
            when the task's values are none to train on (not finite, a negative mask, nothing that
            counts).
        """
        return sampled(self, n, seed, compiled)

    @property
    def epoch_names(self) -> tuple[str, ...]:
        """The parts of a trial, in order; none by default."""
        return ()

    def correct(self, outputs: np.ndarray, trials: Trials) -> np.ndarray:
        """Whether outputs answer the trials.

        Parameters
        ----------
        outputs : array (trial, time, output)
            The outputs of a network.
        trials : Trials
            The trials that they answer.

        Returns
        -------
        array (trial,)
            1 correct, 0 wrong; NaN where there is nothing that could be answered.
        """
        near = np.abs(outputs - trials.targets) < self.tolerance
        counted = trials.mask > 0
        share = (near & counted).sum((1, 2)) / np.maximum(counted.sum((1, 2)), 1)
        return np.where(counted.any((1, 2)), share >= self.share_needed, np.nan)

    def chosen(self, outputs: np.ndarray, trials: Trials) -> np.ndarray:
        """The option taken in each answer.

        Parameters
        ----------
        outputs : array (trial, time, output)
            The outputs of a network.
        trials : Trials
            The trials that they answer.

        Returns
        -------
        array (trial, answer)
            The index of the option; -1 where none was taken.

        Raises
        ------
        InvalidSetting
            Where the task has no options.
        """
        raise InvalidSetting(
            f"task {shown(self.name)} is not answered by choosing between options "
            "(it has no `options` and no method chosen())"
        )

    def ideal_observer(self, inputs: np.ndarray) -> np.ndarray:
        """What an ideal observer answers.

        It knows the task's settings and, at each time, the inputs up to then; without noise its
        outputs are the targets.

        Parameters
        ----------
        inputs : array (trial, time, input)
            What it sees.

        Returns
        -------
        array (trial, time, output)
            Its outputs.

        Raises
        ------
        InvalidSetting
            Where the task defines none.
        """
        raise InvalidSetting(
            f"task {shown(self.name)} defines no ideal observer (a method ideal_observer())"
        )

    def ideal(self) -> float:
        """The share of trials that the ideal observer answers correctly.

        Returns
        -------
        float
            The share, 0 to 1.

        Raises
        ------
        InvalidSetting
            Where the task does not state it.
        """
        raise InvalidSetting(
            f"task {shown(self.name)} does not state its ideal score (a method ideal())"
        )

    def chance(self) -> float:
        """The share of trials answered correctly by the best answer that ignores the inputs.

        Returns
        -------
        float
            The share, 0 to 1.

        Raises
        ------
        InvalidSetting
            Where the task does not state it.
        """
        raise InvalidSetting(f"task {shown(self.name)} does not state its chance level (chance())")

    @takes(name=a_name)
    def varied(self, name: str, value: Any) -> Task:
        """The task with one condition changed, the rest of what is asked kept as it was.

        Robustness curves are made with it. A task overrides it where a field cannot be changed
        alone without changing the question.

        Parameters
        ----------
        name : str
            The setting.
        value : object
            Its new value.

        Returns
        -------
        Task
            The task with it.

        Raises
        ------
        InvalidSetting
            For a name that is no setting of the task.
        """
        if name not in type(self).model_fields:
            raise InvalidSetting(
                f"vary = {shown(name)} is no setting of {self.name}; "
                + nearest(name, type(self).model_fields)
            )
        return self.replace(**{name: value})

    def conditions(self) -> dict[str, list[Any]]:
        """Settings worth varying in robustness curves.

        Returns
        -------
        dict of list
            Values of each by its name; none by default.
        """
        return {}

    def machine(self) -> Machine:
        """The machine of discrete states that the task asks for, where there is one.

        A task's author defines it to have networks tested as automata.

        Returns
        -------
        Machine
            Its states, inputs and transitions.

        Raises
        ------
        InvalidSetting
            Where the task defines none.
        """
        raise InvalidSetting(
            f"task {shown(self.name)} defines no machine of states (a method machine()); "
            "an automaton cannot be tested on it"
        )

    def probe(self, sample: Trials | None = None) -> Trials:
        """The trials in which the states of networks are shown: the first 16 of a sample.

        A task overrides it where there are trials that show more of it, such as a walk through all
        of its states.

        Parameters
        ----------
        sample : Trials, optional
            Trials of this task that are there already; drawn when None.

        Returns
        -------
        Trials
            The trials to show.
        """
        return (self.sample(PROBED) if sample is None else sample).first(PROBED)

    @property
    def memory_bits(self) -> int:
        """How many signs the task asks to hold, all combinations of which occur in `probe`.

        The states that hold them may make a cube of so many dimensions. 0: no such memory.
        """
        return 0

    def scored(self) -> Task:
        """The task as its networks are scored: without steps that its generator spoils.

        Returns
        -------
        Task
            The task itself where there are none.
        """
        return self

    def mask_with_spoiled(self, trials: Trials) -> np.ndarray | None:
        """The mask of trials of the scored task with such spoiled steps counted as well.

        Parameters
        ----------
        trials : Trials
            Trials of the scored task.

        Returns
        -------
        array (trial, time, output) or None
            The mask; None where the generator spoils none.
        """
        return None

    def network_settings(self) -> Section:
        """The network by which the task is learned.

        `attractory.recipe(task)` makes the model of them. A task overrides it where another network
        learns it better; without a dt the model takes the task's.

        Returns
        -------
        dict
            The settings of its model: of a rate network, unless they say another cell or model
            under "name" ("gru", "CurrentRNN").
        """
        return usual_network(self.dt)

    def rule_settings(self, network: NetworkFacts) -> Section:
        """The learning rule for such a network.

        A task overrides it where another rule, or more of it, is needed.

        Parameters
        ----------
        network : NetworkFacts
            What is known of the network.

        Returns
        -------
        dict
            The rule's settings: of `BPTT`, unless they say another registered rule under "name"
            ("BPTT", "MyRule").
        """
        return usual_rule(network)

    @cached_property
    def _shapes(self) -> Trial:
        return checked_shapes(self)
