"""How many trials a second of the same tasks, here and by neurogym's own `new_trial`.

Both make whole trials with inputs and ground truth, with the same epochs, time step and noise; here
in one call for all, compiled before the clock starts. Taken in turn, medians of three.

    python benchmarks/generate_beside_neurogym.py [--quick] [--results FOLDER]
"""

from __future__ import annotations

import statistics
import time
from typing import Any

import neurogym

import attractory as at
from harness import Options, write_results

PAIRS = {  # ours; neurogym's, and what it is made with
    "perceptual_decision": (
        "PerceptualDecisionMaking-v0",
        {"timing": {"fixation": 100, "stimulus": 2000, "delay": 0, "decision": 100}},
    ),
    "context_decision": ("ContextDecisionMaking-v0", {}),
    "dual_delayed_match": ("DualDelayMatchSample-v0", {}),
    "parametric_memory": ("DelayComparison-v0", {}),
}


def main() -> None:
    options = Options.parse(__doc__ or "")
    results = {}
    for name, (environment, settings) in PAIRS.items():
        task = at.tasks.get(name)
        made = neurogym.make(environment, dt=int(task.dt), **settings).unwrapped
        results[name] = compared(task, made, options.quick)
        row = results[name]
        print(
            f"{name}: {row['ours']:.0f} trials a second, neurogym {row['neurogym']:.0f}, "
            f"ratio {row['ratio']:.0f}",
            flush=True,
        )
    write_results("generate_beside_neurogym", {"tasks": results}, options.results)


def compared(task: at.tasks.Task, environment: Any, quick: bool) -> dict[str, float]:
    ours, theirs = (100, 10) if quick else (20_000, 1000)
    task.sample(ours, seed=0)
    environment.new_trial()
    rates: dict[str, list[float]] = {"ours": [], "neurogym": []}
    for seed in range(3):
        began = time.perf_counter()
        task.sample(ours, seed=seed)
        rates["ours"].append(ours / (time.perf_counter() - began))
        began = time.perf_counter()
        for _ in range(theirs):
            environment.new_trial()
        rates["neurogym"].append(theirs / (time.perf_counter() - began))
    found = {name: statistics.median(each) for name, each in rates.items()}
    return {**found, "ratio": found["ours"] / found["neurogym"], "steps": task.n_steps}


if __name__ == "__main__":
    main()
