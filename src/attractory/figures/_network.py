"""The schema of a network (figure 2)."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Circle

from attractory.figures._check import one_of
from attractory.figures._drawn import drawn
from attractory.figures._settings import font
from attractory.figures._style import (
    BLACK,
    DOUBLE,
    GREY,
    INPUT,
    OUTPUT,
    PALE,
    letter,
    new_figure,
)
from attractory.models import Model, Network

MOST_OWN = 6  # so many arrays without a symbol have a line each
SHOWN = 4  # so many inputs or outputs are drawn one by one
_center, _radius = (5.0, 4.0), 2.35


@drawn
def network(net: Network) -> Figure:
    """The network as a schema and as equations (Jarne 2024, figure 2).

    Parameters
    ----------
    net : Network
        The network that is shown.

    Returns
    -------
    matplotlib.figure.Figure
        Two panels.

    Notes
    -----
    A: inputs, recurrent units and outputs with the weights between them. B: the equations that
    this network follows (with its activation, time constant, step and biases), and the shape of
    each weight array, [to, from].
    """
    one_of("net", net, Network)
    lines = len(_equations(net)) + len(_facts(net))
    figure = new_figure(DOUBLE, max(62, 5 * lines + 8))
    schema, text = figure.subplots(1, 2, width_ratios=[1.25, 1])
    schema.set(xlim=(0, 10), ylim=(0.7, 7.2), aspect="equal", anchor="NW")
    _draw_population(schema)
    given = net.model.equation().given
    _draw_channels(schema, 0.7, net.n_inputs, INPUT, "inputs", given)
    _draw_channels(schema, 9.3, net.n_outputs, OUTPUT, "outputs", "z(t)")
    if net.model.has_feedback:
        _draw_feedback(schema, net.n_outputs)
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


def _draw_channels(axes: Any, x: float, count: int, color: str, name: str, symbol: str) -> None:
    """A column of inputs (left of the units) or outputs (right of them), long ones shortened."""
    drawn = min(count, SHOWN)
    heights = _center[1] + 1.15 * (np.arange(drawn)[::-1] - (drawn - 1) / 2)
    labels = [str(i + 1) for i in range(drawn)]
    if count > SHOWN:
        labels[-2:] = ["⋮", str(count)]
    toward = np.sign(_center[0] - x)
    for y, label in zip(heights, labels, strict=True):
        axes.text(x, y, label, ha="center", va="center", fontsize=font(7), zorder=4)
        if label == "⋮":
            continue
        axes.add_patch(Circle((x, y), 0.36, facecolor="white", edgecolor=color, linewidth=1.4))
        rim = (_center[0] - toward * _radius * 1.02, _center[1] + 0.45 * (y - _center[1]))
        ends = ((x + toward * 0.36, y), rim)
        start, end = ends if name == "inputs" else ends[::-1]
        arrow = {"arrowstyle": "-|>", "mutation_scale": 7, "color": color, "shrinkA": 0}
        axes.annotate("", end, start, arrowprops={**arrow, "shrinkB": 0})
    axes.text(x, heights[0] + 0.6, symbol, ha="center", va="bottom")
    axes.text(x, heights[-1] - 0.6, f"{count} {name if count > 1 else name[:-1]}",
              ha="center", va="top")  # fmt: skip


def _draw_feedback(axes: Any, outputs: int) -> None:
    """An arrow from the lowest output back to the units."""
    lowest = _center[1] - 1.15 * (min(outputs, SHOWN) - 1) / 2
    angle = np.deg2rad(-27)
    rim = (_center[0] + _radius * np.cos(angle), _center[1] + _radius * np.sin(angle))
    arrow = {"arrowstyle": "-|>", "mutation_scale": 7, "color": OUTPUT, "linestyle": "--"}
    bend = {"connectionstyle": "arc3,rad=-0.12", "shrinkA": 0, "shrinkB": 0}
    axes.annotate("", rim, (8.95, lowest - 0.12), arrowprops={**arrow, **bend})
    axes.text(7.75, rim[1] - 0.75, r"$W_\mathrm{fb}$", ha="center", fontsize=font(9))


def _name_weights(axes: Any, net: Network) -> None:
    cells = [part.cell for part in net.model.parts()]
    through = net.model.equation().in_words
    axes.text(1.95, 6.0, r"$W_\mathrm{in}$", ha="center", fontsize=font(9))
    axes.text(8.05, 6.0, r"$W_\mathrm{out}$", ha="center", fontsize=font(9))
    axes.text(5.0, 6.65, through, ha="center", fontsize=font(8))
    units = " → ".join(str(cell.units) for cell in cells)
    axes.text(5.0, 1.25, f"{units} units", ha="center", va="top")


def _equations(net: Network) -> list[str]:
    """The recurrence and the readout, in mathtext."""
    offset = " + c" if net.output_bias is not None else ""
    equation = net.model.equation()
    return [*equation.lines, rf"$z(t) = W_\mathrm{{out}}\,{equation.read}{offset}$"]


def _facts(net: Network) -> list[tuple[str, str]]:
    """Symbol and value of everything in the equations."""
    facts = [
        *net.model.terms(),
        (r"$W_\mathrm{out}$", f"{net.n_outputs} × {net.units}"),
    ]
    shapes = net.model.weight_shapes(net.n_inputs, net.n_outputs)
    shapes = {name: shape for name, shape in shapes.items() if not name.startswith("output_")}
    symbols = net.model.symbols
    place = len(facts) - 1
    facts[place:place] = [
        (symbol, _size(shapes[name])) for name, symbol in symbols.items() if name in shapes
    ]
    own = [name for name in shapes if name not in symbols and not name.startswith("recurrent_")]
    facts[place:place] = [(_short(net.model, name), _size(shapes[name])) for name in own[:MOST_OWN]]
    if len(own) > MOST_OWN:
        facts.insert(-1, ("…", f"{len(own) - MOST_OWN} more arrays"))
    if net.output_bias is not None:
        facts.append((r"$c$", f"{net.n_outputs} (readout bias)"))
    return facts


def _size(shape: tuple[int, ...]) -> str:
    return " × ".join(map(str, shape)) if shape else "1"


def _short(model: Model, name: str) -> str:
    """A weight's symbol, with the number of its layer where it has one; else its name."""
    for part in model.parts():
        own = name.removeprefix(part.prefix)
        if part.layer is not None and own != name and own in part.cell.symbols:
            return f"{part.cell.symbols[own][:-1]}^{{({part.layer})}}$"
    return name


def _write_equations(axes: Any, net: Network) -> None:
    axes.set(xlim=(0, 10), ylim=(0, 10))
    y, equations, facts = 9.3, _equations(net), _facts(net)
    between = min(1.15, 11.5 / (len(equations) + len(facts)))
    for line in equations:
        axes.text(0, y, line, va="center", fontsize=font(9))
        y -= between
    axes.plot([0, 9.5], [y + 0.35, y + 0.35], color=PALE, linewidth=0.6)
    apart = min(0.95, (y - 0.3) / len(facts))
    for symbol, value in facts:
        y -= apart
        axes.text(0.1, y + 0.55, symbol, va="center")
        axes.text(2.3, y + 0.55, value, va="center")
    note = "weights: rows to, columns from"
    axes.text(2.3, y - 0.3, note, va="center", fontsize=font(7), color=GREY)
