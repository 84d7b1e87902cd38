"""The author's network at two epochs beside twelve of ours: does the recipe make the solution?

    python benchmarks/beside_the_author.py [--quick] [--results FOLDER] [--figure FILE] DATA

DATA is the folder with the author's Keras files (`ff_3b_weights-01.hdf5`, `ff_3b_weights-20.hdf5`).
Six networks of 400 units learn the paper's task by the default recipe, six by the near orthogonal
one. Puts the table between the marks of docs/populations-distances.md and draws
docs/images/beside_the_author.png. About ten minutes.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from string import ascii_uppercase
from typing import Any

import numpy as np
from matplotlib.lines import Line2D
from scipy.cluster.hierarchy import dendrogram

import attractory as at
from attractory.figures._style import CATEGORIES, GREY, legend_below, letter, new_figure, styled
from harness import write_results
from harness.options import add_arguments

DOCS = Path(__file__).resolve().parents[1] / "docs"
FIGURE, PAGE = DOCS / "images" / "beside_the_author.png", DOCS / "populations-distances.md"
BEGIN, END = "<!-- table: made by benchmarks/beside_the_author.py -->", "<!-- end of table -->"
FILES = {"epoch 1": "ff_3b_weights-01.hdf5", "epoch 20": "ff_3b_weights-20.hdf5"}
TASK = at.tasks.FlipFlop.paper()
AUTHOR, DEFAULT, NEAR = "author's", "default recipe", "near orthogonal"
RECIPES = {DEFAULT: at.rules.BPTT(), NEAR: at.rules.BPTT.near_orthogonal()}
NETS, SEED = 6, 0  # the seed is that of trials, nulls and the map
METRICS = ("behaviour", "procrustes", "cka", "rsa", "dsa", "spectra", "weights")
DRAWN = ("procrustes", "dsa", "spectra")  # shape of the states, their dynamics, the weights


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_arguments(parser)
    parser.add_argument("data", type=Path)
    parser.add_argument("--figure", type=Path, default=None, help=f"usually {FIGURE.name} in docs")
    given = parser.parse_args()
    networks = {AUTHOR: [at.load_keras(given.data / file) for file in FILES.values()]}
    for seed, (name, rule) in enumerate(RECIPES.items()):  # no initial weights in common
        networks[name] = trained(rule, seed, given.quick)
    compared = {
        metric: at.population.compare(networks, metric, TASK, seed=SEED, progress=False)
        for metric in METRICS
    }
    for found in compared.values():
        print(found.statement, flush=True)
    write_results("beside_the_author", {name: held(each) for name, each in compared.items()}
                  | {"measures": measured(networks)}, given.results)  # fmt: skip
    if not given.quick:
        write_table([line(name, each) for name, each in compared.items()])
    if not given.quick or given.figure is not None:
        figure = draw({name: compared[name] for name in DRAWN})
        figure.savefig(given.figure or FIGURE, dpi=150)


def trained(rule: at.rules.BPTT, seed: int, quick: bool) -> list[at.models.Network]:
    """Networks of the paper's size; in a quick run too few updates to learn anything."""
    rule, nets = (rule.replace(steps=2), 2) if quick else (rule, NETS)
    run = at.train(TASK, at.models.RateRNN(), rule, nets=nets, seed=seed, progress=False)
    return list(run.networks)


def held(found: at.population.Distances) -> dict[str, Any]:
    """All that a reader may want to reckon with."""
    return {
        "labels": list(found.labels),
        "matrix": np.round(found.matrix, 6).tolist(),
        "nulls": {name: np.round(values, 6).tolist() for name, values in found.nulls.items()},
        "position": float(found.position),
        "clusters": found.clusters(seed=SEED).statement,
        "stress": float(found.map(seed=SEED).stress),
    }


def measured(networks: dict[str, list[at.models.Network]]) -> list[dict[str, Any]]:
    """What the networks are by themselves."""
    names = ["accuracy", "mse", "spectral_radius", "share_near_circle", "participation_ratio"]
    return at.population.measure(networks, names, TASK, progress=False).table().to_dict("records")


def between(found: at.population.Distances, one: str, other: str) -> float:
    """The median distance of the networks of two groups, or within one; NaN of none."""
    groups = np.array(found.groups)
    first, second = np.flatnonzero(groups == one), np.flatnonzero(groups == other)
    pairs = [found.matrix[i, j] for i in first for j in second if i != j]
    return float(np.median(pairs)) if pairs else np.nan


COLUMNS = {
    "epochs 1 and 20": (AUTHOR, AUTHOR),
    "within default": (DEFAULT, DEFAULT),
    "within near orthogonal": (NEAR, NEAR),
    "default and near orthogonal": (DEFAULT, NEAR),
}


def line(name: str, found: at.population.Distances) -> str:
    """A row of the table: medians, those of the author's last epoch, and of the nulls."""
    medians = [between(found, *pair) for pair in COLUMNS.values()]
    last = list(found.groups).index(AUTHOR) + len(FILES) - 1
    for group in RECIPES:
        medians.append(float(np.median(found.matrix[last][np.array(found.groups) == group])))
    for null in NULLS:
        known = [values for name, values in found.nulls.items() if name.startswith(null)]
        medians.append(float(np.median(known[0])) if known else np.nan)
    shown = " | ".join("" if np.isnan(value) else f"{value:.2f}" for value in medians)
    return f"| `{name}` ({found.unit}) | {shown} | {found.clusters(seed=SEED).count} |"


NULLS = ("same network", "untrained networks")


def write_table(lines: list[str]) -> None:
    titles = [*COLUMNS, *(f"epoch 20 and {name}" for name in RECIPES), *NULLS, "clusters"]
    head = [f"| distance | {' | '.join(titles)} |", "|" + "---|" * (len(titles) + 1)]
    before, rest = PAGE.read_text(encoding="utf-8").split(BEGIN)
    made = "\n".join([BEGIN, *head, *lines, END])
    PAGE.write_text(f"{before}{made}{rest.split(END)[1]}", encoding="utf-8")


@styled
def draw(compared: dict[str, at.population.Distances]) -> Any:
    """For each distance the tree of the networks, and under it their map."""
    figure = new_figure(180, 110)
    panels = figure.subplots(2, len(compared), squeeze=False, height_ratios=[1, 1.4])
    colors = dict(zip((AUTHOR, DEFAULT, NEAR), CATEGORIES, strict=False))
    for i, (name, found) in enumerate(compared.items()):
        draw_tree(panels[0, i], found, colors)
        draw_map(panels[1, i], found, colors)
        panels[0, i].set_ylabel(f"Distance ({found.unit})")
        letter(panels[0, i], f"{ascii_uppercase[i]}  {name}")
    handles = [
        Line2D([], [], linestyle="none", marker="o", color=color, label=group)
        for group, color in colors.items()
    ]
    legend_below(figure, handles, 3)
    return figure


def names_of(found: at.population.Distances) -> list[str]:
    """The epoch for a network of the author's; ours are told by their colour."""
    epochs = iter(name.removeprefix("epoch ") for name in FILES)
    return [next(epochs) if group == AUTHOR else "" for group in found.groups]


def draw_tree(axes: Any, found: at.population.Distances, colors: dict[str, str]) -> None:
    """Average linkage; a point of its group's colour is a network."""
    tree = dendrogram(at.population.tree_of(found.matrix), no_plot=True)
    for across, up in zip(tree["icoord"], tree["dcoord"], strict=True):
        axes.plot(across, up, color=GREY, linewidth=0.8)
    names = names_of(found)
    for place, leaf in enumerate(tree["leaves"]):
        across = 10.0 * place + 5.0  # where SciPy puts leaves
        axes.plot(across, 0, "o", color=colors[found.groups[leaf]], markersize=4, clip_on=False)
        axes.annotate(
            names[leaf], (across, 0), (0, -4), textcoords="offset points",
            ha="center", va="top", fontsize=6,
        )  # fmt: skip
    axes.set_xticks([])
    axes.set_ylim(bottom=0)


def draw_map(axes: Any, found: at.population.Distances, colors: dict[str, str]) -> None:
    """Places that are as far apart as the networks, as well as a plane can do it."""
    places = found.map(seed=SEED)
    for name, group, (x, y) in zip(names_of(found), found.groups, places.coordinates, strict=True):
        axes.plot(x, y, "o", color=colors[group], markersize=4)
        axes.annotate(name, (x, y), (4, 3), textcoords="offset points", fontsize=6)
    axes.set_aspect("equal", adjustable="datalim")
    axes.set_xlabel(f"{found.unit}; stress {places.stress:.2f}")


if __name__ == "__main__":
    main()
