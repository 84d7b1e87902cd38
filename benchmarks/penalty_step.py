"""What penalties and dropout add to a training step, beside the same step without any.

Steps of all rules take turns in one process. Times are seconds of its processors, which others on
the machine do not lengthen as they do the clock's; the ratio is that of medians.

    python benchmarks/penalty_step.py [--quick] [--results FOLDER]
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np

import attractory as at
from attractory.training import Population
from harness import Options, write_results

RULES: dict[str, dict[str, Any]] = {
    "without": {},
    "rates_l2": {"penalties": {"rates_l2": 1e-3}},
    "rates_l1, rates_change": {"penalties": {"rates_l1": 1e-3, "rates_change": 1e-3}},
    "mean_rates_entropy": {"penalties": {"mean_rates_entropy": 1e-3}},
    "weights_l2": {"penalties": {"weights_l2": 1e-3}},
    "recurrent_radius": {"penalties": {"recurrent_radius": 1e-3}},
    "vanishing_gradient": {"penalties": {"vanishing_gradient": 1e-3}},
    "dropout": {"dropout": 0.1},
    "weight_decay": {"weight_decay": 1e-2},
}
SIZES = {"400 units, batch 128": (400, 128, 1.0), "100 units, batch 64, leaky": (100, 64, 10.0)}
QUICK = {"10 units, batch 8": (10, 8, 1.0)}


def main() -> None:
    options = Options.parse(__doc__ or "")
    at.use_cores()
    found = {}
    for name, (units, batch, tau) in (QUICK if options.quick else SIZES).items():
        found[name] = ratios(units, batch, tau, rounds=2 if options.quick else 8)
        print(f"{name}, trials of 340 steps")
        for rule, (seconds, ratio) in found[name].items():
            print(f"  {rule:24s} {1e3 * seconds:8.1f} ms   × {ratio:.2f}")
    write_results("penalty_step", found, options.results)


def ratios(units: int, batch: int, tau: float, rounds: int) -> dict[str, tuple[float, float]]:
    """The median seconds of a step by rule, and their ratio to those without penalties."""
    task = at.tasks.FlipFlop(bits=3)
    model = at.models.RateRNN(units=units, tau=tau, dt=1.0)
    steps = {name: stepping(task, model, batch, extra) for name, extra in RULES.items()}
    taken: dict[str, list[float]] = {name: [] for name in steps}
    for turn in range(1, rounds + 1):
        for name, step in steps.items():
            begun = time.process_time()
            step(turn)
            taken[name].append(time.process_time() - begun)
    medians = {name: float(np.median(seconds)) for name, seconds in taken.items()}
    return {name: (seconds, seconds / medians["without"]) for name, seconds in medians.items()}


def stepping(task: at.tasks.Task, model: at.models.Model, batch: int, extra: dict[str, Any]) -> Any:
    """A function that makes an update, compiled and run once."""
    rule = at.rules.BPTT(batch=batch, optimizer="adam", **extra)
    population = Population(task, model, rule, 1, 0)
    states = [population.initial_state()]

    def step(turn: int) -> None:
        states[0], _ = population.update(states[0], np.ones(1, bool), turn)

    step(0)
    return step


if __name__ == "__main__":
    main()
