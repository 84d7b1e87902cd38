"""One memory, learned in every way: what the rule does to the network that comes out.

    python benchmarks/how_learned.py [--quick] [--results FOLDER] [--figure FILE] [RULE ...]

Networks of 200 units with a time constant of ten steps learn the 3-bit flip-flop by each rule,
five of each, from the same trials. Scores are on trials that none has seen; a network is opened
by its spectrum, its fixed points with their proofs, and the machine of the task. Puts the table
between the marks of docs/how-learned.md and draws docs/images/how_learned.png.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from string import ascii_uppercase
from typing import Any

import numpy as np
from matplotlib.lines import Line2D
from safetensors.numpy import load_file
from scipy.stats import t

import attractory as at
from attractory.figures._style import (
    BLUE,
    GREY,
    ORANGE,
    VERMILLION,
    legend_below,
    letter,
    new_figure,
    styled,
)
from harness import read_results, write_results
from harness.options import add_arguments

DOCS = Path(__file__).resolve().parents[1] / "docs"
FIGURE, PAGE = DOCS / "images" / "how_learned.png", DOCS / "how-learned.md"
BEGIN, END = "<!-- table: made by benchmarks/how_learned.py -->", "<!-- end of table -->"
NETS, SCORED, SCORED_SEED = 5, 512, 99
ENOUGH = 0.99  # share of the signs: the level at which trials are counted
TASK = at.tasks.FlipFlop()
SHOWN = 5  # trials whose trajectories are drawn
KINDS = (
    ("more than one unstable dimension", "v", ORANGE),
    ("one unstable dimension", "s", VERMILLION),
    ("stable", "o", BLUE),
)


def network(init: str = "orthogonal", gain: float = 1.0, **changes: Any) -> at.models.RateRNN:
    """The same units for all; what the rule of the row begins with is its own."""
    own = {"recurrent_init": init, "recurrent_gain": gain, **changes}
    return at.models.RateRNN(units=200, tau=10.0, input_init="normal", **own)


def bptt(steps: int = 400, **changes: Any) -> at.rules.BPTT:
    return at.rules.BPTT(steps=steps, check_every=20, **changes)


SPARSE = at.models.Constraints(density=0.1)
# rates were chosen from a few on another seed; they are the rule's own as far as it has any
WAYS: dict[str, tuple[at.models.Model, at.rules.Rule]] = {
    "BPTT, Muon": (network(), bptt(learning_rate=2.5e-2)),
    "BPTT, Adam": (network(), bptt(optimizer="adam", learning_rate=2e-3)),
    "BPTT, near orthogonal": (network(), at.rules.BPTT.near_orthogonal(steps=400, check_every=20)),
    "BPTT, fractional (ν = 0.9)": (
        network(),
        bptt(optimizer={"name": "fractional", "order": 0.9}, learning_rate=0.3),
    ),
    "BPTT, windows of 20 steps": (network(), bptt(learning_rate=2.5e-2, window=20)),
    "RFLO": (
        network(),
        at.rules.RFLO(
            steps=400, check_every=20, batch=8, learning_rate=1e-2, recurrent_learning_rate=3e-4
        ),
    ),
    "FORCE": (
        network("normal", 0.8, feedback=True, feedback_gain=0.15),
        at.rules.FORCE(steps=300, check_every=10),
    ),
    "full-FORCE": (
        network("normal", 0.8),
        at.rules.FullFORCE(steps=300, target_gain=0.15, check_every=10),
    ),
    "reservoir": (
        network("normal", 0.95, constraints=SPARSE),
        at.rules.Reservoir(steps=40, batch=8, check_every=5),
    ),
}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_arguments(parser)
    parser.add_argument("--figure", type=Path, default=None, help=f"usually {FIGURE.name} in docs")
    parser.add_argument("rules", nargs="*", metavar="RULE", help="; ".join(WAYS))
    given = parser.parse_args()
    rows: dict[str, Any] = {}
    if given.rules:  # some anew, the others as they were measured before
        rows = (read_results("how_learned", given.results) or {}).get("rules", {})
    for name in given.rules or list(WAYS):
        rows[name] = opened(name, given.quick)
        print(line(name, rows[name]), flush=True)
    write_results("how_learned", {"rules": rows}, given.results)
    if not given.quick:
        write_table([line(name, rows[name]) for name in WAYS if name in rows])
    if set(rows) == set(WAYS) and (not given.quick or given.figure is not None):
        draw({name: rows[name] for name in WAYS}).savefig(given.figure or FIGURE, dpi=150)


def opened(name: str, quick: bool) -> dict[str, Any]:
    """What was measured of each network, and "drawn": what a figure shows of the first."""
    model, rule = WAYS[name]
    nets = NETS
    if quick:
        nets, model, rule = 2, model.replace(units=20), rule.replace(steps=6, check_every=3)
    with tempfile.TemporaryDirectory() as folder:
        run = at.train(
            TASK, model, rule.replace(keep_checks=True), nets=nets, path=folder, progress=False
        )
        needed = trials_needed(run)
    scores = at.evaluate(run, TASK, n=SCORED, seed=SCORED_SEED)
    measured: dict[str, Any] = {
        "signs": np.ravel(scores.accuracy).tolist(),
        "trials right": np.ravel(scores.correct).tolist(),
        "trials needed": needed,
    }
    of_networks = [inside(each) for each in run.networks]
    for key in of_networks[0][0]:
        measured[key] = [float(each[0][key]) for each in of_networks]
    return {**measured, "drawn": of_networks[0][1]}


def trials_needed(run: at.runs.Run) -> list[float]:
    """Trials until `ENOUGH` of the signs are right, for each network; NaN: never."""
    needed = np.full(len(run.networks), np.nan)
    for check, file in enumerate(sorted(Path(run.path, "checkpoints").glob("weights-*")), start=1):
        weights = load_file(file)
        seen = check * run.rule.check_interval * run.rule.batch
        networks = [
            at.models.Network(run.model, {name: w[net] for name, w in weights.items()})
            for net in range(len(run.networks))
        ]
        signs = np.ravel(at.evaluate(networks, TASK, n=128, seed=SCORED_SEED + 1).accuracy)
        needed = np.where(np.isnan(needed) & (signs >= ENOUGH), seen, needed)
    return needed.tolist()


def inside(net: at.models.Network) -> tuple[dict[str, float], dict[str, Any]]:
    """Numbers of one network, and what is drawn of it."""
    path = net.simulate(TASK.sample(64, seed=SCORED_SEED).inputs, precision="float64")
    space = at.analysis.state_space(path, TASK.sample(64, seed=SCORED_SEED))
    spectrum = at.analysis.spectrum(net)
    points = at.analysis.fixed_points(net, n_starts=128, max_starts=512, task=TASK)
    machine = at.analysis.automaton(net, TASK, n_samples=0, points=points, hold_steps=2000)
    unstable = points.table()["n_unstable"].to_numpy()
    numbers = {
        "spectral radius": spectrum.radius,
        "outside": float(np.sum(np.abs(spectrum.eigenvalues) > 1)),
        "fixed points": float(len(points)),
        "proved": float(points.certified.sum()),
        "stable": float((unstable == 0).sum()),
        "transitions right": float(np.mean(machine.correct)),
        "dimension": at.analysis.participation_ratio(path.states),
    }
    drawn = {
        "eigenvalues": rounded(np.stack([spectrum.eigenvalues.real, spectrum.eigenvalues.imag], 1)),
        "trajectories": rounded(space.coordinates[:SHOWN, ::4, :2]),
        "points": rounded(space.project(points.states)[:, :2]),
        "n_unstable": unstable.tolist(),
    }
    return numbers, drawn


def rounded(values: np.ndarray) -> Any:
    """To three places, which is finer than a figure shows."""
    return np.round(values, 3).tolist()


COLUMNS = {
    "signs": "signs right (%)",
    "trials right": "trials right (%)",
    "trials needed": f"trials until {ENOUGH:.0%} of signs",
    "spectral radius": "spectral radius",
    "outside": "eigenvalues outside the circle",
    "dimension": "participation ratio",
    "fixed points": "fixed points",
    "proved": "of them proved",
    "stable": "stable",
    "transitions right": "transitions of the machine right (%)",
}
SHARES = ("signs", "trials right", "transitions right")


def line(name: str, measured: dict[str, Any]) -> str:
    """A row of the table: means, and how far the ends of the 95 % interval are from them."""
    shown = []
    for key in COLUMNS:
        values = np.array(measured[key]) * (100 if key in SHARES else 1)
        reached = values[np.isfinite(values)]
        if len(reached) == 0:
            shown.append("never")
            continue
        half = t.ppf(0.975, max(1, len(reached) - 1)) * reached.std(ddof=1) / len(reached) ** 0.5
        text = f"{reached.mean():.4g} ± {half:.2g}" if len(reached) > 1 else f"{reached[0]:.4g}"
        if len(reached) < len(values):
            text += f" ({len(reached)} of {len(values)} networks)"
        shown.append(text)
    return f"| {name} | {' | '.join(shown)} |"


def write_table(lines: list[str]) -> None:
    head = [f"| learned by | {' | '.join(COLUMNS.values())} |", "|" + "---|" * (len(COLUMNS) + 1)]
    before, rest = PAGE.read_text(encoding="utf-8").split(BEGIN)
    made = "\n".join([BEGIN, *head, *lines, END])
    PAGE.write_text(f"{before}{made}{rest.split(END)[1]}", encoding="utf-8")


@styled
def draw(rows: dict[str, Any]) -> Any:
    """The first network of each rule: its eigenvalues, and its fixed points among its states."""
    figure = new_figure(180, 130)
    across = 3
    panels = figure.subplots(-(-len(rows) // across), 2 * across, squeeze=False)
    for i, (name, row) in enumerate(rows.items()):
        line, column = i // across, 2 * (i % across)
        left, right = panels[line, column], panels[line, column + 1]
        draw_eigenvalues(left, np.array(row["drawn"]["eigenvalues"]))
        draw_points(right, row["drawn"])
        letter(left, f"{ascii_uppercase[i]}  {name}")
    for left, right in zip(panels[-1, ::2], panels[-1, 1::2], strict=True):
        left.set_xlabel("Re λ")
        right.set_xlabel("Comp. 1")
    for each in panels[:, 0]:
        each.set_ylabel("Im λ")
    for each in panels[:, 1]:
        each.set_ylabel("Comp. 2")
    handles = [
        Line2D([], [], color=GREY, linewidth=0.8, label="unit circle; trajectories"),
        *(
            Line2D([], [], linestyle="none", marker=marker, color=color, markersize=4, label=label)
            for label, marker, color in (("eigenvalue", ".", BLUE), *KINDS)
        ),
    ]
    legend_below(figure, handles, 3)
    return figure


def draw_eigenvalues(axes: Any, eigenvalues: np.ndarray) -> None:
    """Those of the recurrent weights, closed over the feedback, beside the unit circle."""
    angle = np.linspace(0, 2 * np.pi, 200)
    axes.plot(np.cos(angle), np.sin(angle), color=GREY, linewidth=0.8)
    axes.plot(*eigenvalues.T, ".", color=BLUE, markersize=2.5)
    axes.set_aspect("equal", adjustable="datalim")


def draw_points(axes: Any, drawn: dict[str, Any]) -> None:
    """Fixed points by stability, over trajectories of a few trials."""
    for trajectory in np.array(drawn["trajectories"]):
        axes.plot(*trajectory.T, color=GREY, linewidth=0.4, alpha=0.5)
    points, unstable = np.array(drawn["points"]).reshape(-1, 2), np.array(drawn["n_unstable"])
    for (_, marker, color), chosen in zip(
        KINDS, (unstable > 1, unstable == 1, unstable == 0), strict=True
    ):
        axes.plot(
            *points[chosen].T, linestyle="none", marker=marker, color=color, markersize=4,
            markeredgecolor="black", markeredgewidth=0.4,
        )  # fmt: skip


if __name__ == "__main__":
    main()
