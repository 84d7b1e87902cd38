"""What stands above the panels of a trial: its number, its conditions, the names of its epochs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import text_to_path

from attractory.figures._settings import font
from attractory.figures._style import GREY, letter, plain
from attractory.tasks import Trials

EPOCH_SIZE, CONDITION_SIZE = 6.0, 6.5  # of the letters (points)
EPOCH_LINE, CONDITION_LINE = 7.0, 8.0  # from line to line (points)
GAP = 3.0  # between two names in a line (points)
MOST_CONDITIONS = 3
MANY_EPOCHS = 9  # from here on only those are named whose name is no longer than they are


class EpochName(NamedTuple):
    """Where an epoch's name is written: centred on a time (ms), in line 0 or in line 1 above it."""

    name: str
    time: float
    line: int


class Head(NamedTuple):
    """What stands above one trial."""

    epochs: list[EpochName]
    conditions: list[str]


def heads(trials: Trials, n: int, width: float) -> list[Head]:
    """Those of the first n trials, when a panel is that wide (points)."""
    return [
        Head(names, _conditions(trials, i, width))
        for i, names in enumerate(_epoch_names(trials, n, width))
    ]


def height(heads: Sequence[Head]) -> float:
    """Of what stands above the panels, without the trials' numbers (points)."""
    lines = max((name.line + 1 for head in heads for name in head.epochs), default=0)
    most = max(len(head.conditions) for head in heads)
    return lines * font(EPOCH_LINE) + most * font(CONDITION_LINE)


def write_heads(panels: Sequence[Any], heads: Sequence[Head]) -> None:
    """Write them above the top panels of the trials."""
    above = {"textcoords": "offset points", "ha": "center", "va": "bottom"}
    for i, (axes, head) in enumerate(zip(panels, heads, strict=True)):
        for name, time, line in head.epochs:
            axes.annotate(
                name,
                (time, 1),
                (0, 1 + line * font(EPOCH_LINE)),
                xycoords=axes.get_xaxis_transform(),
                fontsize=font(EPOCH_SIZE),
                color=GREY,
                **above,
            )
        conditions = height(heads) - len(head.conditions) * font(CONDITION_LINE)
        axes.annotate(
            "\n".join(head.conditions),
            (0.5, 1),
            (0, 2 + conditions),
            xycoords="axes fraction",
            fontsize=font(CONDITION_SIZE),
            **above,
        )
        letter(axes, i)
        axes.set_title(f"trial {i + 1}", pad=4 + height(heads))


def _epoch_names(trials: Trials, n: int, width: float) -> list[list[EpochName]]:
    """Of each trial: all in one line where they fit in all trials, else in two lines in turn."""
    if trials.epochs is None:
        return [[]] * n
    limits = trials.epochs[:n]
    in_one = [_placed(trials, each, width, 1) for each in limits]
    there = np.count_nonzero(np.diff(limits), axis=1).tolist()
    if [len(names) for names in in_one] == there or len(trials.epoch_names) >= MANY_EPOCHS:
        return in_one
    return [_placed(trials, each, width, 2) for each in limits]


def _placed(trials: Trials, limits: np.ndarray, width: float, lines: int) -> list[EpochName]:
    """The names that there is room for, the longest epochs first; none covers another.

    limits (epoch + 1,): of one trial's epochs.
    """
    scale = width / trials.inputs.shape[1]  # points a step
    begins, lengths = limits[:-1], np.diff(limits)
    shown = np.flatnonzero(lengths)
    found: list[EpochName] = []
    taken: list[list[tuple[float, float]]] = [[] for _ in range(lines)]
    for k in np.argsort(-lengths[shown], kind="stable"):
        i, line = shown[k], k % lines
        name = plain(trials.epoch_names[i].replace("_", " "))
        size = _width(name, EPOCH_SIZE) + GAP
        middle = float(np.clip((begins[i] + lengths[i] / 2) * scale, size / 2, width - size / 2))
        left, right = middle - size / 2, middle + size / 2
        too_many = len(lengths) >= MANY_EPOCHS and size > lengths[i] * scale
        if not too_many and all(right <= begin or left >= end for begin, end in taken[line]):
            taken[line].append((left, right))
            found.append(EpochName(name, trials.dt * middle / scale, int(line)))
    return found


def _conditions(trials: Trials, trial: int, width: float) -> list[str]:
    """The first conditions in as many lines as they need: kinds, then amounts, then the answers."""
    values = {name: values[trial] for name, values in trials.conditions.items()}
    values = {name: value for name, value in values.items() if not np.isnan(value)}
    order = sorted(values, key=lambda n: (n.startswith("answer"), values[n].dtype.kind == "f"))
    said = [f"{plain(n.replace('_', ' '))} = {values[n]:.3g}".replace("-", "−") for n in order]
    lines: list[str] = []
    for each in said[:MOST_CONDITIONS]:
        longer = f"{lines[-1]}, {each}" if lines else each
        if lines and _width(longer, CONDITION_SIZE) <= width:
            lines[-1] = longer
        else:
            lines.append(each)
    return [*lines[:-1], f"{lines[-1]}, …"] if len(said) > MOST_CONDITIONS else lines


def _width(text: str, size: float) -> float:
    """Of a text in the figure's font (points)."""
    return float(
        text_to_path.get_text_width_height_descent(text, FontProperties(size=font(size)), False)[0]
    )
