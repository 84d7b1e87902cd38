"""The schema of a network (figure 2)."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Circle

from attractory.figures._check import one_of
from attractory.figures._style import (
    BLACK,
    DOUBLE,
    GREY,
    INPUT,
    OUTPUT,
    PALE,
    letter,
    new_figure,
    styled,
)
from attractory.models import Network

SHOWN = 4  # so many inputs or outputs are drawn one by one
_center, _radius = (5.0, 4.0), 2.35


@styled
def network(net: Network) -> Figure:
    """The network as a schema and as equations (Jarne 2024, figure 2).

    A: inputs, recurrent units and outputs with the weights between them. B: the equations that
    this network follows (with its activation, time constant, step and biases), and the shape of
    each weight array, [to, from].
    """
    one_of("net", net, Network)
    figure = new_figure(DOUBLE, 62)
    schema, text = figure.subplots(1, 2, width_ratios=[1.25, 1])
    schema.set(xlim=(0, 10), ylim=(0.7, 7.2), aspect="equal", anchor="NW")
    _draw_population(schema)
    _draw_channels(schema, 0.7, net.n_inputs, INPUT, "inputs")
    _draw_channels(schema, 9.3, net.n_outputs, OUTPUT, "outputs")
    _name_weights(schema, net)
    _write_equations(text, net)
    for i, axes in enumerate((schema, text)):
        axes.set_axis_off()
        letter(axes, i)
    return figure


def _unit_places() -> np.ndarray:
    """Places (unit, 2) of the units that stand for the population: one ring and a middle."""
    angles = 2 * np.pi * np.arange(7) / 7 + 0.3
    ring = 1.55 * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    return np.array(_center) + np.vstack([ring, [[0, 0]]])


def _draw_population(axes: Any) -> None:
    """A disc of units and some of the connections among them."""
    places = _unit_places()
    axes.add_patch(Circle(_center, _radius, facecolor="#F7F7F7", edgecolor=GREY, linewidth=0.8))
    pairs = [(i, j) for i in range(len(places)) for j in range(len(places)) if (i * 3 + j) % 4 == 1]
    for i, j in pairs:
        if i == j:
            continue
        arrow = {
            "arrowstyle": "-|>",
            "mutation_scale": 5,
            "linewidth": 0.5,
            "color": GREY,
            "shrinkA": 5,
            "shrinkB": 5,
            "connectionstyle": "arc3,rad=0.18",
        }
        axes.annotate("", places[j], places[i], arrowprops=arrow)
    for place in places:
        axes.add_patch(Circle(place, 0.24, facecolor="white", edgecolor=BLACK, zorder=3))


def _draw_channels(axes: Any, x: float, count: int, color: str, name: str) -> None:
    """A column of inputs (left of the units) or outputs (right of them), long ones shortened."""
    drawn = min(count, SHOWN)
    heights = _center[1] + 1.15 * (np.arange(drawn)[::-1] - (drawn - 1) / 2)
    labels = [str(i + 1) for i in range(drawn)]
    if count > SHOWN:
        labels[-2:] = ["⋮", str(count)]
    toward = np.sign(_center[0] - x)
    for y, label in zip(heights, labels, strict=True):
        axes.text(x, y, label, ha="center", va="center", fontsize=7, zorder=4)
        if label == "⋮":
            continue
        axes.add_patch(Circle((x, y), 0.36, facecolor="white", edgecolor=color, linewidth=1.4))
        rim = (_center[0] - toward * _radius * 1.02, _center[1] + 0.45 * (y - _center[1]))
        ends = ((x + toward * 0.36, y), rim)
        start, end = ends if name == "inputs" else ends[::-1]
        arrow = {"arrowstyle": "-|>", "mutation_scale": 7, "color": color, "shrinkA": 0}
        axes.annotate("", end, start, arrowprops={**arrow, "shrinkB": 0})
    letters = {"inputs": "x(t)", "outputs": "z(t)"}
    axes.text(x, heights[0] + 0.6, letters[name], ha="center", va="bottom")
    axes.text(x, heights[-1] - 0.6, f"{count} {name if count > 1 else name[:-1]}",
              ha="center", va="top")  # fmt: skip


def _name_weights(axes: Any, net: Network) -> None:
    axes.text(1.95, 6.0, r"$W_\mathrm{in}$", ha="center", fontsize=9)
    axes.text(8.05, 6.0, r"$W_\mathrm{out}$", ha="center", fontsize=9)
    axes.text(5.0, 6.65, r"h(t), recurrent through $W_\mathrm{rec}$", ha="center", fontsize=8)
    axes.text(5.0, 1.25, f"{net.units} units", ha="center", va="top")


def _equations(net: Network) -> list[str]:
    """The recurrence (on two lines when the units leak) and the readout."""
    bias = " + b" if net.bias is not None else ""
    drive = rf"W_\mathrm{{rec}}\,h(t) + W_\mathrm{{in}}\,x(t){bias}"
    noise = r" + \xi(t)" if net.model.recurrent_noise > 0 else ""
    phi = rf"\phi(\,{drive}{noise}\,)"
    if net.model.leak == 1:
        recurrence = [rf"$h(t+\Delta t) = {phi}$"]
    else:
        recurrence = [
            r"$h(t+\Delta t) = (1 - \Delta t/\tau)\,h(t)$",
            rf"$\qquad +\ (\Delta t/\tau)\,{phi}$",
        ]
    offset = " + c" if net.output_bias is not None else ""
    return [*recurrence, rf"$z(t) = W_\mathrm{{out}}\,h(t){offset}$"]


def _facts(net: Network) -> list[tuple[str, str]]:
    """Symbol and value of everything in the equations."""
    units, model = net.units, net.model
    name = model.activation if isinstance(model.activation, str) else _function_name(model)
    facts = [
        (r"$\phi$", f"{name} (activation)"),
        (r"$\Delta t,\ \tau$", f"{model.dt:g}, {model.tau:g} ms (step, time constant)"),
        (r"$W_\mathrm{in}$", f"{units} × {net.n_inputs}"),
        (r"$W_\mathrm{rec}$", f"{units} × {units}"),
        (r"$W_\mathrm{out}$", f"{net.n_outputs} × {units}"),
    ]
    if net.bias is not None:
        facts.append((r"$b$", f"{units} (bias)"))
    if net.output_bias is not None:
        facts.append((r"$c$", f"{net.n_outputs} (readout bias)"))
    if model.recurrent_noise > 0:
        facts.append((r"$\xi$", f"noise, s.d. {model.recurrent_noise:g}·√(2τ/Δt)"))
    return facts


def _function_name(model: Any) -> str:
    return getattr(model.activation, "__name__", type(model.activation).__name__)


def _write_equations(axes: Any, net: Network) -> None:
    axes.set(xlim=(0, 10), ylim=(0, 10))
    y = 9.3
    for line in _equations(net):
        axes.text(0, y, line, va="center", fontsize=9)
        y -= 1.15
    axes.plot([0, 9.5], [y + 0.35, y + 0.35], color=PALE, linewidth=0.6)
    for symbol, value in _facts(net):
        y -= 0.95 if len(_facts(net)) <= 7 else 0.75
        axes.text(0.1, y + 0.55, symbol, va="center")
        axes.text(2.3, y + 0.55, value, va="center")
    axes.text(2.3, y - 0.3, "weights: rows to, columns from", va="center", fontsize=7, color=GREY)
