"""What local rules and perturbations come to on three bits, and what an update takes.

    python benchmarks/local_rules.py [--quick] [--results FOLDER]

Networks of 100 units learn the three-bit flip-flop by each rule, with as many updates of as many
trials. Rates were tried on one network, five for RFLO, one or two for the others. Scores are of
trials that nobody saw. With the readout alone, as a reservoir, it is seen what the other weights
contribute.
Then the time of an update by RFLO beside one by backpropagation through time, turn by turn on one
core, the shortest of each.
"""

from __future__ import annotations

import os
import time
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import attractory as at
from attractory.training import Population
from harness import Options, write_results

TASK = at.tasks.FlipFlop(bits=3)


class TheLossOfAnother(at.rules.NodePerturbation):
    """Node perturbation that is told the loss of another trial: as large steps, without aim."""

    def _by_trial(self, outputs: jax.Array, trials: at.tasks.Batch) -> jax.Array:
        return jnp.roll(super()._by_trial(outputs, trials), 1)


MODEL = at.models.RateRNN(units=100, tau=5.0)
STEPS, BATCH, SEEDS = 400, 16, 3
SLOW = {"learning_rate": 1e-2, "recurrent_learning_rate": 1e-3}
SLOWER = {"learning_rate": 1e-2, "recurrent_learning_rate": 3e-4}
RULES: dict[str, at.rules.Descent] = {
    "backpropagation through time": at.rules.BPTT(optimizer="adam", learning_rate=3e-3),
    "RFLO, random feedback": at.rules.RFLO(**SLOWER),
    "RFLO, symmetric feedback": at.rules.RFLO(feedback="symmetric", **SLOW),
    "e-prop, adaptive feedback": at.rules.EProp(feedback="adaptive", weight_decay=0.3, **SLOWER),
    "node perturbation": at.rules.NodePerturbation(**SLOWER),
    "node perturbation, told the loss of another trial": TheLossOfAnother(**SLOWER),
    "weight perturbation": at.rules.WeightPerturbation(learning_rate=1e-3),
    "the readout alone": at.rules.BPTT(optimizer="adam", learning_rate=1e-2),
}
TIMED = ((100, 8), (400, 8))  # units, trials of an update
TURNS = 60


def main() -> None:
    options = Options.parse(__doc__ or "")
    steps, seeds = (5, 1) if options.quick else (STEPS, SEEDS)
    learned = {name: scores(name, steps, seeds) for name in RULES}
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    timed = [milliseconds(*each, turns=2 if options.quick else TURNS) for each in TIMED]
    found = {"units": MODEL.units, "steps": steps, "batch": BATCH, "rules": learned}
    write_results("local_rules", {**found, "milliseconds": timed}, options.results)


def scores(name: str, steps: int, seeds: int) -> dict[str, Any]:
    """Of networks trained by one rule: shares of signs and of trials that are right, the loss."""
    model = MODEL
    if name == "the readout alone":
        model = model.replace(trainable=("output_weights", "output_bias"))
    rule = RULES[name].replace(steps=steps, batch=BATCH)
    began = time.process_time()
    run = at.train(TASK, model, rule, nets=seeds, progress=False)
    seconds = time.process_time() - began
    found = at.evaluate(run, TASK, n=256)
    kept = {each: np.asarray(getattr(found, each)).tolist() for each in ("accuracy", "correct")}
    kept["mse"] = np.asarray(found.mse).tolist()
    print(f"{name:50} {kept} {seconds:.0f} s of a processor", flush=True)
    return {**kept, "seconds": seconds}


def milliseconds(units: int, batch: int, turns: int) -> dict[str, Any]:
    """The shortest time of an update by each of two rules, in turns."""
    rules = {
        "BPTT": at.rules.BPTT(optimizer="adam", batch=batch),
        "RFLO": at.rules.RFLO(batch=batch),
    }
    moved, times = {}, {}
    for name, rule in rules.items():
        population = Population(TASK, MODEL.replace(units=units), rule, 1, 0)
        state = population.initial_state()
        population.compile(state)
        moved[name], times[name] = (population, state), []
    for turn in range(turns):
        for name, (population, state) in moved.items():
            began = time.perf_counter()
            population.update(state, np.ones(1, bool), turn)
            times[name].append(1e3 * (time.perf_counter() - began))
    shortest = {name: min(each) for name, each in times.items()}
    print(units, batch, shortest, flush=True)
    return {"units": units, "batch": batch, **shortest}


if __name__ == "__main__":
    main()
