"""The states that trajectories come through, and how fast they move there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from attractory._errors import InvalidSetting
from attractory.analysis.dynamics._starts import inputs_of_trials, tame
from attractory.analysis.dynamics._step import AnyStep, FunctionStep
from attractory.tasks import Task, Trials

MAP_STEPS = 1000  # so long a user's map is followed for the states it comes through
RESTING = 0.01  # of the longest step: in a shorter one the network rests


@dataclass(frozen=True)
class Visited:
    """States (state, unit) that trajectories come through, and how they move there."""

    states: np.ndarray
    typical_speed: float
    duration: int

    @property
    def mean(self) -> np.ndarray:
        return self.states.mean(axis=0)

    @property
    def reach(self) -> float:
        """The range of the projections on the first principal axis."""
        centred = self.states - self.mean
        axis = np.linalg.svd(centred, full_matrices=False)[2][0]
        along = centred @ axis
        return float(np.ptp(along))

    @property
    def farthest(self) -> float:
        return float(np.linalg.norm(self.states - self.mean, axis=1).max())


def visited_by(
    step: AnyStep,
    task: Task | Trials | None,
    seed: int,
    rng: np.random.Generator,
    given: np.ndarray | None,
) -> Visited:
    """The states of trajectories within their trials, and the median length of a step there."""
    if isinstance(step, FunctionStep):
        return _visited_by_a_map(step, rng, given)
    drive, lengths = inputs_of_trials(step, task, seed, rng)
    states = np.zeros((len(drive), step.units))
    passed, moved = [], []
    for t, inputs in enumerate(np.moveaxis(drive, 1, 0)):
        following = step.driven(states, inputs)
        within = t < lengths
        moved.append(np.linalg.norm(following - states, axis=1)[within])
        passed.append(following[within])
        states = following
    return _tamed(passed, moved, int(lengths.max()))


def _visited_by_a_map(
    step: FunctionStep, rng: np.random.Generator, given: np.ndarray | None
) -> Visited:
    """Those of a map from the given states, or random ones, to where it settles."""
    states = rng.normal(size=(48, step.units)) if given is None else given
    passed, moved = [], []
    with np.errstate(all="ignore"):  # of states that run away
        for _ in range(MAP_STEPS):
            following = step(states)
            moved.append(np.linalg.norm(following - states, axis=1))
            passed.append(following)
            states = following
    return _tamed(passed, moved, MAP_STEPS)


def _tamed(passed: list[np.ndarray], moved: list[np.ndarray], duration: int) -> Visited:
    """Those of the states that have not run away, and the steps that led to them."""
    states, lengths = np.concatenate(passed), np.concatenate(moved)
    kept = tame(states)
    if not kept.any():
        raise InvalidSetting("network: every trajectory runs away; there are no slow sets to find")
    return Visited(states[kept], _typical(lengths[kept]), duration)


def _typical(lengths: np.ndarray) -> float:
    """The median length of the steps that are no rest."""
    moving = lengths > RESTING * lengths.max()
    return float(np.median(lengths[moving])) if moving.any() else 0.0
