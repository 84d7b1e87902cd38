"""Trials by the levels of their conditions, and the times at which all of them have a step."""

from __future__ import annotations

from math import prod
from typing import NamedTuple

import numpy as np
import pandas as pd

from attractory._errors import InvalidSetting, shown
from attractory.analysis.states._variables import values_of, with_options
from attractory.evaluation import in_levels
from attractory.tasks import Alignment, Task, Trials


class Levels(NamedTuple):
    """What each trial is, by several conditions.

    values: the levels of each condition in order, by name; of a choice the names of the options.
    codes: (trial, condition), the number of the level, -1 where a trial has none.
    """

    values: dict[str, np.ndarray]
    codes: np.ndarray

    @property
    def shape(self) -> tuple[int, ...]:
        """How many levels each condition has."""
        return tuple(len(each) for each in self.values.values())

    @property
    def usable(self) -> np.ndarray:
        """The trials (trial,) that have a level of each condition."""
        usable: np.ndarray = np.all(self.codes >= 0, axis=1)
        return usable

    @property
    def cells(self) -> np.ndarray:
        """The number of each trial's combination of levels (trial,), -1 for none."""
        combined = np.ravel_multi_index(np.maximum(self.codes, 0).T, self.shape)
        return np.where(self.usable, combined, -1)

    def named(self, cell: int) -> str:
        """A combination of levels in words."""
        places = np.unravel_index(cell, self.shape)
        pairs = zip(self.values.items(), places, strict=True)
        return ", ".join(f"{name} = {values[place]}" for (name, values), place in pairs)


def levels_of(
    argument: str,
    names: tuple[str, ...],
    outputs: np.ndarray,
    trials: Trials,
    task: Task | None,
) -> Levels:
    """The levels of these conditions; InvalidSetting where one does not vary.

    A number of more than 12 values, unless they are integers, is cut into bins (see `in_levels`).
    """
    if not names:
        raise InvalidSetting(f"{argument} is empty; at least one condition is needed")
    if len(set(names)) < len(names):
        raise InvalidSetting(f"{argument} = {shown(names)} is not allowed: each of them once")
    found = values_of(argument, names, outputs, trials, task)
    values, codes = {}, []
    for name, each in found.items():
        levels = in_levels(each) if each.dtype.kind in "biuf" else each
        numbers, known = pd.factorize(levels, sort=True)
        if len(known) < 2:
            raise InvalidSetting(
                f"{argument} = {shown(name)} has {len(known)} value{'s' * (len(known) != 1)} in "
                f"these {len(trials)} trials; it must vary"
            )
        values[name] = np.asarray(known)
        codes.append(numbers)
    return Levels(with_options(values, task), np.stack(codes, axis=1))


def check_filled(argument: str, levels: Levels, used: np.ndarray, least: int) -> None:
    """InvalidSetting where a combination of levels has fewer of the used trials than that."""
    counts = np.bincount(levels.cells[used], minlength=prod(levels.shape))
    if counts.min() < least:
        raise InvalidSetting(
            f"{argument}: {counts.min()} trials with {levels.named(int(counts.argmin()))}; each "
            f"combination needs {least} or more: sample more trials, or leave a condition out"
        )


def shared_steps(laid: Alignment, used: np.ndarray) -> np.ndarray:
    """The times (time,) of bool at which each of the used trials has a step."""
    if not used.any():
        raise InvalidSetting(f"none of the {len(used)} trials has a value of each condition")
    shared: np.ndarray = laid.counted[used].all(axis=0)
    if not shared.any():
        raise InvalidSetting(
            "at no time do all trials have a step; align them at another epoch, or give window_ms"
        )
    return shared
