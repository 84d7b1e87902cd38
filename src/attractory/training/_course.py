"""The way of networks through the stages of a curriculum, each at its own pace."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from attractory._errors import InvalidSetting
from attractory.models import Model, Network
from attractory.rules import Rule
from attractory.tasks import Task
from attractory.training._curriculum import Stage
from attractory.training._population import Population
from attractory.training._programs import PopulationState

SCORED = 128  # fresh trials of one look: shares correct of 0.9 are known to 0.03 (standard error)
STAGE = "stage"  # the column of the history that says it, from 1
OF_SCORES = 2**31 - 1  # folded into the key of validation: a stream that no trial of it uses


class Ended(NamedTuple):
    """A network that leaves a stage; score: its last one there, None where none was asked for."""

    net: int
    number: int  # of the stage, from 1
    stage: Stage
    updates: int
    score: float | None

    @property
    def reached(self) -> bool:
        """Whether it has what was asked for; a score that is NaN is none."""
        return self.score is None or self.score >= (self.stage.score or 0.0)


class Course:
    """The populations of all stages, one compiled program each, and where each network is.

    Without stages it is the population of the task alone.

    Parameters
    ----------
    task : Task
        The last one.
    stages : tuple of Stage
        Those before it.
    model, rule, nets, seed, first : see `Population`
        As there.

    Attributes
    ----------
    tasks : list of Task
        Those of the stages, and the last one.
    stage : array of int (net,)
        The index of each network's task.
    updates : array of int (net,)
        Those that each network has had of it.
    """

    def __init__(
        self,
        task: Task,
        stages: tuple[Stage, ...],
        model: Model,
        rule: Rule,
        nets: int,
        seed: int,
        first: int = 0,
    ) -> None:
        self.stages, self.model = stages, model
        self.tasks = [*(stage.task for stage in stages), task]
        self.populations = [Population(each, model, rule, nets, seed, first) for each in self.tasks]
        self.stage = np.zeros(nets, int)
        self.updates = np.zeros(nets, int)

    @property
    def at_last(self) -> np.ndarray:
        """Which networks are at the task itself."""
        return self.stage == len(self.stages)

    def compile(self, state: PopulationState) -> None:
        """Compile the updates of all tasks that are still to come."""
        for population in self.populations[self.stage.min() :]:
            population.compile(state)

    def update(
        self, state: PopulationState, active: np.ndarray, step: int
    ) -> tuple[PopulationState, dict[str, np.ndarray]]:
        """As `Population.update`, each network on its own task; info says its stage, too."""
        info: dict[str, np.ndarray] = {}
        for stage in np.unique(self.stage[active]):
            here = active & (self.stage == stage)
            state, found = self.populations[stage].update(state, here, step)
            info = {n: np.where(here, found[n], info.get(n, found[n])) for n in found}
        self.updates += active
        if self.stages and STAGE in info:
            raise InvalidSetting(
                f"the rule reports {STAGE!r}, which with a curriculum the history has itself"
            )
        return state, info | ({STAGE: self.stage + 1} if self.stages else {})

    def ended(
        self, state: PopulationState, active: np.ndarray, step: int, is_check: bool
    ) -> list[Ended]:
        """The networks that leave their stage now; from here on they are in the next one."""
        made = []
        for net in map(int, np.flatnonzero(active & ~self.at_last)):
            stage, updates = self.stages[self.stage[net]], int(self.updates[net])
            spent = updates >= stage.steps
            looks = stage.score is not None and (spent or is_check)
            score = self._score(state, net, step) if looks else None
            end = Ended(net, int(self.stage[net]) + 1, stage, updates, score)
            if spent or (looks and end.reached):
                made.append(end)
        for end in made:
            self.stage[end.net], self.updates[end.net] = end.number, 0
        return made

    def _score(self, state: PopulationState, net: int, step: int) -> float:
        """The share of fresh trials of its stage that a network answers correctly."""
        task = self.tasks[self.stage[net]].scored()
        key = jax.random.fold_in(self.populations[0].keys.validation[net], OF_SCORES)
        bits = jax.random.bits(jax.random.fold_in(key, step), (2,), jnp.uint32)
        of_trials, of_noise = (int(each) for each in bits)
        trials = task.sample(SCORED, seed=of_trials)
        weights = {name: np.asarray(array[net]) for name, array in state.weights.items()}
        outputs = Network(self.model, weights).respond(trials.inputs, seed=of_noise)
        correct = task.correct(outputs, trials)
        return float(np.mean(correct[~np.isnan(correct)])) if np.isfinite(correct).any() else np.nan

    def to_json(self) -> dict[str, Any]:
        """Where networks are, for the checkpoint; {} without stages."""
        if not self.stages:
            return {}
        return {"stage": self.stage.tolist(), "updates": self.updates.tolist()}

    def goes_on(self, host: dict[str, Any], step: int) -> None:
        """Go on where `to_json` was written, after so many updates."""
        nets = len(self.stage)
        self.stage = np.array(host.get("stage", [0] * nets))
        self.updates = np.array(host.get("updates", [step] * nets))
