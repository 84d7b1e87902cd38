"""What networks trained on context-dependent decisions select: the table and figure of a page.

Trains a network by the task's own recipe for each of three seeds (or takes runs that are there),
looks for slow sets under each constant input of the task, and for what moves the network along
them. Draws docs/images/selection.png of the first and puts the table between the marks of
docs/fixed-points.md.

    python benchmarks/selection.py [run ...]
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np

import attractory as at

DOCS = Path(__file__).resolve().parents[1] / "docs"
SEEDS, TRIALS, COMPONENTS = (0, 1, 2), 300, 12
TASK = at.tasks.ContextDecision()
TOLERANCES = (0.05, 0.1, 0.2)
SECOND = round(1000 / TASK.dt)  # steps
BEGIN, END = "<!-- table: made by benchmarks/selection.py -->", "<!-- end of table -->"
COLUMNS = (
    "seed", "input", "extent at 5, 10, 20 %", "relevant : irrelevant", "quartiles", "at first",
    "in all directions", "simulated",
)  # fmt: skip


def trained(seed: int) -> Any:
    recipe = at.recipe(TASK)
    return at.train(TASK, recipe.model, recipe.rule, seed=seed)


def choice_axis(states: np.ndarray, trials: Any, context: np.ndarray) -> np.ndarray:
    """From the mean state of the one answer to that of the other, at the end of the delay."""
    during = trials.during("delay")
    last = during.shape[1] - 1 - during[:, ::-1].argmax(axis=1)
    ends = states[np.arange(len(states)), last]
    answers = trials.conditions["answer"]
    axis = ends[context & (answers == 1)].mean(axis=0) - ends[context & (answers == 0)].mean(axis=0)
    return np.asarray(axis / np.linalg.norm(axis))


def extents(net: Any, held: Any, states: np.ndarray, trials: Any) -> list[str]:
    """How far the longest slow set reaches along the choice axis, in the trajectories' range."""
    context = trials.conditions["context"] == int(held.relevant[-1]) - 1
    axis = choice_axis(states, trials, context)
    epoch = "delay" if "off" in held.name else "stimulus"
    own = states[trials.during(epoch) & context[:, None]] @ axis
    shown = []
    for tolerance in TOLERANCES:
        sets = at.analysis.slow_sets(net, held.inputs, task=TASK, tolerance=tolerance)
        reaches = [np.ptp(each.states @ axis) / np.ptp(own) for each in sets.sets]
        longest = int(np.argmax(reaches)) if reaches else 0
        kind = sets.sets[longest].kind if reaches else "none"
        shown.append(f"{kind} {max(reaches, default=0):.2f}")
    return shown


def simulated(net: Any, held: Any, states: np.ndarray, change: np.ndarray) -> np.ndarray:
    """How far a full pulse of one step has moved a network from each state a second later."""
    constant = np.tile(held.inputs, (len(states), SECOND, 1))
    pulsed = constant.copy()
    pulsed[:, 0] += change
    ends = [
        net.simulate(inputs, initial_state=states, precision="float64").states[:, -1]
        for inputs in (constant, pulsed)
    ]
    return np.asarray(np.linalg.norm(ends[1] - ends[0], axis=1))


def row(seed: int, net: Any, held: Any, found: Any, reaches: list[str]) -> str:
    relevant = found.relevant
    (other,) = [name for name in found.directions if name != relevant]
    ends, starts = found.ratios(relevant, other)
    low, middle, high = np.quantile(ends, [0.25, 0.5, 0.75])
    lengths = np.linalg.norm(found.moves[found.known], axis=2)
    one, two = (found.directions.index(name) for name in (relevant, other))
    in_all = np.median(lengths[:, one] / lengths[:, two])
    evidence = TASK.evidence_directions()
    later = [simulated(net, held, found.states, evidence[name]) for name in (relevant, other)]
    return (
        f"| {seed} | {held.name} | {', '.join(reaches)} | **{middle:.2g}** | {low:.2g} to "
        f"{high:.2g} | {np.median(starts):.2g} | {in_all:.2g} | "
        f"{np.median(later[0] / later[1]):.2g} |"
    )


def main(folders: list[str]) -> None:
    """All networks, input by input; a line of the table as soon as it is known."""
    lines = [f"| {' | '.join(COLUMNS)} |", "|" + "---|" * len(COLUMNS)]
    for seed in SEEDS:
        run = at.load(folders[seed]) if folders else trained(seed)
        net = run.networks[0]
        trials = TASK.sample(TRIALS, seed=5)
        path = net.simulate(trials.inputs, precision="float64")
        vectors = []
        for held in TASK.constant_inputs():
            sets = at.analysis.slow_sets(net, held.inputs, task=TASK)
            vectors.append(at.analysis.selection_vectors(net, sets, task=TASK))
            lines.append(row(seed, net, held, vectors[-1], extents(net, held, path.states, trials)))
            print(lines[-1], flush=True)
        if seed == SEEDS[0]:
            space = at.analysis.state_space(path, trials, "pca", COMPONENTS)
            figure = at.figures.selection_vectors(vectors, space)
            figure.savefig(DOCS / "images" / "selection.png", dpi=150)
    page = DOCS / "fixed-points.md"
    before, rest = page.read_text(encoding="utf-8").split(BEGIN)
    after = rest.split(END)[1]
    made = "\n".join([BEGIN, *lines, END])
    page.write_text(f"{before}{made}{after}", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
