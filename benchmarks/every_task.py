"""What the recipes come to: one network for every task and seed, scored on trials it never saw.

    python benchmarks/every_task.py [CASE ...] [--quick] [--results FOLDER] [--seeds 0 1 2]

A case is a task's name, a published version of one, another cell, or a flip-flop under constraints.
The seconds are those of `at.train`, compiling included. The table for docs/tasks.md is printed.
"""

from __future__ import annotations

import argparse
import time
from typing import Any, NamedTuple

import numpy as np

import attractory as at
from harness import read_results, write_results
from harness.options import add_arguments

SCORED_TRIALS, SCORED_SEED = 2000, 1_000_003


class Case(NamedTuple):
    """What is trained."""

    task: at.tasks.Task
    cell: str = "rate"
    constraints: at.models.Constraints | None = None


def cases() -> dict[str, Case]:
    """By name; the battery and neurogym are too long for here (see the slow tests)."""
    named = [name for name in at.tasks.names() if name != "yang" and "neurogym" not in name]
    made = {name: Case(at.tasks.get(name)) for name in named}
    made["poisson_flipflop, Golub"] = Case(at.tasks.PoissonFlipFlop.golub())
    made["parametric_memory, Romo"] = Case(at.tasks.ParametricWorkingMemory.romo())
    for cell in ("gru", "lstm"):
        made[f"context_decision, {cell}"] = Case(at.tasks.get("context_decision"), cell)
    made["context_decision, lowrank"] = Case(at.tasks.get("context_decision"), "lowrank")
    for name, rules in {
        "Dale 80:20": {"excitatory": 0.8},
        "density 20 %": {"density": 0.2},
        "both": {"excitatory": 0.8, "density": 0.2},
    }.items():
        constraints = at.models.Constraints(**rules)
        made[f"flipflop, {name}"] = Case(at.tasks.get("flipflop"), constraints=constraints)
    return made


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_arguments(parser)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("names", nargs="*", metavar="CASE")
    given = parser.parse_args()
    at.use_cores()
    known = cases()
    if unknown := set(given.names) - set(known):
        parser.error(f"no such case: {', '.join(sorted(unknown))}; there is {', '.join(known)}")
    results: dict[str, Any] = {}
    if given.names:  # some anew, the others as they were measured before
        results = (read_results("every_task", given.results) or {}).get("cases", {})
    for name in given.names or known:
        results[name] = measured(name, known[name], given.seeds, given.quick)
        write_results("every_task", {"cases": results}, given.results)
    print(table(results))


def measured(name: str, case: Case, seeds: list[int], quick: bool) -> dict[str, Any]:
    """The recipe, the scores it should reach, and a row a seed."""
    made = at.recipe(case.task, case.cell, case.constraints)
    rule = made.rule.replace(steps=10) if quick else made.rule
    rows = []
    for seed in seeds:
        began = time.perf_counter()
        run = at.train(case.task, made.model, rule, seed=seed, progress=False)
        seconds = time.perf_counter() - began
        rows.append({"seed": seed, "seconds": seconds, **scored(run, case.task)})
        print(f"{name}, {rows[-1]}", flush=True)
    return {
        "model": type(made.model).__name__,
        "settings": made.model.to_json(),
        "rule": rule.to_json(),
        "ideal": case.task.ideal(),
        "chance": case.task.chance(),
        "runs": rows,
    }


def scored(run: at.Run, task: at.tasks.Task) -> dict[str, Any]:
    """Scores of the one network of a run; in detail where the task has contexts."""
    network = run.networks[0]
    scores = at.evaluate(network, task, n=SCORED_TRIALS, seed=SCORED_SEED)
    found: dict[str, Any] = {"correct": float(scores.correct), "mse": float(scores.mse)}
    if task.name == "context_boolean":
        rows = at.evaluation.by_condition(network, task, "context", SCORED_TRIALS, SCORED_SEED)
        names = {1: "and", -1: "or", 0: "xor"}
        found |= {names[int(row.context)]: row.correct for row in rows.itertuples()}
    if task.name == "context_decision":
        found |= _by_coherence(network, task)
    if getattr(run.model, "constraints", None) is not None:
        found["violations"] = at.analysis.audit(network).violations
    return found


def _by_coherence(network: at.models.Network, task: at.tasks.Task) -> dict[str, Any]:
    """Accuracy at the middle coherence, and how choices move with what does not count."""
    rows = at.evaluation.by_condition(network, task, "relevant", 4 * SCORED_TRIALS, SCORED_SEED)
    middle = rows[rows.relevant.abs() == 15]
    both = at.evaluation.by_condition(
        network, task, ["relevant", "irrelevant"], 4 * SCORED_TRIALS, SCORED_SEED
    )
    share = both.groupby("irrelevant")["chose first"].mean()
    return {
        "middle": float(np.average(middle.correct, weights=middle.scored)),
        "irrelevant": float(share.max() - share.min()),
    }


def table(results: dict[str, Any]) -> str:
    """A row a case: means over the seeds, and the worst of them."""
    lines = [
        "| task | network | trials correct (worst) | of the ideal observer's | chance | seconds |",
        "|---|---|---|---|---|---|",
    ]
    for name, found in results.items():
        correct = np.array([run["correct"] for run in found["runs"]])
        seconds = np.median([run["seconds"] for run in found["runs"]])
        network = f"{found['model']}, {found['settings']['units']} units"
        lines.append(
            f"| {name} | {network} | {correct.mean():.1%} ({correct.min():.1%}) | "
            f"{correct.mean() / found['ideal']:.1%} | {found['chance']:.0%} | {seconds:.0f} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    main()
