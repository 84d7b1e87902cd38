"""Where networks nearly stand still under constant inputs of their task, and what moves them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from attractory import analysis
from attractory._errors import InvalidSetting
from attractory.report._dynamics import Effort
from attractory.runs import Run, of_network
from attractory.tasks import ConstantInput, Task

MOST_NETWORKS = 4  # that are looked at: each takes seconds
MOST_UNITS = 128  # of a network that is looked at unasked: the time grows with the third power
# of the typical step: how far network 0's sets reach where this counts as slow; the last, for which
# sets may be wide and take long to follow, where searches are asked for
WIDER = (0.1, 0.2)
WIDER_STARTS = 48  # for these, half of the usual: wide sets are found from few starts


class SlowStates(NamedTuple):
    """Of one network under one constant input.

    Parameters
    ----------
    input : ConstantInput
        The input.
    sets : SlowSets
        The slow sets.
    selection : SelectionVectors or None
        What moves the network along the longest of them; None where nothing is slow.
    wider : tuple of SlowSets
        The slow sets where faster states count as slow, too; empty where not looked for.
    points : FixedPoints or None
        The fixed points; None where not looked for.
    """

    input: ConstantInput
    sets: analysis.SlowSets
    selection: analysis.SelectionVectors | None
    wider: tuple[analysis.SlowSets, ...] = ()
    points: analysis.FixedPoints | None = None


class SlowStudy(NamedTuple):
    """Of the networks of a run.

    Parameters
    ----------
    networks : list of list of SlowStates
        Of the first networks, input by input.
    left_out : str
        Which networks are left out, and why; empty where none is.
    """

    networks: list[list[SlowStates]]
    left_out: str


def slow_study(
    run: Run,
    task: Task,
    seed: int,
    asked: bool | None,
    effort: Effort | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> SlowStudy | None:
    """None for a task that names no constant inputs, and where searches are not wanted.

    asked: whether searches are wanted; None where nobody said.
    """
    held = task.constant_inputs()
    if not held or asked is False:
        return None
    if run.model.state_size > MOST_UNITS and not asked:
        return SlowStudy([], f"Of more than {MOST_UNITS} units they are not looked for unasked.")
    found = []
    for net in range(len(run.networks))[:MOST_NETWORKS]:
        say(f"network {net}: slow sets")
        try:
            found.append([_under(run, net, task, seed, each) for each in held])
        except InvalidSetting as reason:  # of networks whose trajectories run away
            return SlowStudy(found, f"Network {net} and those after it are left out: {reason}.")
    found[0] = [_more(run, task, seed, each, asked, effort or Effort()) for each in found[0]]
    more = len(run.networks) > len(found)
    return SlowStudy(found, f"The first {MOST_NETWORKS} networks were looked at." if more else "")


def _under(run: Run, net: int, task: Task, seed: int, held: ConstantInput) -> SlowStates:
    """Of one network under one input; the run keeps what is found."""
    asked = {"inputs": held.inputs, "task": task, "seed": seed}
    sets = of_network(run, net, analysis.slow_sets, **asked)
    selection = None
    if sets.sets:
        selection = of_network(run, net, analysis.selection_vectors, states=sets, task=task)
    return SlowStates(held, sets, selection)


def _more(
    run: Run, task: Task, seed: int, known: SlowStates, asked: bool | None, effort: Effort
) -> SlowStates:
    """Of network 0 also how far sets reach otherwise, and where it is asked for fixed points."""
    settings = {"inputs": known.input.inputs, "task": task, "seed": seed}
    wider = [
        of_network(run, 0, analysis.slow_sets, tolerance=each, n_starts=WIDER_STARTS, **settings)
        for each in WIDER[: 2 if asked else 1]
    ]
    points = None
    if asked:
        starts = {"n_starts": effort.driven_starts, "max_starts": effort.driven_starts}
        points = of_network(run, 0, analysis.fixed_points, **settings, **starts)
    return known._replace(wider=tuple(wider), points=points)


def slow_tables(found: Sequence[Sequence[SlowStates]]) -> dict[str, pd.DataFrame]:
    """What is known, for files, by their names; without what would be empty."""
    tables = {
        "slow_reach": main_table(found),
        "slow_sets": sets_table(found),
        "selection": selection_table(found),
    }
    return {name: table for name, table in tables.items() if len(table)}


def main_table(found: Sequence[Sequence[SlowStates]]) -> pd.DataFrame:
    """A row for each network and input: the longest slow set, and what selects along it."""
    rows = []
    for net, inputs in enumerate(found):
        for each in inputs:
            longest = _longest(each.sets)
            row: dict[str, Any] = {"net": net, "input": each.input.name}
            row["slow set"] = "none" if longest is None else longest.kind
            row["reaches over"] = _percent(_share(longest, each.sets))
            row["unstable across"] = 0 if longest is None else longest.n_unstable
            rows.append({**row, **_selected(each.selection)})
    return pd.DataFrame(rows).fillna("–")


def _selected(selection: analysis.SelectionVectors | None) -> dict[str, str]:
    """How many times as far relevant evidence moves a network as the most moving other one."""
    if selection is None or not selection.relevant or len(selection.directions) < 2:
        return {}
    relevant = selection.relevant
    others = [name for name in selection.directions if name != relevant]
    ratios = [selection.ratios(relevant, other) for other in others]
    ends, starts = np.moveaxis(np.array(ratios), 1, 0)
    return {
        "relevant": relevant,
        "relevant : other": _ratio(ends),
        "at first": _ratio(starts),
    }


def _ratio(ratios: np.ndarray) -> str:
    """The median over states (other, state), for that of the others for which it is lowest."""
    known = [row[~np.isnan(row)] for row in ratios]
    medians = [float(np.median(row)) for row in known if len(row)]
    if not medians:
        return "–"
    return np.format_float_positional(min(medians), 2, fractional=False, trim="-")


def selection_table(found: Sequence[Sequence[SlowStates]]) -> pd.DataFrame:
    """What each change of the input does, network by network, input by input."""
    parts = [
        each.selection.table().assign(net=net)
        for net, inputs in enumerate(found)
        for each in inputs
        if each.selection is not None
    ]
    if not parts:
        return pd.DataFrame()
    whole = pd.concat(parts)
    return whole[["net", *(name for name in whole if name != "net")]]


def sets_table(found: Sequence[Sequence[SlowStates]]) -> pd.DataFrame:
    """Every slow set, network by network, input by input."""
    parts = [
        each.sets.table().assign(net=net, input=each.input.name)
        for net, inputs in enumerate(found)
        for each in inputs
        if each.sets.sets
    ]
    if not parts:
        return pd.DataFrame()
    whole = pd.concat(parts)
    first = ["net", "input"]
    return whole[[*first, *(name for name in whole if name not in first)]]


def wider_table(inputs: Sequence[SlowStates]) -> pd.DataFrame:
    """How far the longest set reaches, by what counts as slow: how the line ends."""
    rows = []
    for each in inputs:
        row = {"input": each.input.name}
        for sets in (each.sets, *each.wider):
            longest = _longest(sets)
            kind = "none" if longest is None else longest.kind
            row[f"slow: {sets.tolerance:.0%}"] = f"{kind}, {_percent(_share(longest, sets))}"
        rows.append(row)
    return pd.DataFrame(rows)


def _longest(sets: analysis.SlowSets) -> analysis.SlowSet | None:
    """The set of most extent; None where there is none."""
    return max(sets.sets, key=lambda each: float(each.extent.sum()), default=None)


def _share(longest: analysis.SlowSet | None, sets: analysis.SlowSets) -> float:
    """How far apart the states of a set are along its first axis, in the trajectories' range."""
    if longest is None or not len(longest.direction) or not sets.reach:
        return 0.0
    return float(np.ptp(longest.states @ longest.direction[0]) / sets.reach)


def _percent(share: float) -> str:
    return f"{share:.0%}"
