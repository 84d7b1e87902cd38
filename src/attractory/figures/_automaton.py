"""A network beside the machine of its task: every transition, and how long every state holds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import matplotlib
import numpy as np
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.patheffects import Normal, Stroke
from matplotlib.ticker import FixedLocator, NullLocator

from attractory.analysis import Automaton
from attractory.figures._check import one_of
from attractory.figures._drawn import drawn
from attractory.figures._points import signs
from attractory.figures._settings import font
from attractory.figures._style import (
    BLACK,
    BLUE,
    DOUBLE,
    GREY,
    PALE,
    SIGNED_MAP,
    VERMILLION,
    legend_below,
    letter,
    new_figure,
    plain,
)

NAMED = 40  # more states or inputs have no names beside the table
SIDE_BY_SIDE = 30  # so many characters have room under a table
SMALLEST, LARGEST = 5.0, 7.0  # size of the names (pt)
HEIGHT = (30.0, 85.0)  # of the tables (mm)
_marked = [Stroke(linewidth=2.2, foreground="white"), Normal()]


@drawn
def automaton(automaton: Automaton) -> Figure:
    """The transitions of a network tested as the machine of its task.

    Parameters
    ----------
    automaton : Automaton
        The network as the machine of its task (`analysis.automaton`).

    Returns
    -------
    matplotlib.figure.Figure
        Two panels, three where samples were taken.

    Notes
    -----
    A: the margin of the read-out after each input (column) from the centre of each state (row)
    without noise, below 0 where the outputs mean another state; a cross marks a transition that
    is not the machine's. B, where samples were taken: the smallest margin of all samples with
    noise; a dot marks transitions that failed in any. C: how long each state keeps its meaning in
    silence, without and with noise. Memories are above the states with a 0, a line between them.
    """
    one_of("automaton", automaton, Automaton)
    machine = automaton.machine
    order = np.argsort(~machine.memories, kind="stable")
    sampled = bool(automaton.samples.any())
    states, inputs = automaton.reached.shape
    width = max(0.7, min(1.0, inputs / 10))
    figure = new_figure(DOUBLE, 42 + np.clip(2.35 * states, *HEIGHT))
    panels = figure.subplots(
        1, 2 + sampled, sharey=True, width_ratios=[width] * (1 + sampled) + [0.45]
    )
    drawn = [automaton.margins] + [automaton.worst_margins] * sampled
    limit = max(float(np.nanmax(np.abs(np.concatenate(drawn)))), 1e-9)
    wrong = [~automaton.correct, automaton.failures > 0]
    most = int(automaton.samples.max())
    titles = ["from the centres, without noise", f"smallest of {most} samples with noise"]
    for i, margins in enumerate(drawn):
        image = _draw_table(panels[i], margins[order], wrong[i][order], limit, "xo"[i])
        panels[i].set_title(titles[i], fontsize=font(7.5))
        _name_inputs(panels[i], machine.inputs)
    _name_states(panels[0], [machine.states[q] for q in order])
    _draw_holds(panels[-1], automaton, order)
    memories = int(machine.memories.sum())
    for i, axes in enumerate(panels):
        letter(axes, i)
        if 0 < memories < states:
            axes.axhline(memories - 0.5, color=BLACK, linewidth=0.8)
    bar = figure.colorbar(
        image, ax=panels[: 1 + sampled], location="bottom", shrink=0.5, aspect=35, pad=0.02
    )
    bar.set_label("Margin of the read-out (a.u.)", fontsize=font(7))
    bar.outline.set_linewidth(0.4)
    legend_below(figure, _legend(automaton, sampled), 3)
    return figure


def _draw_table(
    axes: Any, margins: np.ndarray, wrong: np.ndarray, limit: float, marker: str
) -> Any:
    """margins, wrong (state, input)."""
    colors = matplotlib.colormaps[SIGNED_MAP].with_extremes(bad=PALE)
    image = axes.imshow(
        margins, cmap=colors, norm=Normalize(-limit, limit), interpolation="nearest", aspect="auto"
    )
    rows, columns = np.nonzero(wrong)
    size = 3.2 if len(margins) > 12 else 6.0
    axes.plot(
        columns, rows, linestyle="none", marker=marker, color=BLACK, path_effects=_marked,
        markersize=size if marker == "x" else 0.7 * size, markeredgewidth=0.9,
    )  # fmt: skip
    for side in ("top", "right"):
        axes.spines[side].set_visible(True)
    return image


def _size_of_names(count: int) -> float:
    return font(float(np.clip(7.5 - 0.06 * count, SMALLEST, LARGEST)))


def _name_states(axes: Any, names: Sequence[str]) -> None:
    axes.set_ylabel(f"State ({'sign of each channel' if _are_signs(names) else 'name'})")
    if len(names) > NAMED:
        axes.set_ylabel("State (index, memories first)")
        return
    axes.set_yticks(range(len(names)), [signs(plain(name)) for name in names], family="monospace")
    axes.tick_params(axis="y", labelsize=_size_of_names(len(names)), length=1.5)


def _are_signs(names: Sequence[str]) -> bool:
    return all(set(name) <= set("+-0") for name in names)


def _name_inputs(axes: Any, names: Sequence[str]) -> None:
    """Signs side by side, or one under the other where there is no room; words upright."""
    axes.set_xlabel(f"Input ({'sign of each pulse' if _are_signs(names) else 'name'})")
    if len(names) > NAMED:
        axes.set_xlabel("Input (index)")
        return
    shown, turn = [signs(plain(name)) for name in names], 0
    if len(names) * max(map(len, names)) > SIDE_BY_SIDE:
        if _are_signs(names):
            shown = ["\n".join(name) for name in shown]
        else:
            turn = 90
    axes.set_xticks(range(len(names)), shown, family="monospace", rotation=turn, linespacing=0.85)
    axes.tick_params(axis="x", labelsize=_size_of_names(len(names)), length=1.5)


def _draw_holds(axes: Any, automaton: Automaton, order: np.ndarray) -> None:
    """Steps of silence that each state keeps its meaning; 0 and ∞ have a place beside the axis."""
    limit = automaton.hold_limit
    # a state that means another at step n kept its meaning for n - 1 steps
    quiet = np.maximum(automaton.holds - automaton.lost, 0)
    noisy = np.maximum(automaton.holds_noise - automaton.lost_noise, 0)
    times = np.concatenate([quiet, noisy])
    lowest = np.floor(np.log10(np.min(times[times > 0], initial=limit)))
    zero, forever = 10.0**lowest / 4, limit * 4.0
    rows, share = np.arange(len(order)), min(1.0, 30 / len(order))
    for which, look in [(noisy, _noisy), (quiet, _quiet)]:
        held = which[order]
        seen = np.isfinite(held)
        at = np.where(held[seen] > 0, held[seen], zero)
        axes.plot(at, rows[seen], **{**look, "markersize": share * look["markersize"]})
        forever_rows = rows[~seen]
        axes.plot(np.full(len(forever_rows), forever), forever_rows, **_proved)
    axes.axvline(limit, color=GREY, linestyle=":", linewidth=0.8, zorder=0)
    axes.set_xscale("log")
    axes.set_xlim(zero / 1.8, forever * 2)
    powers = 10.0 ** np.arange(lowest, np.floor(np.log10(limit)) + 1)
    names = [rf"$10^{{{round(np.log10(power))}}}$" for power in powers]
    ticks, labels = [*powers, forever], [*names, "∞"]
    if (times == 0).any():
        ticks, labels = [zero, *ticks], ["0", *labels]
    axes.xaxis.set_major_locator(FixedLocator(ticks))
    axes.set_xticklabels(labels)
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xlabel("Held (steps)")
    axes.set_title("in silence", fontsize=font(7.5))


_quiet: dict[str, Any] = {
    "linestyle": "none", "marker": "o", "markersize": 2.6, "color": BLUE, "label": "without noise",
}  # fmt: skip
_noisy: dict[str, Any] = {
    "linestyle": "none", "marker": "D", "markersize": 4.2, "markerfacecolor": "none",
    "markeredgecolor": VERMILLION, "markeredgewidth": 0.8, "label": "with noise",
}  # fmt: skip
_proved: dict[str, Any] = {
    "linestyle": "none", "marker": r"$\infty$", "markersize": 5, "markeredgewidth": 0.2,
    "color": BLUE, "label": "proved to hold for ever",
}  # fmt: skip


def _legend(automaton: Automaton, sampled: bool) -> list[Any]:
    total = automaton.reached.size
    look: dict[str, Any] = {"linestyle": "none", "color": BLACK}
    wrong = int((~automaton.correct).sum())
    handles: list[Any] = [
        Line2D([], [], marker="x", markersize=4, label=f"wrong ({wrong} of {total})", **look)
    ]
    if sampled:
        failed = int((automaton.failures > 0).sum())
        label = f"failed in some sample ({failed} of {total})"
        handles.append(Line2D([], [], marker="o", markersize=3, label=label, **look))
        empty = int(np.isnan(automaton.worst_margins).sum())
        if empty:
            handles.append(Patch(facecolor=PALE, label=f"no sample ({empty} of {total})"))
    handles += [Line2D([], [], **_quiet), Line2D([], [], **_noisy)]
    forever = int(np.isinf(automaton.holds).sum())
    if forever:
        label = f"{_proved['label']} ({forever} of {len(automaton.holds)})"
        handles.append(Line2D([], [], **{**_proved, "label": label}))
    label = f"end of the watch ({automaton.hold_limit} steps)"
    return [*handles, Line2D([], [], color=GREY, linestyle=":", linewidth=0.8, label=label)]
