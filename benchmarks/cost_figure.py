"""The figure of `growth.py`: seconds and memory of a step against the size of the work."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, NullLocator

from attractory.figures._style import BLUE, GREY, VERMILLION, letter, new_figure, styled
from harness import Work, spread, timed

LABELS = {
    "units": "units",
    "steps": "time steps in a trial",
    "batch": "trials in a batch",
    "networks": "networks (of 100 units)",
}
OURS_STYLE = {"color": BLUE, "marker": "o", "markersize": 4, "linestyle": "-"}
PEER_STYLE = {"color": VERMILLION, "marker": "s", "markersize": 3.5, "linestyle": "--"}
LIMIT_STYLE = {"color": GREY, "linewidth": 1.0, "linestyle": ":"}


@styled
def draw_cost(results: dict[str, Any], file: Path) -> None:
    """Seconds (above) and peak memory (below), a column for each quantity that grows."""
    rate = _limit(results)
    figure = new_figure(190, 110)
    panels = figure.subplots(2, len(LABELS), sharex="col", sharey="row")
    for column, (quantity, label) in enumerate(LABELS.items()):
        races = results[quantity]["races"]
        above, below = panels[0, column], panels[1, column]
        values = [race["work"][quantity] for race in races]
        arithmetic = [Work(**race["work"]).arithmetic / rate for race in races]
        above.plot(values, arithmetic, **LIMIT_STYLE)
        below.plot(values, [_states(Work(**race["work"])) for race in races], **LIMIT_STYLE)
        for which, style in (("peer", PEER_STYLE), ("ours", OURS_STYLE)):
            numbers = [_numbers(race, which) for race in races]
            above.plot(values, [seconds for seconds, _ in numbers], **style)
            below.plot(values, [memory for _, memory in numbers], **style)
        for axes in (above, below):
            axes.set(xscale="log", yscale="log")
            axes.grid(color="#E6E6E6", linewidth=0.4)
        _plain_ticks(below, values)
        below.set_xlabel(label)
        letter(above, column)
    panels[0, 0].set_ylabel("seconds a training step")
    panels[1, 0].set_ylabel("peak memory (MiB)")
    _legend(figure, results)
    file.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(file, dpi=200)


def _limit(results: dict[str, Any]) -> float:
    """Operations a second of NumPy's product: the median over all races."""
    limits = [
        contender["arithmetic"] / spread(contender["seconds"]).median
        for quantity in LABELS
        for race in results[quantity]["races"]
        for contender in race["contenders"]
        if "arithmetic" in contender
    ]
    return spread(limits).median


def _numbers(race: dict[str, Any], which: str) -> tuple[float, float]:
    """Median seconds and peak MiB of "ours" or the "peer"; NaN where it was not timed."""
    contender = timed(race)[which]
    if contender is None:
        return float("nan"), float("nan")
    return spread(contender["seconds"]).median, contender["peak_memory_bytes"] / 2**20


def _states(work: Work) -> float:
    """MiB of all states of a step, once, in float32."""
    return work.units * work.batch * work.steps * work.networks * 4 / 2**20


def _plain_ticks(axes: Any, values: list[int]) -> None:
    """The measured values as ticks, written out; of many every other, the last always."""
    shown = values if len(values) <= 5 else values[::-1][::2][::-1]
    axes.set_xticks(shown)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.xaxis.set_minor_locator(NullLocator())


def _legend(figure: Any, results: dict[str, Any]) -> None:
    peers = {quantity: results[quantity]["peer"] for quantity in LABELS}
    names = sorted(set(peers.values()))
    label = names[0]
    if len(names) > 1:
        label = f"fastest peer (A to C: {peers['units']}; D: {peers['networks']}, in a loop)"
    handles = [
        Line2D([], [], **OURS_STYLE, label="Attractory"),
        Line2D([], [], **PEER_STYLE, label=label),
        Line2D(
            [],
            [],
            **LIMIT_STYLE,
            label="the arithmetic at NumPy's speed (top), all states once (bottom)",
        ),
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=3)
