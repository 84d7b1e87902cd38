"""Each network of a population by itself: its eigenvalues, and where its states are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from attractory import analysis
from attractory._errors import InvalidSetting
from attractory._shown import Shown
from attractory.models import Network, Trajectory
from attractory.population._members import Member
from attractory.runs import Run, of_network
from attractory.tasks import Task, Trials, noise_seed

DIMENSIONS = 3  # in which states are drawn
SHOWN = 16  # trials: of more, the lines of a small picture hide each other


@dataclass(frozen=True, repr=False)
class Portrait(Shown):
    """One network of a population, for pictures of it alone.

    Attributes
    ----------
    spectrum : Spectrum or None
        Its eigenvalues; None where its model has none.
    trials : Trials or None
        What it is shown in; None without a task.
    trajectory : Trajectory or None
        What it does in the first of these trials.
    space : StateSpace or None
        The three leading principal components of its states; None of fewer units than these.
    """

    spectrum: analysis.Spectrum | None = None
    trials: Trials | None = None
    trajectory: Trajectory | None = None
    space: analysis.StateSpace | None = None


def portraits(members: Iterable[Member], task: Task | None, seed: int) -> Iterator[Portrait]:
    """One of each network: in trials of the task, or of its own run's."""
    drawn: list[tuple[Task, Trials]] = []
    for member in members:
        own = _task_of(member) if task is None else task
        trials = None if own is None else _probe(own, seed, drawn)
        known = Portrait(_spectrum(member))
        yield known if trials is None else _in_trials(known, member.network, trials, seed)


def space_of(run: Run, net: int, seed: int) -> analysis.StateSpace | None:
    """The three leading principal components of one network's states; None without a task."""
    if run.task.missing or run.networks[net].state_size < DIMENSIONS:
        return None
    trials = _probe(run.task, seed, [])
    return _in_trials(Portrait(), run.networks[net], trials, seed).space


def _task_of(member: Member) -> Task | None:
    known = member.run is not None and not member.run.task.missing
    return member.run.task if member.run is not None and known else None


def _probe(task: Task, seed: int, drawn: list[tuple[Task, Trials]]) -> Trials:
    """The trials in which networks of a task are shown: drawn once."""
    for known, trials in drawn:
        if known == task:
            return trials
    trials = task.probe(task.sample(SHOWN, seed)).first(SHOWN)
    drawn.append((task, trials))
    return trials


def _spectrum(member: Member) -> analysis.Spectrum | None:
    try:
        if member.run is not None:
            return of_network(member.run, member.net, analysis.spectrum)
        return analysis.spectrum(member.network)
    except InvalidSetting:  # of a model whose step has no derivative
        return None


def _in_trials(known: Portrait, network: Network, trials: Trials, seed: int) -> Portrait:
    """One simulation for both; of the first trial alone everything is kept."""
    path = network.simulate(trials.inputs, noise_seed(seed), precision="float64")
    one = {name: getattr(path, name)[:1].copy() for name in ("inputs", "states", "outputs")}
    space = None
    if network.state_size >= DIMENSIONS:
        space = analysis.state_space(path, trials, "pca", DIMENSIONS)
    return replace(known, trials=trials, trajectory=replace(path, **one, trials=None), space=space)
