"""What one flip-flop does (figure 1)."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from attractory._errors import InvalidSetting
from attractory.figures._drawn import drawn
from attractory.figures._settings import font
from attractory.figures._style import (
    BLACK,
    BLUE,
    DOUBLE,
    GREY,
    INPUT,
    TARGET,
    VERMILLION,
    letter,
    new_figure,
)
from attractory.tasks import Task

PULSES = 5  # set, set again, reset, reset again, set
_arrow = {"arrowstyle": "-|>", "linewidth": 0.8, "shrinkA": 0, "shrinkB": 0, "color": BLACK}
_table = (
    ("pulse", "S", "R", "next Q", ""),
    ("none", "0", "0", "Q", "hold"),
    ("+", "1", "0", "+1", "set"),
    ("−", "0", "1", "−1", "reset"),
)


@drawn
def flip_flop(task: Task) -> Figure:
    """What one channel of a flip-flop memory is asked to do (Jarne 2024, figure 1).

    Parameters
    ----------
    task : Task
        A `FlipFlop`, or another task with this picture.

    Returns
    -------
    matplotlib.figure.Figure
        Two panels.

    Notes
    -----
    A: block diagram, and table of what each pulse does to the stored sign Q. B: a noiseless input
    (top) and its target (bottom) against time, with the width of a pulse and the delay of the
    answer.
    """
    if getattr(task, "picture", None) != "flip_flop":
        raise InvalidSetting(
            f"task is of type {type(task).__name__}; a task with this picture is needed (FlipFlop)"
        )
    figure = new_figure(DOUBLE, 68)
    panels = figure.subplot_mosaic("AB;AC", width_ratios=[1, 1.55])
    _draw_diagram(panels["A"], task)
    _draw_table(panels["A"])
    _draw_traces(panels["B"], panels["C"], task)
    letter(panels["A"], 0)
    letter(panels["B"], 1)
    return figure


def _draw_diagram(axes: Any, task: Any) -> None:
    """From the input line through S and R to Q and the delay."""
    axes.set(xlim=(0, 10), ylim=(0, 10))
    axes.set_axis_off()
    axes.text(0, 7.9, "input\nx(t)", va="center", ha="left", color=BLACK)
    axes.plot([1.7, 2.1], [7.9, 7.9], color=BLACK, linewidth=0.8)
    axes.plot([2.1, 2.1], [6.9, 8.9], color=BLACK, linewidth=0.8)
    for y, sign, gate, color in [(8.9, "+", "S", BLUE), (6.9, "−", "R", VERMILLION)]:
        axes.annotate("", (3.7, y), (2.1, y), arrowprops={**_arrow, "color": color})
        axes.text(2.75, y + 0.12, sign, ha="center", va="bottom", color=color, fontsize=font(9))
        axes.text(3.9, y, gate, ha="left", va="center", fontweight="bold")
    axes.add_patch(Rectangle((3.7, 6.1), 1.9, 3.6, fill=False, linewidth=1))
    axes.text(5.4, 7.9, "Q", ha="right", va="center", fontweight="bold")
    axes.annotate("", (6.2, 7.9), (5.6, 7.9), arrowprops=_arrow)
    axes.add_patch(Rectangle((6.2, 7.1), 1.7, 1.6, fill=False, linewidth=0.8))
    delay = f"delay\n{task.delay * task.dt:g} ms"
    axes.text(7.05, 7.9, delay, ha="center", va="center", fontsize=font(7))
    axes.annotate("", (8.5, 7.9), (7.9, 7.9), arrowprops=_arrow)
    axes.text(8.6, 7.9, "target\nz(t)", va="center", ha="left")


def _draw_table(axes: Any) -> None:
    """Pulse, S, R, and the Q that follows."""
    columns = (1.2, 3.2, 4.5, 6.1, 8.2)
    for i, row in enumerate(_table):
        y = 4.4 - 1.15 * i
        for x, text in zip(columns, row, strict=True):
            weight = "bold" if i == 0 else "normal"
            axes.text(x, y, text, ha="center", va="center", fontweight=weight)
    for y in (5.0, 3.83, 0.35):
        axes.plot([0.2, 9.4], [y, y], color=GREY, linewidth=0.6)


def _draw_traces(upper: Any, lower: Any, task: Any) -> None:
    """The first pulses of a walk, in a channel whose pulses come in pairs of one sign."""
    start, every = 30, max(70, 2 * task.latency - task.latency // 4)
    walk = task.replace(bits=2).walk(every=every, start=start)
    length = start + PULSES * every
    time = task.dt * np.arange(length)
    upper.plot(time, walk.inputs[0, :length, 0], color=INPUT, linewidth=1.2, drawstyle="steps-post")
    lower.plot(
        time, walk.targets[0, :length, 0], color=TARGET, linewidth=1.2, drawstyle="steps-post"
    )
    high = float(task.amplitude)
    upper.set(ylabel="Input x (a.u.)", ylim=(-1.75 * high, 1.75 * high), yticks=[-high, 0, high])
    lower.set(ylabel="Target z (a.u.)", ylim=(-1.6, 1.6), yticks=[-1, 0, 1], xlabel="Time (ms)")
    for axes in (upper, lower):
        axes.set_xlim(0, time[-1])
    upper.tick_params(labelbottom=False)
    for i, name in enumerate(["set", "set again", "reset", "reset again", "set"]):
        middle = task.dt * (start + i * every + task.pulse / 2)
        sign = -1 if "reset" in name else 1
        side = "top" if sign < 0 else "bottom"
        upper.text(middle, sign * 1.15 * high, name, ha="center", va=side, fontsize=font(7))
    _mark_times(upper, lower, task, start)


def _mark_times(upper: Any, lower: Any, task: Any, start: int) -> None:
    """The width of the first pulse, and the delay from its end to the answer."""
    onset, end = task.dt * start, task.dt * (start + task.pulse)
    answer = task.dt * (start + task.latency)
    for axes in (upper, lower):
        axes.axvline(end, color=GREY, linestyle=":", linewidth=0.7, zorder=0)
        axes.axvline(answer, color=GREY, linestyle=":", linewidth=0.7, zorder=0)
    spans = [
        (upper, onset, end, -0.4 * float(task.amplitude), f"pulse\n{task.pulse * task.dt:g} ms"),
        (lower, end, answer, -0.4, f"delay\n{task.delay * task.dt:g} ms"),
    ]
    for axes, left, right, y, text in spans:
        arrow = {**_arrow, "arrowstyle": "<->", "mutation_scale": 6}
        axes.annotate("", (left, y), (right, y), arrowprops=arrow)
        white = {"facecolor": "white", "edgecolor": "none", "pad": 0.5}
        middle = (left + right) / 2
        axes.text(middle, 1.4 * y, text, ha="center", va="top", fontsize=font(7), bbox=white)
