"""Networks in the course of their training: a run with kept checks, or pairs of step, networks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from numbers import Real
from typing import Any

import numpy as np

from attractory._arguments import refusal
from attractory._errors import InvalidSetting, shown
from attractory.models import Network, networks_of
from attractory.runs import Run
from attractory.tasks import Task

Learned = Run | Sequence[tuple[float, Network | Sequence[Network]]]


@dataclass(frozen=True)
class Progression:
    """The same networks at one step after the other.

    steps: where in the training, rising. networks: at each step, all networks in order. nets: the
    index of each in its run. left_out: those of a run that diverged. run: that they are of, which
    keeps what is computed on them; None of pairs.
    """

    steps: np.ndarray
    networks: tuple[tuple[Network, ...], ...]
    nets: np.ndarray
    task: Task | None
    left_out: tuple[str, ...] = ()
    run: Run | None = None


def progression_of(networks: Any) -> Progression:
    """What is meant; InvalidSetting for anything but a run with kept checks, or such pairs."""
    progression = _of_run(networks) if isinstance(networks, Run) else _of_pairs(networks)
    if len(progression.steps) < 2:
        raise InvalidSetting("networks: they are of one step; at least two are needed")
    return progression


def _of_run(run: Run) -> Progression:
    checks = run.checks()
    kept = [row["status"] != "diverged" for row in run.status]
    if not any(kept):
        raise InvalidSetting("networks: all of them diverged; there is nothing to measure")
    nets = np.flatnonzero(kept)
    return Progression(
        steps=np.array([check.step for check in checks], float),
        networks=tuple(tuple(check.networks[net] for net in nets) for check in checks),
        nets=nets,
        task=None if run.task.missing else run.task,
        left_out=tuple(f"network {net}" for net in np.flatnonzero(~np.array(kept))),
        run=run,
    )


def _of_pairs(networks: Any) -> Progression:
    if isinstance(networks, (str, Network)) or not isinstance(networks, Iterable):
        raise InvalidSetting(refusal("networks", networks, "a Run, or pairs (step, networks)"))
    steps, held = [], []
    for i, pair in enumerate(networks):
        step, given = _pair(i, pair)
        steps.append(step)
        held.append(tuple(networks_of(given, f"networks[{i}]")))
    _check_order(steps)
    sizes = {len(each) for each in held}
    if len(sizes) > 1:
        raise InvalidSetting(
            f"networks: there are {min(sizes)} to {max(sizes)} of them at different steps; they "
            "must be the same ones"
        )
    return Progression(np.array(steps), tuple(held), np.arange(*sizes), None)


def _pair(i: int, pair: Any) -> tuple[float, Any]:
    if not isinstance(pair, (tuple, list)) or len(pair) != 2:
        raise InvalidSetting(refusal(f"networks[{i}]", pair, "a pair (step, networks)"))
    step, given = pair
    if not isinstance(step, (Real, np.number)) or not np.isfinite(float(step)):
        raise InvalidSetting(refusal(f"networks[{i}][0]", step, "a step, which is a number"))
    return float(step), given


def _check_order(steps: list[float]) -> None:
    if not steps:
        raise InvalidSetting("networks is empty; at least two steps are needed")
    for earlier, later in pairwise(steps):
        if not earlier < later:
            raise InvalidSetting(f"networks: step {shown(later)} after {shown(earlier)}; must rise")
