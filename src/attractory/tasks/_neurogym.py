"""Tasks of neurogym: trials that its environments make, kept in a bank."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from functools import cached_property
from typing import Any, ClassVar, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from pydantic import Field, field_validator

from attractory._errors import InvalidSetting
from attractory.tasks._contradictions import Contradictions, contradictions
from attractory.tasks._neurogym_environment import (
    Copies,
    by_name,
    dt_of,
    gymnasium_silent,
    innermost,
    made_by,
    name_of,
    numpy_seeded,
    outermost,
    take_out_noise,
)
from attractory.tasks._task import Task, Trial, Trials

LARGEST_BANK = 256 * 2**20  # bytes: a bank becomes a constant of the compiled training step
COMPARED = 200  # trials, for contradictions: a tenth of a second for most environments
# share of trials that may contradict others: a sixth does where one coherence of six is 0, by
# design; where the time to answer is not told, or the rule, it is nearly all
MOST_INVOLVED = 0.25

log = logging.getLogger("attractory")


class NeurogymTask(Task):
    """Trials of a neurogym environment, drawn from a bank of them.

    neurogym makes its trials one by one in Python, and a training step is compiled. So `trials` of
    them are made beforehand (when first needed, from `bank_seed`) and each trial is one of these,
    drawn at random: longer training sees them again. `fresh(seed)` is the same task with another
    bank; test on that.

    Targets are the ground truth: of discrete actions an output each, 1 where it is correct; of
    continuous ones as it is. Trials are padded to the longest in the bank; nothing counts there.
    Conditions: what the environment says of a trial in numbers. Epochs: its periods, where they
    follow one another from beginning to end in every trial.

    Discrete actions: a trial is answered correctly when each action that it asks for, but the first
    (to keep fixating), has the largest output, averaged over the time that asks for it; one that
    asks for none, when the first is the largest in 90 % of the steps. Continuous actions are
    compared as in any task.

    Parameters
    ----------
    dt : float
        Length of one step (ms).
    environment : str or callable
        A name that neurogym knows ("PerceptualDecisionMaking-v0"), a class as "module:Class", or a
        function that makes an environment (`from_neurogym` turns an environment into one). A run
        with a function cannot be loaded from its folder.
    settings : dict
        What the environment is made with, besides dt; in JSON's terms.
    trials : int
        Size of the bank.
    bank_seed : int
        What the bank is made from.
    weight_before : float
        With discrete actions, weight in the loss of the times that ask for the first.
    ambiguous : bool
        Whether trials are taken although many contradict each other.

    Notes
    -----
    An environment may ask for what nobody can know: when to answer, where nothing says so, or what
    an earlier trial said. So 200 trials are made without noise (where it is drawn by neurogym's
    `add_randn`) before the bank is, and compared: two with equal inputs up to a step and unequal
    answers there contradict each other (`contradictions`). Where more than a quarter of the trials
    do, they are refused, unless `ambiguous` says that this is known; fewer (the trials of coherence
    0 of a decision task) are told in one line of the log "attractory".

    References
    ----------
    Molano-Mazón et al. (2022), NeuroGym, PsyArXiv, doi 10.31234/osf.io/aqc9n.
    """

    name: ClassVar[str] = "neurogym"

    dt: float = Field(default=100.0, gt=0)
    environment: str | Callable[..., Any]
    settings: dict[str, Any] = Field(default_factory=dict)
    trials: int = Field(default=2000, ge=1)
    bank_seed: int = Field(default=0, ge=0, lt=2**32)
    weight_before: float = Field(default=0.2, gt=0, le=1)
    ambiguous: bool = False

    @field_validator("environment", mode="before")
    @classmethod
    def _can_be_made(cls, environment: Any) -> Any:
        if isinstance(environment, dict):  # what JSON keeps of a function
            raise ValueError("a function cannot be had from a file; a name or class can")
        return environment

    @field_validator("settings")
    @classmethod
    def _in_json(cls, settings: dict[str, Any]) -> dict[str, Any]:
        try:
            return dict(json.loads(json.dumps(settings)))
        except TypeError as error:
            raise ValueError(f"{error}; give a function that makes the environment") from None

    def fresh(self, seed: int) -> NeurogymTask:
        """The same task with other trials.

        Parameters
        ----------
        seed : int
            What their bank is made from.

        Returns
        -------
        NeurogymTask
            The task with that bank.
        """
        return self.replace(bank_seed=seed)

    def trial(self, key: jax.Array) -> Trial:
        bank = self._bank
        i = jax.random.randint(key, (), 0, len(bank.lengths))
        targets = jnp.asarray(bank.truth)[i]
        inside = jnp.arange(len(targets)) < jnp.asarray(bank.lengths)[i]
        weight = inside.astype(jnp.float32)
        if bank.actions:
            weight = weight * jnp.where(targets == 0, self.weight_before, 1.0)
            targets = jax.nn.one_hot(targets, bank.actions) * inside[:, None]
        return Trial(
            inputs=jnp.asarray(bank.inputs)[i],
            targets=targets,
            mask=jnp.broadcast_to(weight[:, None], targets.shape),
            epochs=None if bank.limits is None else jnp.asarray(bank.limits)[i],
            conditions={name: jnp.asarray(each)[i] for name, each in bank.conditions.items()},
        )

    @property
    def epoch_names(self) -> tuple[str, ...]:
        return self._bank.periods

    def correct(self, outputs: np.ndarray, trials: Trials) -> np.ndarray:
        if not self._bank.actions:
            return super().correct(outputs, trials)
        asked = trials.targets.sum(1)  # (trial, action): for how many steps
        mean = np.swapaxes(trials.targets, 1, 2) @ outputs / np.maximum(asked, 1)[..., None]
        taken = (mean.argmax(2) == np.arange(asked.shape[1])) | (asked == 0)
        fixating = (outputs.argmax(2) == 0) & (trials.targets[..., 0] > 0)
        kept = fixating.sum(1) >= self.share_needed * asked[:, 0]
        return np.where(asked[:, 1:].any(1), taken[:, 1:].all(1), kept).astype(float)

    def contradictions(self) -> Contradictions:
        """Trials that have equal inputs up to a step, without noise, and unequal answers there.

        Returns
        -------
        Contradictions
            How many trials were compared, how many of them contradict another, and an example.
        """
        with gymnasium_silent(), numpy_seeded(self.bank_seed):
            environment = self._environment()
            take_out_noise(environment)
            made = [_new_trial(environment) for _ in range(COMPARED)]
        return contradictions([trial.inputs for trial in made], [trial.truth for trial in made])

    @cached_property
    def _bank(self) -> _Bank:
        self._check_answers()
        with gymnasium_silent(), numpy_seeded(self.bank_seed):
            return _bank_of(self._environment(), self.trials)

    def _environment(self) -> Any:
        """The environment, seeded."""
        environment = made_by(self.environment, self.settings)
        if dt_of(environment) != self.dt:
            dt = int(self.dt) if self.dt == int(self.dt) else self.dt
            environment = made_by(self.environment, {**self.settings, "dt": dt})
        seed = outermost(environment, "seed")
        if seed is not None:
            seed(self.bank_seed)
        return environment

    def _check_answers(self) -> None:
        """InvalidSetting where too many trials ask for what no network can know."""
        if self.ambiguous:
            return
        found = self.contradictions()
        if found.share > MOST_INVOLVED:
            raise InvalidSetting(
                f"environment {name_of(self.environment)}: {found.statement}: no network can "
                "answer both; ambiguous=True goes on with it"
            )
        if found.pairs:
            log.warning("environment %s: %s", name_of(self.environment), found.statement)


def from_neurogym(
    environment: Any,
    *,
    trials: int = 2000,
    bank_seed: int = 0,
    weight_before: float = 0.2,
    ambiguous: bool = False,
    **settings: Any,
) -> NeurogymTask:
    """A task from any neurogym environment: `from_neurogym("ReadySetGo-v0", dt=20)`.

    Parameters
    ----------
    environment : str, class, function or environment
        A name that neurogym knows, a class or function that makes an environment, or an
        environment; of that a copy is used as it is.
    trials, bank_seed : int
        Size of the bank, and what it is made from.
    weight_before : float
        As in `NeurogymTask`.
    ambiguous : bool
        Whether trials are taken although many contradict each other.
    **settings : settings
        What the environment is made with.

    Returns
    -------
    NeurogymTask
        The task.

    Raises
    ------
    InvalidSetting
        When neurogym is not installed (the extra 'neurogym'), and when the environment is unknown
        or cannot be made so; the task's first trial does, when the environment makes no supervised
        trials (it has no ground truth), or many that contradict each other.
    """
    if isinstance(environment, type):
        environment = by_name(environment)
    elif outermost(environment, "new_trial") is not None:
        environment = Copies(environment)
    with gymnasium_silent():
        dt = dt_of(made_by(environment, settings))
    return NeurogymTask(
        dt=dt,
        environment=environment,
        settings={name: value for name, value in settings.items() if name != "dt"},
        trials=trials,
        bank_seed=bank_seed,
        weight_before=weight_before,
        ambiguous=ambiguous,
    )


class _Bank(NamedTuple):
    """Trials. inputs (trial, time, input); lengths (trial,) in steps.

    truth: the correct action (trial, time) of `actions` discrete ones; where these are 0, the
    correct values (trial, time, output). limits (trial, epoch + 1) of the periods; None where they
    do not follow one another. conditions (trial,) by name, NaN where a trial has none such.
    """

    inputs: np.ndarray
    truth: np.ndarray
    lengths: np.ndarray
    actions: int
    periods: tuple[str, ...]
    limits: np.ndarray | None
    conditions: dict[str, np.ndarray]


class _Made(NamedTuple):
    """One trial as the environment made it; periods: (first step, step after the last) by name."""

    inputs: np.ndarray
    truth: np.ndarray
    periods: dict[str, tuple[int, int]]
    numbers: dict[str, float]


def _bank_of(environment: Any, n: int) -> _Bank:
    made = [_new_trial(environment) for _ in range(n)]
    space = innermost(environment).action_space
    discrete = hasattr(space, "n") and made[0].truth.ndim == 1
    lengths = np.array([len(trial.inputs) for trial in made])
    if not discrete:
        made = [trial._replace(truth=trial.truth.reshape(len(trial.truth), -1)) for trial in made]
    inputs = _padded([trial.inputs for trial in made], np.float32)
    truth = _padded([trial.truth for trial in made], np.int32 if discrete else np.float32)
    if inputs.nbytes + truth.nbytes > LARGEST_BANK:
        raise InvalidSetting(
            f"trials = {n} is not allowed: they take {(inputs.nbytes + truth.nbytes) / 2**20:.0f} "
            f"MiB, at most {LARGEST_BANK / 2**20:.0f} MiB fit"
        )
    if discrete and not (truth.min() >= 0 and truth.max() < space.n):
        raise InvalidSetting(
            f"environment: its ground truth goes from {truth.min()} to {truth.max()}, its actions "
            f"from 0 to {space.n - 1}"
        )
    names = dict.fromkeys(name for trial in made for name in trial.numbers)
    conditions = {
        name: np.array([trial.numbers.get(name, np.nan) for trial in made], np.float32)
        for name in names
    }
    periods, limits = _epochs_of(made)
    return _Bank(
        inputs, truth, lengths, int(space.n) if discrete else 0, periods, limits, conditions
    )


def _new_trial(environment: Any) -> _Made:
    new_trial, inner = outermost(environment, "new_trial"), innermost(environment)
    said = new_trial() if new_trial is not None else None
    if not (hasattr(inner, "ob") and hasattr(inner, "gt")):
        raise InvalidSetting(
            f"environment {type(inner).__name__} has no ground truth for whole trials; "
            "only those made for supervised learning do"
        )
    begin, end = getattr(inner, "start_ind", {}), getattr(inner, "end_ind", {})
    return _Made(
        inputs=np.array(inner.ob, np.float32).reshape(len(inner.ob), -1),
        truth=np.array(inner.gt),
        periods={name: (int(begin[name]), int(end[name])) for name in begin},
        numbers={
            str(name): float(value)
            for name, value in (said or {}).items()
            if isinstance(value, (bool, int, float, np.number, np.bool_))
        },
    )


def _padded(rows: list[np.ndarray], dtype: type) -> np.ndarray:
    """(row, time, …): rows of unequal length one above the other, filled up with 0."""
    padded = np.zeros((len(rows), max(map(len, rows)), *rows[0].shape[1:]), dtype)
    for target, row in zip(padded, rows, strict=True):
        target[: len(row)] = row
    return padded


def _epochs_of(made: list[_Made]) -> tuple[tuple[str, ...], np.ndarray | None]:
    """Names of the periods, and their limits; nothing where they leave gaps or overlap."""
    first = made[0].periods
    names = tuple(sorted(first, key=lambda name: first[name]))
    limits = []
    for trial in made:
        periods = [trial.periods.get(name, (-1, -1)) for name in names]
        limits.append([0, *(end for _, end in periods)])
        follow = [begin for begin, _ in periods] == limits[-1][:-1]
        if not follow or set(trial.periods) != set(names) or limits[-1][-1] != len(trial.inputs):
            return (), None
    return names, np.array(limits, np.int32)
