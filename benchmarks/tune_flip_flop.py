"""What `at.tune` is worth on the leaky flip-flop: beside the recipe, and beside random search.

    python benchmarks/tune_flip_flop.py [--quick] [--results FOLDER] [--runs FOLDER] [--seeds 0 …]
    python benchmarks/tune_flip_flop.py --timed

The networks are those of the recipe (96 leaky units, three bits, trials of 340 steps, 650
updates); tuned are the learning rate, the gain of the first recurrent weights, and the time
constant, in 60 trials of two networks each. The error of the outputs is the objective: the share
of trials that are right is 1 for the recipe already, while the error still tells networks apart.

For each seed of the study one tuning by TPE and one by random search, with the same pruner and the
same networks' seeds. The best values of each, and the recipe, are trained again with the same
fresh seeds and scored on trials that no choice has seen. Seeds are paired: those of the study are
the sample that the intervals are of.

Each tuning is a folder under --runs; interrupted, the same command goes on. With --timed one tuning
by TPE begins anew, with nothing compiled but the kernels: its seconds and those of a trial's parts,
to be taken while the machine has nothing else to do. The results keep what the other part found.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats

import attractory as at
from attractory.training import Population
from harness import read_results, write_results
from harness.cache import fresh_cache
from harness.options import add_arguments
from tune_flip_flop_page import write_page

NAME = "tune_flip_flop"
TASK = at.tasks.FlipFlop()
TUNED = {
    "rule.learning_rate": {"low": 1e-3, "high": 0.3, "log": True},
    "model.recurrent_gain": {"low": 0.3, "high": 2.0},
    # whole milliseconds, of which several trials may have the same, and its compiled programs
    "model.tau": {"low": 2, "high": 50, "log": True},
}
# the first ten trials end by themselves, as those that TPE draws at random do; before a tenth of
# the updates a low loss says little
PRUNER = {"name": "median", "n_startup_trials": 10, "n_warmup_steps": 65}
SAMPLERS = ("tpe", "random")
TRIALS, NETS, FRESH_SEEDS, SCORED, WORKERS = 60, 2, 5, 512, 2
VALIDATION = {"validation": 64, "check_every": 65}
SEEDS_APART = 100  # of studies: fresh seeds of one are none of another


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_arguments(parser)
    parser.add_argument("--runs", type=Path, default=Path("runs") / NAME)
    parser.add_argument("--seeds", type=int, nargs="+", default=list(range(5)))
    parser.add_argument("--timed", action="store_true", help="the seconds of one tuning, anew")
    given = parser.parse_args()
    found = read_results(NAME, given.results) or {}
    if given.timed:
        found["timed"] = timed(given.quick)
    else:
        at.use_cores(1)
        found.update(compared(given))
    found.pop("machine", None)
    write_results(NAME, found, given.results)
    if not given.quick:
        write_page(read_results(NAME, given.results))


def study(sampler: str, seed: int, quick: bool) -> at.sweeps.TuningStudy:
    """The tuning by this sampler; all else follows from the seed."""
    seed *= SEEDS_APART
    rule = {"steps": 20, "check_every": 5, "validation": 8} if quick else VALIDATION
    return at.sweeps.TuningStudy(
        task=TASK,
        rule=rule,
        nets=NETS,
        seed=seed,
        tune=TUNED,
        objective="mse",
        trials=4 if quick else TRIALS,
        sampler=sampler,
        pruner=PRUNER,
        retrain=2 if quick else FRESH_SEEDS,
        scoring={"trials": SCORED, "seed": seed + 1},
    )


def compared(given: argparse.Namespace) -> dict[str, Any]:
    """All tunings, the recipe on the same seeds, and their differences."""
    tunings: dict[str, list[Any]] = {sampler: [] for sampler in SAMPLERS}
    recipe = []
    for seed in given.seeds:
        for sampler in SAMPLERS:
            folder = given.runs / f"{sampler}-{seed}"
            tunings[sampler].append(tuned(study(sampler, seed, given.quick), folder))
        recipe.append(by_the_recipe(study("tpe", seed, given.quick), given.runs / f"recipe-{seed}"))
        found = {
            "setup": setup(given.quick),
            "seeds": given.seeds[: len(recipe)],
            "tunings": tunings,
            "recipe": recipe,
            "differences": differences(tunings, recipe) if len(recipe) > 1 else {},
        }
        before = read_results(NAME, given.results) or {}
        before.pop("machine", None)
        write_results(NAME, {**before, **found}, given.results)
    return found


def setup(quick: bool) -> dict[str, Any]:
    """What all studies have in common, as JSON."""
    one = study("tpe", 0, quick)
    recipe = at.training.recipe(TASK)
    return {
        "model": recipe.model.to_json(),
        "rule": recipe.rule.to_json(),
        "tuned": TUNED,
        "pruner": PRUNER,
        "trials": one.trials,
        "nets": one.nets,
        "fresh_seeds": one.retrain,
        "workers": WORKERS,
        "xla_flags": os.environ.get("XLA_FLAGS", ""),
    }


def tuned(one: at.sweeps.TuningStudy, folder: Path) -> dict[str, Any]:
    """A tuning to its end, and what it came to."""
    tuning = at.tune(one, folder, workers=WORKERS, progress=False)
    table = tuning.table()
    best = table.set_index("trial").loc[tuning.best_trials[0]]
    complete = table["mse"].where(table["state"] == "complete")
    fresh = tuning.retrained().groupby("seed")["mse"].mean()
    found = {
        "status": tuning.status,
        "values": {field: float(best[field]) for field in TUNED},
        "chosen": float(best["mse"]),
        "fresh": fresh.tolist(),
        "best_so_far": complete.cummin().ffill().tolist(),
        "states": table["state"].tolist(),
        "pruned_after": table["step"][table["state"] == "pruned"].tolist(),
        "importance": dict(tuning.importance().to_numpy().tolist()),
    }
    print(f"{folder.name}: {tuning.statement}; {found['values']}", flush=True)
    return found


def by_the_recipe(one: at.sweeps.TuningStudy, folder: Path) -> list[float]:
    """The error of what `at.train` takes when nothing is said, for each fresh seed of a study."""
    found = []
    rule = at.training.recipe(TASK).rule.replace(steps=one.point(one.ends()[0]).rule.steps)
    for seed in range(one.seed + 1, one.seed + 1 + one.retrain):
        path = folder / str(seed)
        run = at.train(TASK, rule=rule, nets=one.nets, seed=seed, path=path, progress=False)
        scores = at.evaluate(run, n=SCORED, seed=one.scored.seed + 1)
        found.append(float(np.mean(scores.mse)))
    return found


def differences(tunings: dict[str, list[Any]], recipe: list[list[float]]) -> dict[str, Any]:
    """Of errors on fresh seeds and trials, and of the objectives chosen; one number a study."""
    fresh = {name: [np.mean(each["fresh"]) for each in of] for name, of in tunings.items()}
    chosen = {name: [each["chosen"] for each in of] for name, of in tunings.items()}
    of_recipe = [np.mean(each) for each in recipe]
    return {
        "the best by TPE beside the recipe": beside(fresh["tpe"], of_recipe),
        "the best by random search beside the recipe": beside(fresh["random"], of_recipe),
        "the best by TPE beside that by random search": beside(fresh["tpe"], fresh["random"]),
        "the same, as they were chosen": beside(chosen["tpe"], chosen["random"]),
    }


def beside(ones: list[Any], others: list[Any]) -> dict[str, Any]:
    """The mean difference, and the mean ratio (of logarithms), with their 95 % intervals."""
    pair = np.array([ones, others], float)
    ratio = interval(np.log(pair[0] / pair[1]))
    return {
        "difference": interval(pair[0] - pair[1]),
        "ratio": {name: float(np.exp(value)) for name, value in ratio.items()},
        "better_in": int((pair[0] < pair[1]).sum()),
        "of": pair.shape[1],
    }


def interval(values: np.ndarray) -> dict[str, float]:
    """The mean and its 95 % interval (Student's t)."""
    half = stats.t.ppf(0.975, len(values) - 1) * stats.sem(values)
    mean = float(values.mean())
    return {"mean": mean, "low": float(mean - half), "high": float(mean + half)}


def timed(quick: bool) -> dict[str, Any]:
    """The seconds of one tuning with nothing compiled before, and those of a trial's parts."""
    with tempfile.TemporaryDirectory() as place:
        os.environ["ATTRACTORY_CACHE"] = fresh_cache(f"{place}/cache")
        at.use_cores(1)
        load = os.getloadavg()[0]
        began = time.perf_counter()
        tuning = at.tune(
            study("tpe", 0, quick), Path(place) / "tuning", workers=WORKERS, progress=False
        )
        seconds = time.perf_counter() - began
        print(f"{seconds:.0f} s, load before {load:.2f}: {tuning.statement}", flush=True)
        return {
            "seconds": seconds,
            "load_before": load,
            "status": tuning.status,
            "of_a_trial": parts_of_a_trial(quick),
        }


def parts_of_a_trial(quick: bool) -> dict[str, Any]:
    """Processor seconds of a trial's parts, with a time constant that is new, and with one before.

    Rate and gain are others each time.
    """
    one = study("tpe", 0, quick)
    # what no trial can have had; the first is for what a process does once
    values = {"begin": (0.02, 1.1, 55), "new": (0.03, 0.9, 60), "known": (0.04, 0.8, 60)}
    found = {
        name: parts_of(one.point(dict(zip(TUNED, each, strict=True))))
        for name, each in values.items()
    }
    del found["begin"]
    for name, seconds in found.items():
        print(name, ", ".join(f"{part} {value:.2f} s" for part, value in seconds.items()))
    return found


def parts_of(point: Any) -> dict[str, float]:
    """Processor seconds of the parts of one training, by name."""
    seconds: dict[str, float] = {}

    def took(name: str, function: Callable[[], Any]) -> Any:
        began = time.process_time()
        made = function()
        seconds[name] = time.process_time() - began
        return made

    population = Population(point.task, point.model, point.rule, point.nets, point.seed)
    state = took("first weights", population.initial_state)
    took("compiling the update", lambda: population.compile(state))
    _updates(population, state, 1)
    took("updates", lambda: _updates(population, state, point.rule.steps))
    took("compiling the validation", lambda: population.validate(state))
    checks = point.rule.steps // point.rule.check_every
    took("validation", lambda: [population.validate(state) for _ in range(checks)])
    networks = [point.model.build(TASK.n_inputs, TASK.n_outputs, seed=net) for net in range(NETS)]
    took("scores", lambda: at.evaluate(networks, TASK, n=SCORED, seed=1))
    return seconds


def _updates(population: Population, state: Any, count: int) -> None:
    active = np.ones(NETS, bool)
    for step in range(count):
        state, _ = population.update(state, active, step)


if __name__ == "__main__":
    main()
