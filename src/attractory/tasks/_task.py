"""What a task is: settings, and one method that makes one trial."""

from __future__ import annotations

from functools import cached_property, lru_cache
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np
from pydantic import Field

from attractory._arguments import a_flag, a_name, takes
from attractory._cores import check_memory
from attractory._errors import InvalidSetting, nearest, shown, whole_number
from attractory._settings import Settings
from attractory.tasks._machine import Machine
from attractory.tasks._recipe import NetworkFacts, Section, usual_network, usual_rule
from attractory.tasks._trial import Batch, Trial, Trials
from attractory.tasks._trial_checks import check_values, checked

PROBED = 16  # trials in which states are shown: as many as can be told apart in one picture
MOST_STEPS = 1_000_000  # of a trial: more is a mistake in dt or in a duration


class Task(Settings):
    """Base of every task. A task's author writes the settings as fields, and `trial`.

    `trial(key)` makes one trial from a JAX random key, in JAX operations, so that it can be
    vectorised over trials and compiled into the training step. Everything else (batches, seeds,
    sizes, checks) comes from here. Where a task can, it also says how good one can be at it:
    `ideal_observer`, `ideal` and `chance`.

    A trial is answered correctly where at `share_needed` of its counted points the output is within
    `tolerance` of the target; a task that is answered otherwise overrides `correct`.
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
    # the figure in `attractory.figures` that shows what this task asks for, by its name
    picture: ClassVar[str | None] = None

    dt: float = Field(default=1.0, gt=0, description="length of one step (ms)")

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "name" not in cls.__dict__:
            cls.name = cls.__name__.lower()

    def trial(self, key: jax.Array) -> Trial:
        """One trial from one random key."""
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
        """
        return self._trials(keys)[0]

    def _trials(self, keys: jax.Array) -> tuple[Batch, Any, dict[str, Any]]:
        """One trial for each key in float32, their epochs (or None), their conditions."""
        made = jax.vmap(self.trial)(keys)
        mask = jnp.ones_like(made.targets) if made.mask is None else made.mask
        batch = Batch(*(x.astype(jnp.float32) for x in (made.inputs, made.targets, mask)))
        return batch, made.epochs, made.conditions or {}

    @takes(compiled=a_flag)
    def sample(self, n: int, seed: int = 0, compiled: bool = True) -> Trials:
        """`n` independent trials. The same seed gives the same trials.

        Trial i depends on the seed and on i alone: a larger `n` repeats the smaller's trials.
        compiled=False saves the second that it takes to compile a task's generator, for a few
        trials of a task that is used once; values may differ by rounding. Raises InvalidSetting
        when n < 1, when the seed is no integer, when the trials would not fit into memory, and when
        the task's values are none to train on (not finite, a negative mask, nothing that counts).
        """
        n = whole_number("n", n)
        first_key = random_key(seed)
        self._check_memory(n)  # which looks at the shapes first: a wrong one is reported as such
        keys = trial_keys(first_key, jnp.arange(_padded(n) if compiled else n))
        made = (_compiled_trials(self) if compiled else self._trials)(keys)
        everything = jax.tree.map(np.asarray, made)
        check_values(self.name, everything[0])
        batch, epochs, conditions = jax.tree.map(lambda array: array[:n], everything)
        return Trials(
            batch.inputs,
            batch.targets,
            batch.mask,
            self.dt,
            self.epoch_names,
            epochs,
            conditions,
            self.input_names[: self.n_inputs],
            self.output_names,
        )

    def _check_memory(self, n: int) -> None:
        """InvalidSetting where so many trials, and a copy, do not fit into this machine."""
        points = self.n_steps * (self.n_inputs + 2 * self.n_outputs)
        check_memory(f"{n} trials of {self.name} ({self.n_steps} steps each)", 8.0 * n * points)

    @property
    def epoch_names(self) -> tuple[str, ...]:
        """The parts of a trial, in order; none by default."""
        return ()

    def correct(self, outputs: np.ndarray, trials: Trials) -> np.ndarray:
        """Whether outputs (trial, time, output) answer the trials: (trial,), 1 correct, 0 wrong.

        NaN where there is nothing that could be answered.
        """
        near = np.abs(outputs - trials.targets) < self.tolerance
        counted = trials.mask > 0
        share = (near & counted).sum((1, 2)) / np.maximum(counted.sum((1, 2)), 1)
        return np.where(counted.any((1, 2)), share >= self.share_needed, np.nan)

    def chosen(self, outputs: np.ndarray, trials: Trials) -> np.ndarray:
        """The index of the option taken, (trial, answer); -1 where none was.

        outputs (trial, time, output). Raises InvalidSetting where the task has no options.
        """
        raise InvalidSetting(
            f"task {shown(self.name)} is not answered by choosing between options "
            "(it has no `options` and no method chosen())"
        )

    def ideal_observer(self, inputs: np.ndarray) -> np.ndarray:
        """What an ideal observer answers: inputs (trial, time, input) -> (trial, time, output).

        It knows the task's settings and, at each time, the inputs up to then; without noise its
        outputs are the targets. Raises InvalidSetting where the task defines none.
        """
        raise InvalidSetting(
            f"task {shown(self.name)} defines no ideal observer (a method ideal_observer())"
        )

    def ideal(self) -> float:
        """The share of trials that the ideal observer answers correctly."""
        raise InvalidSetting(
            f"task {shown(self.name)} does not state its ideal score (a method ideal())"
        )

    def chance(self) -> float:
        """The share of trials answered correctly by the best answer that ignores the inputs."""
        raise InvalidSetting(f"task {shown(self.name)} does not state its chance level (chance())")

    @takes(name=a_name)
    def varied(self, name: str, value: Any) -> Task:
        """The task with one condition changed, the rest of what is asked kept as it was.

        Robustness curves are made with it. A task overrides it where a field cannot be changed
        alone without changing the question.
        """
        if name not in type(self).model_fields:
            raise InvalidSetting(
                f"vary = {shown(name)} is no setting of {self.name}; "
                + nearest(name, type(self).model_fields)
            )
        return self.replace(**{name: value})

    def conditions(self) -> dict[str, list[Any]]:
        """Settings worth varying in robustness curves, each with its values; none by default."""
        return {}

    def machine(self) -> Machine:
        """The machine of discrete states that the task asks for, where there is one.

        A task's author defines it to have networks tested as automata. Raises InvalidSetting where
        the task defines none.
        """
        raise InvalidSetting(
            f"task {shown(self.name)} defines no machine of states (a method machine()); "
            "an automaton cannot be tested on it"
        )

    def probe(self, sample: Trials | None = None) -> Trials:
        """The trials in which the states of networks are shown: the first 16 of a sample.

        sample: trials of this task that are there already; drawn when None. A task overrides it
        where there are trials that show more of it, such as a walk through all of its states.
        """
        return (self.sample(PROBED) if sample is None else sample).first(PROBED)

    @property
    def memory_bits(self) -> int:
        """How many signs the task asks to hold, all combinations of which occur in `probe`.

        The states that hold them may make a cube of so many dimensions. 0: no such memory.
        """
        return 0

    def scored(self) -> Task:
        """The task as its networks are scored: without steps that its generator spoils."""
        return self

    def mask_with_spoiled(self, trials: Trials) -> np.ndarray | None:
        """The mask of trials of the scored task with such spoiled steps counted as well.

        (trial, time, output); None where the generator spoils none.
        """
        return None

    def network_settings(self) -> Section:
        """The network by which the task is learned: the settings of its model.

        Of a rate network, unless they say another cell or model under "name" ("gru",
        "CurrentRNN"). `attractory.recipe(task)` makes the model of them. A task overrides it where
        another network learns it better; without a dt the model takes the task's.
        """
        return usual_network(self.dt)

    def rule_settings(self, network: NetworkFacts) -> Section:
        """The learning rule for such a network: the rule's settings.

        Of `BPTT`, unless they say another registered rule under "name" ("BPTT", "MyRule"). A task
        overrides it where another rule, or more of it, is needed.
        """
        return usual_rule(network)

    @cached_property
    def _shapes(self) -> Trial:
        """The checked shapes of one trial."""
        try:
            made = jax.eval_shape(self.trial, random_key(0))
        except (jax.errors.JAXTypeError, jax.errors.JAXIndexError) as error:
            first = str(error).splitlines()[0]
            raise InvalidSetting(
                f"{self.name}: trial() must be written in JAX operations (jnp, jax.random): {first}"
            ) from None
        return checked(self.name, made, self.epoch_names)


@lru_cache(maxsize=64)
def _compiled_trials(task: Task) -> Any:
    """Compiled once for equal settings, however often the task is made."""
    return jax.jit(task._trials)


def _padded(n: int) -> int:
    """How many trials are made when n are asked for: few numbers, so few programs to compile."""
    return max(64, 1 << (n - 1).bit_length()) if n <= 1024 else -(-n // 1024) * 1024


def random_key(seed: int) -> jax.Array:
    """The key of a seed; InvalidSetting when it is no integer in 0 .. 2**63 - 1."""
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or not 0 <= seed < 2**63:
        raise InvalidSetting(f"seed = {shown(seed)} is not allowed: an integer from 0 to 2**63 - 1")
    return jax.random.fold_in(jax.random.key(int(seed) >> 32), int(seed) & 0xFFFFFFFF)


def noise_seed(seed: int) -> int:
    """The seed of networks' own noise in the trials of a seed; independent of the trials' noise.

    (With the seed itself a network would draw the very numbers that the first trial is made of.)
    """
    random_key(seed)  # which refuses what is no seed
    words = np.random.SeedSequence([int(seed), 0x6E6F6973]).generate_state(2, np.uint32)
    return (int(words[0]) << 31) ^ int(words[1])


def trial_keys(key: jax.Array, indices: jax.Array) -> jax.Array:
    """One key for each trial index: trial i of a stream depends on the stream and on i alone."""
    return jax.vmap(jax.random.fold_in, in_axes=(None, 0))(key, indices)
