"""What one network is measured with: each part is computed when first asked for, and once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import numpy as np
import pandas as pd

from attractory import analysis
from attractory._errors import InvalidSetting
from attractory.evaluation import Responses, Scores, evaluate
from attractory.models import Network, Trajectory
from attractory.runs import Run, of_network
from attractory.tasks import Task, Trials, noise_seed

Part = TypeVar("Part")

STATE_TRIALS = 64  # whose states are kept: of 300 steps and 400 units they take 61 MB
HOLD_STEPS = 10_000  # for which memories are watched


@dataclass(frozen=True)
class Context:
    """What a measure may ask for beside the network. What several measures need is computed once.

    Attributes
    ----------
    network : Network
        The network.
    answers : Responses or None
        To the trials that all networks get; None without a task.
    seed : int
        Of the trials, of the network's own noise and of searches.
    run : Run or None
        That the network is of, where it came in one: analyses are kept in it.
    net : int
        The network's index there.
    epoch : str or None
        The part of the trials whose states are asked for; None: all of it.
    """

    network: Network
    answers: Responses | None = None
    seed: int = 0
    run: Run | None = None
    net: int = 0
    epoch: str | None = None
    _kept: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @property
    def task(self) -> Task:
        """The task; InvalidSetting without one."""
        return self._answers.task

    @property
    def trials(self) -> Trials:
        """The trials that all networks get; InvalidSetting without a task."""
        return self._answers.trials

    @property
    def scores(self) -> Scores:
        """The network's scores in the trials."""
        return self._once("scores", lambda: evaluate(self._answers))

    @property
    def trajectory(self) -> Trajectory:
        """What the network does in the first 64 trials, in float64."""
        return self._once("trajectory", self._simulated)

    @property
    def states(self) -> np.ndarray:
        """The states (point, unit) in the own steps of these trials, of the epoch if one is asked.

        Of an LSTM or a stack they are whole, its memory and all layers among them.
        """
        return self.trajectory.states[self._asked]

    @property
    def trial_of_state(self) -> np.ndarray:
        """The trial that each of the states is of, (point,)."""
        return np.nonzero(self._asked)[0]

    @property
    def spectrum(self) -> analysis.Spectrum:
        """Eigenvalues of the recurrent weights."""
        return self.analysed(analysis.spectrum)

    @property
    def connectivity(self) -> analysis.Connectivity:
        """Statistics of the recurrent weights."""
        return self.analysed(analysis.connectivity)

    @property
    def fixed_points(self) -> analysis.FixedPoints:
        """The fixed points without input, searched for from states of the task."""
        return self._once("fixed_points", self._search)

    @property
    def attractors(self) -> analysis.Attractors:
        """What the network may end in without input."""
        points = self.fixed_points
        return self._once("attractors", lambda: analysis.attractors(points, seed=self.seed))

    @property
    def automaton(self) -> analysis.Automaton:
        """The network beside the machine of its task, without noisy samples."""
        known = self.attractors
        settings = {"n_samples": 0, "seed": self.seed, "hold_steps": HOLD_STEPS}
        return self._once(
            "automaton",
            lambda: analysis.automaton(self.network, self.task, points=known, **settings),
        )

    @property
    def history(self) -> pd.DataFrame:
        """The rows of the run's history that are of this network; InvalidSetting without any."""
        if self.run is None or not len(self.run.history):
            raise InvalidSetting("the network was not trained here: it has no history")
        history = self.run.history
        return history[history["net"] == self.net]

    def during(self, epoch: str | None) -> Context:
        """The same, with the states of one epoch; nothing is computed again.

        Parameters
        ----------
        epoch : str or None
            The epoch; None: whole trials.

        Returns
        -------
        Context
            Of the same network.
        """
        return replace(self, epoch=epoch)

    def analysed(self, function: Callable[..., Part], **settings: Any) -> Part:
        """An analysis of the network; of a run what was kept with these settings, or kept now.

        Parameters
        ----------
        function : callable
            One of `at.analysis` that takes a network first and keeps its results.
        **settings : object
            Its settings.

        Returns
        -------
        object
            Its result.
        """
        key = f"{function.__name__}({sorted(settings.items())})"
        return self._once(key, lambda: self._computed(function, **settings))

    @property
    def _answers(self) -> Responses:
        if self.answers is None:
            raise InvalidSetting("task = None is not allowed: this measure needs a task")
        return self.answers

    @property
    def _asked(self) -> np.ndarray:
        """(trial, time): the steps whose states are asked for."""
        trials = self.trials.first(STATE_TRIALS)
        asked = trials.within if self.epoch is None else trials.during(self.epoch) & trials.within
        if not asked.any():
            raise InvalidSetting(f"epoch {self.epoch!r} has no step in the first trials")
        return asked

    def _simulated(self) -> Trajectory:
        inputs = self.trials.first(STATE_TRIALS).inputs
        path = self.network.simulate(inputs, noise_seed(self.seed), precision="float64")
        if not np.isfinite(path.states).all():
            raise InvalidSetting("the states in the trials are not finite: the network diverges")
        return path

    def _search(self) -> analysis.FixedPoints:
        met: Task | Trials | None = None
        if self.answers is not None:  # trials that came without a task say where to start, too
            met = self.trials if type(self.task) is Task else self.task
        found = self._computed(analysis.fixed_points, task=met, seed=self.seed)
        if found.completeness.continuum:
            raise InvalidSetting("the fixed points are a continuum: they cannot be counted")
        return found

    def _computed(self, function: Callable[..., Part], **settings: Any) -> Part:
        if self.run is not None:
            return of_network(self.run, self.net, function, **settings)
        return function(self.network, **settings)

    def _once(self, name: str, compute: Callable[[], Part]) -> Part:
        if name not in self._kept:
            self._kept[name] = compute()
        known: Part = self._kept[name]
        return known
