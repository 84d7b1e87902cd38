"""Psychometric curves."""

from __future__ import annotations

from typing import Any

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from attractory.evaluation import PsychometricCurve, PsychometricFit
from attractory.figures._check import one_of
from attractory.figures._drawn import drawn
from attractory.figures._looks import CONDITIONS
from attractory.figures._settings import font
from attractory.figures._style import (
    CATEGORIES,
    DOUBLE,
    GREY,
    MARKERS,
    ORDERED_MAP,
    SINGLE,
    legend_below,
    letter,
    new_figure,
    plain,
)

MOST_NETWORKS = 4
_chance = {"color": GREY, "linestyle": "--", "linewidth": 0.8}

Look = dict[str, Any]  # colour and marker


@drawn
def psychometric(curve: PsychometricCurve) -> Figure:
    """How often the first option is chosen as the evidence for it grows, a panel a network.

    Parameters
    ----------
    curve : PsychometricCurve
        Of one network or several; of many the first 4 are shown.

    Returns
    -------
    matplotlib.figure.Figure
        A panel for each network.

    Notes
    -----
    Points: share of the choices with its 95 % interval (Wilson); line: the fitted curve; a colour
    and a marker for each value of the condition that tells the curves apart. Dashed: 0.5. The
    thresholds, ± standard error, stand in the corner.
    """
    one_of("curve", curve, PsychometricCurve)
    nets = sorted({fit.net for fit in curve.fits})
    shown = nets[:MOST_NETWORKS]
    looks = _looks(curve)
    name, unit = CONDITIONS.get(curve.evidence, (curve.evidence, "task's unit"))
    figure = new_figure(SINGLE if len(shown) == 1 else DOUBLE, 76 if len(shown) < 3 else 62)
    panels = figure.subplots(1, len(shown), sharex=True, sharey=True, squeeze=False)[0]
    for i, (axes, net) in enumerate(zip(panels, shown, strict=True)):
        fits = [fit for fit in curve.fits if fit.net == net]
        axes.axhline(0.5, zorder=0, **_chance)
        for fit in fits:
            _draw_fit(axes, fit, looks[fit.value])
        _write_thresholds(axes, fits, looks, unit)
        axes.set_xlabel(f"{name} ({unit})")
        if len(nets) > 1:
            letter(axes, i)
            axes.set_title(f"network {net}")
    panels[0].set(ylim=(-0.03, 1.03), ylabel=f"Chose “{plain(curve.option)}” (share)")
    legend_below(figure, _legend(curve, looks, len(nets)), 4)
    return figure


def _looks(curve: PsychometricCurve) -> dict[float | None, Look]:
    """By the value of the condition that tells the curves apart."""
    values = list(dict.fromkeys(fit.value for fit in curve.fits))
    colors: Any = CATEGORIES
    if len(values) > 7:  # the next is yellow, too pale for letters
        colors = matplotlib.colormaps[ORDERED_MAP](np.linspace(0, 0.85, len(values)))
    return {
        value: {"color": colors[i], "marker": MARKERS[i % len(MARKERS)]}
        for i, value in enumerate(values)
    }


def _draw_fit(axes: Any, fit: PsychometricFit, look: Look) -> None:
    if not len(fit.levels):
        return
    low, high = fit.interval
    errors = np.clip([fit.first - low, high - fit.first], 0, None)
    small = {"markersize": 3.5, "markeredgewidth": 0.0, "elinewidth": 0.8}
    axes.errorbar(fit.levels, fit.first, errors, linestyle="none", **look, **small)
    evidence = np.linspace(fit.levels[0], fit.levels[-1], 300)
    axes.plot(evidence, fit.at(evidence), color=look["color"], linewidth=1.2)


def _write_thresholds(
    axes: Any, fits: list[PsychometricFit], looks: dict[float | None, Look], unit: str
) -> None:
    """In the lower right corner, a line a curve, from below."""
    texts = [(_threshold(fit, unit), looks[fit.value]["color"]) for fit in reversed(fits)]
    for line, (text, color) in enumerate(
        [*texts, ("threshold", matplotlib.rcParams["text.color"])]
    ):
        axes.annotate(
            text,
            (1, 0),
            (-2, 3 + font(8) * line),
            xycoords="axes fraction",
            textcoords="offset points",
            ha="right",
            fontsize=font(6.5),
            color=color,
        )


def _threshold(fit: PsychometricFit, unit: str) -> str:
    if fit.status in ("flat", "no fit"):
        return f"none ({fit.status})"
    unit = "" if "unit" in unit else f" {unit}"
    if fit.status == "steep":
        return f"< {fit.threshold:.2g}{unit}"
    error = "" if np.isnan(fit.threshold_error) else f" ± {fit.threshold_error:.2g}"
    return f"{fit.threshold:.3g}{error}{unit}"


def _legend(
    curve: PsychometricCurve, looks: dict[float | None, Look], networks: int
) -> list[Line2D]:
    handles = [
        Line2D(
            [],
            [],
            label="choices, fit" if curve.by is None else f"{curve.by} = {value:.3g}",
            markersize=3.5,
            markeredgewidth=0.0,
            linewidth=1.2,
            **look,
        )
        for value, look in looks.items()
    ]
    handles.append(Line2D([], [], label="chance", **_chance))  # type: ignore[arg-type]
    if networks > MOST_NETWORKS:
        note = f"the first {MOST_NETWORKS} of {networks} networks"
        handles.append(Line2D([], [], linestyle="none", label=note))
    return handles
