"""What the states of networks carry of their task: averages, axes of variables, selectivity."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import pandas as pd

from attractory import analysis
from attractory._errors import InvalidSetting
from attractory._stored import stored
from attractory.evaluation import PsychophysicalKernels, Responses, psychophysical_kernel
from attractory.models import Network, Trajectory
from attractory.runs import Run
from attractory.tasks import Task, Trials, noise_seed

MOST_NETWORKS = 4  # that are looked at: the states of each are kept through all trials
LEAST_TRIALS = 64  # of fewer, half of them tell nothing of four variables
CHOICE = "choice"
CONTEXT = "context"  # the condition whose values stand beside one another


@stored
@dataclass(frozen=True)
class Codes:
    """How one network codes its variables; None where its trials do not allow an analysis.

    All by the first of the averages' conditions; decoding of the choice, too.
    """

    demixed: analysis.DemixedPCA | None
    coding: analysis.CodingAxes | None
    apart: analysis.Dissimilarities | None


@stored
@dataclass(frozen=True)
class Geometry:
    """Of one network, in the trials of its scores.

    averages: by each variable and the context; two of the variables together without a context.
    codes: of the first network alone, as they take as long as all else together.
    """

    averages: list[analysis.ConditionAverages]
    axes: analysis.TaskAxes
    selectivity: analysis.Selectivity
    codes: Codes | None


class GeometryStudy(NamedTuple):
    """Of the networks of a run.

    Parameters
    ----------
    networks : list of Geometry
        Of the first networks.
    kernels : PsychophysicalKernels or None
        Of all networks; None where the task shows no noisy evidence.
    left_out : str
        Which networks are left out, and why; empty where none is.
    """

    networks: list[Geometry]
    kernels: PsychophysicalKernels | None
    left_out: str


def geometry_study(
    run: Run, task: Task, answers: Responses, asked: dict[str, Any], say: Callable[[str], None]
) -> GeometryStudy | None:
    """None for a task that names no variables, and for too few trials."""
    if not task.task_variables or len(answers.trials) < LEAST_TRIALS:
        return None
    kernels = run.results.of("kernels", asked, partial(_kernels, answers), None)
    found: list[Geometry] = []
    for net in range(len(run.networks))[:MOST_NETWORKS]:
        say(f"network {net}: task geometry")
        network, first = run.networks[net], net == 0
        compute = partial(_geometry, network, task, answers.trials, asked["seed"], first)
        try:
            found.append(run.results.of("geometry", asked, compute, net))
        except InvalidSetting as reason:  # of networks with fewer units than there are variables
            left_out = f"Network {net} and those after it are left out: {reason}."
            return GeometryStudy(found, kernels, left_out)
    more = len(run.networks) > len(found)
    left_out = f"The first {MOST_NETWORKS} networks were looked at." if more else ""
    return GeometryStudy(found, kernels, left_out)


def geometry_tables(found: GeometryStudy) -> dict[str, pd.DataFrame]:
    """What is known, for files, by their names."""
    tables = {}
    if found.networks:
        tables["task_axes"] = axes_table(found.networks)
        tables["selectivity"] = _of_networks([each.selectivity.table() for each in found.networks])
        tables |= codes_tables(found.networks[0].codes)
    if found.kernels is not None:
        tables["psychophysical_kernels"] = found.kernels.table()
    return tables


def codes_tables(codes: Codes | None) -> dict[str, pd.DataFrame]:
    """Of the first network, by their names."""
    if codes is None:
        return {}
    results = {
        "demixed_pca": codes.demixed,
        "coding_axes": codes.coding,
        "dissimilarities": codes.apart,
    }
    return {name: found.table() for name, found in results.items() if found is not None}


def axes_table(networks: list[Geometry]) -> pd.DataFrame:
    """A row for each network and variable."""
    return _of_networks([each.axes.table() for each in networks])


def _of_networks(tables: list[pd.DataFrame]) -> pd.DataFrame:
    """One table of all networks, the network first."""
    whole = pd.concat([table.assign(net=net) for net, table in enumerate(tables)])
    return whole[["net", *(name for name in whole if name != "net")]]


def _geometry(network: Network, task: Task, trials: Trials, seed: int, first: bool) -> Geometry:
    """One simulation of the trials for all of it."""
    path = network.simulate(trials.inputs, noise_seed(seed), precision="float64")
    align = _epoch(task)
    by = _conditions(task)
    averages = [analysis.condition_averages(path, trials, each, task, align) for each in by]
    choice = (CHOICE,) if len(task.options) == 2 and len(task.answer_epochs) == 1 else ()
    try:
        variables = (*choice, *task.task_variables)
        axes = analysis.task_axes(path, trials, variables, task, align)
    except InvalidSetting:  # of a network that always chooses the same
        variables = task.task_variables
        axes = analysis.task_axes(path, trials, variables, task, align)
    single = analysis.selectivity(path, trials, variables, task, align)
    codes = _codes(path, trials, task, by[0], variables) if first else None
    return Geometry(averages, axes, single, codes)


def _codes(
    path: Trajectory, trials: Trials, task: Task, by: tuple[str, ...], variables: tuple[str, ...]
) -> Codes:
    """What these trials allow, by these conditions; variables: that the network follows."""
    told = tuple(dict.fromkeys((*(name for name in variables if name == CHOICE), *by)))
    align = _epoch(task)
    return Codes(
        _allowed(partial(analysis.demixed_pca, path, trials, by, task, align)),
        _allowed(partial(analysis.coding_axes, path, trials, told, task, epochs=())),
        _allowed(partial(analysis.dissimilarities, path, trials, by, task)),
    )


def _allowed(compute: Callable[[], Any]) -> Any:
    """A result; None where a combination of conditions has too few trials for it."""
    try:
        return compute()
    except InvalidSetting:
        return None


def _epoch(task: Task) -> str | None:
    """The epoch in which all evidence is shown; None: the whole trial."""
    epochs = {stream.epoch for stream in task.evidence_streams}
    return epochs.pop() if len(epochs) == 1 else None


def _conditions(task: Task) -> list[tuple[str, ...]]:
    """What states are averaged by, a figure's row each."""
    names = task.task_variables
    if CONTEXT not in names:
        return [names[:2]]
    return [(name, CONTEXT) for name in names if name != CONTEXT]


def _kernels(answers: Responses) -> PsychophysicalKernels | None:
    task = answers.task
    if not (task.options and task.evidence_streams):
        return None
    by = CONTEXT if CONTEXT in answers.trials.conditions else None
    try:
        return psychophysical_kernel(answers, by=by)
    except InvalidSetting:  # evidence without noise
        return None
