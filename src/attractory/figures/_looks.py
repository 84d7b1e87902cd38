"""Colours and lines of conditions: the same in every figure of averages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

import matplotlib
import numpy as np
from matplotlib.lines import Line2D

from attractory._errors import InvalidSetting, shown
from attractory.figures._style import BLACK, CATEGORIES, GREY, ORDERED_MAP, SIGNED_MAP, plain

# of the conditions of our tasks: what they are, and in what unit
CONDITIONS = {
    "coherence": ("Coherence", "%"),
    "coherence_1": ("Coherence of modality 1", "%"),
    "coherence_2": ("Coherence of modality 2", "%"),
    "relevant": ("Relevant coherence", "%"),
    "irrelevant": ("Irrelevant coherence", "%"),
    "difference": ("Difference f1 − f2", "Hz"),
}
LINES = ("-", "--", ":", "-.")
PALEST = 0.4  # of the half of a map that goes to white: paler lines are not seen


class ByConditions(Protocol):
    """What is told apart by conditions, such as averages: their names, and each one's values."""

    @property
    def by(self) -> tuple[str, ...]: ...

    @property
    def conditions(self) -> dict[str, np.ndarray]: ...

    @property
    def trials(self) -> np.ndarray: ...


class Look(NamedTuple):
    """The colour and the line of a condition."""

    color: Any
    line: Any


def looks_of(averages: ByConditions, apart: str | None = None) -> list[Look]:
    """One for each condition: the colour tells the first of `by`, the line the next.

    apart: a condition that is told otherwise (by panels).
    """
    names = [name for name in averages.by if name != apart]
    if len(names) > 2:
        raise InvalidSetting(
            f"averages are by {shown(averages.by)}; one condition is told by the colour and one by "
            f"the line, so that at most {3 if apart else 2} can be drawn"
        )
    count = len(averages.trials)
    colors = lines = [0] * count
    palette: list[Any] = [BLACK]
    if names:
        known, colors = _numbered(averages.conditions[names[0]])
        palette = colors_of(known)
    if names[1:]:
        known, lines = _numbered(averages.conditions[names[1]])
        if len(known) > len(LINES):
            raise InvalidSetting(
                f"averages have {len(known)} values of {shown(names[1])}, which the line tells; at "
                f"most {len(LINES)} are told apart"
            )
    return [Look(palette[color], LINES[line]) for color, line in zip(colors, lines, strict=True)]


def handles_of(
    averages: ByConditions, apart: str | None = None, named: bool = False
) -> list[Line2D]:
    """The entries of a legend: colours, then lines. named: with the name of the first condition."""
    names = [name for name in averages.by if name != apart]
    looks = looks_of(averages, apart)
    entries: dict[str, Line2D] = {}
    for i, look in enumerate(looks):
        if names:
            value = in_words(averages.conditions[names[0]][i])
            label = f"{plain(names[0])} = {value}" if named else value
            entries.setdefault(label, Line2D([], [], color=look.color, label=label))
    for i, look in enumerate(looks):
        if names[1:]:
            label = f"{plain(names[1])} = {in_words(averages.conditions[names[1]][i])}"
            line = Line2D([], [], color=BLACK, linestyle=look.line, label=label)
            entries.setdefault(label, line)
    return list(entries.values())


def with_unit(name: str) -> str:
    """A condition with its unit where it is known, in words."""
    known = CONDITIONS.get(name)
    return plain(name) if known is None else f"{known[0]} ({known[1]})"


def in_words(value: Any) -> str:
    """A value of a condition: a name, or a number."""
    return plain(value) if isinstance(value, str) else f"{value:.3g}".replace("-", "−")


def colors_of(values: Sequence[Any]) -> list[Any]:
    """Of values in order: two halves of a map for those below and above 0, else one map."""
    if len(values) <= 2 or isinstance(values[0], str):
        return [CATEGORIES[i % len(CATEGORIES)] for i in range(len(values))]
    array = np.asarray(values, float)
    if not (array.min() < 0 < array.max()):
        return list(matplotlib.colormaps[ORDERED_MAP](np.linspace(0, 0.9, len(array))))
    below, above = np.sort(-array[array < 0])[::-1], array[array > 0]
    low, high = _half(len(below)), _half(len(above))
    signed = matplotlib.colormaps[SIGNED_MAP]
    middle = [GREY] * int((array == 0).sum())
    return [*signed(0.5 - low / 2), *middle, *signed(0.5 + high[::-1] / 2)]


def _half(count: int) -> np.ndarray:
    """How far from the middle of the map, from 1 down."""
    return np.linspace(1, PALEST, count) if count > 1 else np.ones(count)


def _numbered(values: np.ndarray) -> tuple[list[Any], list[int]]:
    """The values in order, and the number of each in that order."""
    numeric = values.dtype.kind in "biuf"
    known = list(np.unique(values)) if numeric else list(dict.fromkeys(values.tolist()))
    return known, [known.index(value) for value in values]
