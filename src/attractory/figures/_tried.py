"""What the figures of sweeps and tunings share: axes of fields and of scores, marks of trials."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.colors import LogNorm, Normalize
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, LogLocator, MaxNLocator, NullFormatter, NullLocator

from attractory._errors import InvalidSetting, nearest
from attractory.figures._robustness import ROWS
from attractory.figures._settings import font
from attractory.figures._style import (
    BLACK,
    GREY,
    MANY_POINTS,
    VERMILLION,
    plain,
)
from attractory.population import TriedSettings, find_measure, measure_names
from attractory.population._tried_settings import SHARES

LABELS = {
    **ROWS,
    "distance": "Distance to targets (a.u.)",
    "validation_loss": "Validation loss",
    "loss": "Loss, last 10 updates",
}
WAYS = {"maximize": "↑ better", "minimize": "↓ better", "": ""}
UNITS = {"dt": "ms", "tau": "ms"}
LEAST_RATIO = 30.0  # of positive numbers that are drawn on a logarithmic scale
MOST_TICKS = 6  # values that are named as they are
LEAST_GAP = 0.12  # between two of them (share of the axis)
FEW_DECADES = 2.5  # so many are told at 1, 2 and 5 of each
LONGEST = 18  # letters of all words on a horizontal axis that stand beside each other, per panel
COLUMNS = 3  # of panels at most
ROOM = 0.08  # below all points for these marks (share of the panel)
FLOOR = 0.03  # height of the marks of what has no number (share of the panel)


def chosen_fields(
    tried: TriedSettings, fields: Sequence[str] | None, count: int | None
) -> list[str]:
    """The fields that are asked for, each among those that varied; `count` of them, where said."""
    found = [fields] if isinstance(fields, str) else list(fields or ())
    for name in found:
        if name not in tried.fields:
            raise InvalidSetting(f"fields: {name!r} did not vary; {nearest(name, tried.fields)}")
    if count is not None and len(set(found)) != count:
        raise InvalidSetting(f"fields: {len(set(found))} given, allowed: {count}")
    return found


def by_importance(tried: TriedSettings, score: str) -> list[str]:
    """All fields, the most important first; as they were given where that is not known."""
    known = tried.importance.get(score, {})
    return sorted(tried.fields, key=lambda name: -known.get(name, 0.0))


def complete(tried: TriedSettings, score: str) -> np.ndarray:
    """The rows that have a number (row,); InvalidSetting where none has."""
    known = np.isfinite(tried.numbers(score))
    if not known.any():
        raise InvalidSetting(f"score {score!r}: no {tried.kind} has a number yet; nothing to draw")
    return known


def places_of(tried: TriedSettings, field: str) -> np.ndarray:
    """Where the rows stand along a field: numbers as they are, words at 0, 1, …; NaN: nowhere."""
    column = tried.rows[field].to_numpy()
    if column.dtype.kind in "biuf":
        return column.astype(float)
    member = tried.levels(field).member
    return np.where(member >= 0, member, np.nan).astype(float)


def has_numbers(tried: TriedSettings, field: str) -> bool:
    """Whether the values of a field are numbers, not words."""
    return tried.rows[field].to_numpy().dtype.kind in "biuf"


def field_label(field: str) -> str:
    """A field with its unit, where that is known."""
    unit = UNITS.get(field.rpartition(".")[2])
    return plain(field) + (f" ({unit})" if unit else "")


def score_label(score: str) -> str:
    """A score with its unit."""
    if score in LABELS:
        return LABELS[score]
    name = score.partition("@")[0]
    unit = find_measure(name).unit if name in measure_names() else ""
    words = score.replace("_", " ").replace("@", ", ")
    return plain(words[:1].upper() + words[1:]) + (f" ({plain(unit)})" if unit else "")


def name_field(axis: Any, tried: TriedSettings, field: str) -> None:
    """Label, scale and ticks of an axis along a field."""
    axis.set_label_text(field_label(field))
    if not has_numbers(tried, field):
        _name_words(axis, tried.levels(field).names)
    elif field in tried.logarithmic:
        _scaled(axis, tried.rows[field].to_numpy(float))
    else:
        whole = np.array_equal(tried.rows[field].dropna() % 1, np.zeros(tried.rows[field].count()))
        axis.set_major_locator(MaxNLocator(5, integer=whole))


def name_score(axes: Any, tried: TriedSettings, score: str, labelled: bool = True) -> None:
    """Label and scale of a vertical axis of a score, and which way is better above it."""
    if labelled:
        axes.set_ylabel(score_label(score))
    if is_skewed(tried, score):
        _scaled(axes.yaxis, tried.numbers(score))
    axes.set_title(WAYS[tried.directions[score]], loc="right", fontsize=font(6.5), color=GREY)


def is_skewed(tried: TriedSettings, score: str) -> bool:
    """Whether the numbers of a score need a logarithmic scale: errors of several sizes."""
    numbers = tried.numbers(score)
    known = numbers[np.isfinite(numbers)]
    if score in SHARES or not len(known) or known.min() <= 0:
        return False
    return bool(known.max() >= LEAST_RATIO * known.min())


def norm_of(tried: TriedSettings, score: str, numbers: np.ndarray) -> Any:
    """How the numbers of a score become colours."""
    kind = LogNorm if is_skewed(tried, score) else Normalize
    low, high = float(numbers.min()), float(numbers.max())
    return kind(low, high if high > low else low + 1e-9 * max(abs(low), 1.0))


def colors_towards(tried: TriedSettings, score: str) -> str:
    """The colour map, whose bright end is the better one."""
    return "viridis_r" if tried.directions[score] == "minimize" else "viridis"


def mark_unfinished(axes: Any, tried: TriedSettings, along: np.ndarray) -> list[Line2D]:
    """Marks at the floor of a panel for trials without a number; their entries of a legend."""
    made = []
    states = tried.rows["state"].to_numpy()
    for state, look in UNFINISHED.items():
        places = along[states == state]
        if len(places):
            axes.plot(places, np.full(len(places), FLOOR), transform=axes.get_xaxis_transform(),
                      linestyle="none", clip_on=False, zorder=4, **look)  # fmt: skip
            made.append(Line2D([], [], linestyle="none", label=f"{state}", **look))
    return made


UNFINISHED: dict[str, dict[str, Any]] = {
    "pruned": {"marker": "|", "color": GREY, "markersize": 5, "markeredgewidth": 0.8},
    "failed": {"marker": "x", "color": BLACK, "markersize": 3.5, "markeredgewidth": 0.8},
}
BEST: dict[str, Any] = {
    "marker": "D", "markersize": 5, "color": VERMILLION, "markeredgecolor": "white",
    "markeredgewidth": 0.5, "linestyle": "none",
}  # fmt: skip


def best_row(tried: TriedSettings, score: str) -> int | None:
    """The row with the best number; None where nobody can say what is better."""
    numbers, way = tried.numbers(score), tried.directions[score]
    if way == "":
        return None
    return int(np.nanargmax(numbers) if way == "maximize" else np.nanargmin(numbers))


def as_pixels(count: int) -> bool:
    """So many points are drawn as pixels, also in a vector file."""
    return count > MANY_POINTS


def columns_of(count: int) -> int:
    """So many of so many panels stand in a row: rows are full where they can be."""
    return {2: 2, 4: 2}.get(count, min(count, COLUMNS))


def grid_of(figure: Any, count: int) -> list[Any]:
    """So many panels in rows that share their vertical axis."""
    columns = columns_of(count)
    rows = -(-count // columns)
    panels = figure.subplots(rows, columns, sharey=True, squeeze=False).ravel()
    for spare in panels[count:]:
        spare.remove()
    return list(panels[:count])


def leave_floor(axes: Any) -> None:
    """Room below all points for the marks of what has no number."""
    scale = axes.yaxis.get_transform()
    low, high = scale.transform(axes.get_ylim())
    bottom = scale.inverted().transform(low - ROOM * (high - low))
    axes.set_ylim(bottom=float(bottom))


def _scaled(axis: Any, numbers: np.ndarray) -> None:
    """A logarithmic scale with numbers at 1, 2 and 5 where it has few decades."""
    axis.axes.set(**{f"{axis.axis_name}scale": "log"})
    known = numbers[np.isfinite(numbers)]
    decades = float(np.log10(known.max() / known.min())) if len(known) else 1.0
    if decades < FEW_DECADES:
        axis.set_major_locator(LogLocator(subs=_within_a_decade(decades)))
        axis.set_minor_locator(NullLocator())
        axis.set_major_formatter(lambda value, _: f"{value:.4g}")
    axis.set_minor_formatter(NullFormatter())


def _within_a_decade(decades: float) -> tuple[float, ...]:
    """Where ticks are, times a power of 10: denser on a shorter axis."""
    if decades > 1.3:
        return (1.0, 3.0)
    return (1.0, 2.0, 5.0) if decades > 0.7 else (1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 7.0)


def tick_levels(axis: Any, tried: TriedSettings, field: str) -> None:
    """Ticks at the values of a field of few numbers, where there is room for each of them."""
    levels = tried.levels(field)
    if not has_numbers(tried, field) or levels.binned or not 2 <= len(levels) <= MOST_TICKS:
        return
    scaled = np.log(levels.places) if field in tried.logarithmic else levels.places
    if np.diff(scaled).min() >= LEAST_GAP * np.ptp(scaled):
        axis.set_major_locator(FixedLocator(levels.places.tolist()))
        axis.set_major_formatter(lambda value, _: f"{value:g}")
        axis.set_minor_locator(NullLocator())


def _name_words(axis: Any, names: Sequence[str]) -> None:
    words = [plain(name) for name in names]
    crowded = axis.axis_name == "x" and sum(map(len, words)) > LONGEST
    look: dict[str, Any] = {}
    if crowded:
        look = {"rotation": 30, "ha": "right", "rotation_mode": "anchor"}
    axis.set_major_locator(FixedLocator(list(range(len(words)))))
    axis.set_ticks(np.arange(len(words)), words, **look)
    limits = (-0.5, max(len(words), 1) - 0.5)
    axis.axes.set(**{f"{axis.axis_name}lim": limits})
