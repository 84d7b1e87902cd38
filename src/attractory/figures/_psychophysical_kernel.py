"""Psychophysical kernels."""

from __future__ import annotations

from typing import Any

from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from attractory.evaluation import PsychophysicalKernel, PsychophysicalKernels
from attractory.figures._averages import time_label
from attractory.figures._check import one_of
from attractory.figures._drawn import drawn
from attractory.figures._looks import LINES, in_words
from attractory.figures._style import (
    CATEGORIES,
    DOUBLE,
    GREY,
    SINGLE,
    legend_below,
    letter,
    new_figure,
    plain,
)

MOST_NETWORKS = 4
SEVERAL_EPOCHS = "Time from onset of each (ms)"


@drawn
def psychophysical_kernel(kernels: PsychophysicalKernels) -> Figure:
    """Which moments of the evidence move the choice, a panel a network.

    Parameters
    ----------
    kernels : PsychophysicalKernels
        Of one network or several; of many the first 4 are shown.

    Returns
    -------
    matplotlib.figure.Figure
        A panel for each network.

    Notes
    -----
    Lines: the kernels, in standard deviations of the noise of one step; bands: ± standard error.
    The colour tells the stream of evidence, the line the value of the condition that tells kernels
    apart.
    """
    one_of("kernels", kernels, PsychophysicalKernels)
    nets = sorted({one.net for one in kernels.kernels})
    shown = nets[:MOST_NETWORKS]
    figure = new_figure(SINGLE if len(shown) == 1 else DOUBLE, 72 if len(shown) < 3 else 60)
    panels = figure.subplots(1, len(shown), sharex=True, sharey=True, squeeze=False)[0]
    looks = _looks(kernels)
    epochs = {one.epoch for one in kernels.kernels}
    time = time_label(kernels.kernels[0].epoch) if len(epochs) == 1 else SEVERAL_EPOCHS
    for i, (axes, net) in enumerate(zip(panels, shown, strict=True)):
        axes.axhline(0, color=GREY, linestyle="--", linewidth=0.8, zorder=0)
        for one in kernels.kernels:
            if one.net == net:
                _draw(axes, one, looks[one.stream, one.value])
        axes.set_xlabel(time)
        if len(nets) > 1:
            letter(axes, i)
            axes.set_title(f"network {net}")
    panels[0].set_ylabel(f"Noise where “{plain(kernels.option)}” is chosen\nminus where not (s.d.)")
    handles = [Line2D([], [], label=_name(kernels, *key), **look) for key, look in looks.items()]
    if len(nets) > MOST_NETWORKS:
        note = f"the first {MOST_NETWORKS} of {len(nets)} networks"
        handles.append(Line2D([], [], linestyle="none", label=note))
    legend_below(figure, handles, 2)
    return figure


def _looks(kernels: PsychophysicalKernels) -> dict[tuple[str, float | None], dict[str, Any]]:
    """Colour and line by stream and value."""
    streams = list(dict.fromkeys(one.stream for one in kernels.kernels))
    values = list(dict.fromkeys(one.value for one in kernels.kernels))
    return {
        (stream, value): {
            "color": CATEGORIES[i % len(CATEGORIES)],
            "linestyle": LINES[j % len(LINES)],
            "linewidth": 1.2,
        }
        for i, stream in enumerate(streams)
        for j, value in enumerate(values)
    }


def _name(kernels: PsychophysicalKernels, stream: str, value: float | None) -> str:
    by = "" if kernels.by is None else f", {plain(kernels.by)} = {in_words(value)}"
    return plain(stream) + by


def _draw(axes: Any, one: PsychophysicalKernel, look: dict[str, Any]) -> None:
    axes.plot(one.time_ms, one.kernel, **look)
    ends = one.kernel - one.sem, one.kernel + one.sem
    axes.fill_between(one.time_ms, *ends, color=look["color"], alpha=0.15, linewidth=0)
