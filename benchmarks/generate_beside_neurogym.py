"""How many trials a second of the same tasks, here and by neurogym, in each of its own ways.

All make whole trials with inputs and ground truth, with the same epochs, time step and noise: here
in one call, compiled before the clock starts; there by `new_trial` (a trial at once), by `Dataset`
(batches for supervised training), and by `step` (a step at a time, as an agent sees it). Taken in
turn, medians of three.

    python benchmarks/generate_beside_neurogym.py [--quick] [--results FOLDER]
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
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
        made = neurogym.make(environment, dt=int(task.dt), **settings)
        results[name] = compared(task, made, options.quick)
        said = [f"{way} {rate:.0f}" for way, rate in results[name].items()]
        print(f"{name}, trials a second: {', '.join(said)}", flush=True)
    write_results("generate_beside_neurogym", {"tasks": results}, options.results)


def compared(task: at.tasks.Task, environment: Any, quick: bool) -> dict[str, float]:
    """Trials a second, by way."""
    trials, seconds = (100, 0.1) if quick else (20_000, 1.0)
    dataset = neurogym.Dataset(environment, batch_size=16, seq_len=task.n_steps)
    ways: dict[str, Callable[[], float]] = {
        "attractory": lambda: len(task.sample(trials, seed=1)),
        "new_trial": lambda: float(environment.unwrapped.new_trial() is not None),
        "dataset": lambda: float(dataset()[0].shape[1]),  # a sequence counts as a trial
        "step": lambda: float(environment.step(0)[-1].get("new_trial", False)),
    }
    environment.reset()
    rates: dict[str, list[float]] = {way: [] for way in ways}
    for _ in range(3):
        for way, make in ways.items():
            make()
            rates[way].append(rate(make, seconds))
    return {way: statistics.median(each) for way, each in rates.items()}


def rate(make: Callable[[], float], seconds: float) -> float:
    """What a call makes, summed and divided by the time that the calls took."""
    made, began = 0.0, time.perf_counter()
    while time.perf_counter() - began < seconds:
        made += make()
    return made / (time.perf_counter() - began)


if __name__ == "__main__":
    main()
