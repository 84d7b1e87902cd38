"""From nothing to a trained network: seconds, trials, and what came out.

For every recipe and seed a fresh process trains one network on the paper's task. The clock runs
from the start of the process to the trained weights: imports and compiling count. The cache is
empty but for the kernels, which an installation compiles. A network is trained when its mean
squared error on 512 unseen trials is at most 0.0133 (the published network's) and at least 99.9 %
of its answers have the correct sign.

    python benchmarks/time_to_trained.py [--quick] [--results FOLDER] [--seeds 0 1 2] [RECIPE ...]
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from typing import Any

import attractory as at
from harness import read_results, write_results
from harness.cache import fresh_cache
from harness.options import add_arguments

RECIPES: dict[str, tuple[at.models.RateRNN, at.rules.BPTT]] = {
    "default": (at.models.RateRNN(), at.rules.BPTT()),
    "near orthogonal": (at.models.RateRNN(), at.rules.BPTT.near_orthogonal()),
    "small and leaky": (
        at.models.RateRNN(units=96, tau=10.0),
        at.rules.BPTT(learning_rate=2.5e-2, steps=650),
    ),
}
MOST_ERROR, LEAST_ACCURACY = 0.0133, 0.999
SCORED_TRIALS, SCORED_SEED = 512, 99
TRAINED = "trained\n"  # what the training process says when it is done


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_arguments(parser)
    parser.add_argument("--seeds", type=int, nargs="+", default=list(range(10)))
    parser.add_argument("--train", action="store_true", help="be the process that trains")
    parser.add_argument("recipes", nargs="*", metavar="RECIPE", help=", ".join(RECIPES))
    given = parser.parse_args()
    names = given.recipes or list(RECIPES)
    if unknown := set(names) - set(RECIPES):
        parser.error(f"no such recipe: {', '.join(sorted(unknown))}; there is {', '.join(RECIPES)}")
    if given.train:
        train(names[0], given.seeds[0], given.quick)
        return
    results: dict[str, Any] = {}
    if given.recipes:  # some anew, the others as they were measured before
        results = (read_results("time_to_trained", given.results) or {}).get("recipes", {})
    for name in names:
        model, rule = RECIPES[name]
        runs = [timed(name, seed, given.quick) for seed in given.seeds]
        results[name] = {"model": model.to_json(), "rule": rule.to_json(), "runs": runs}
    target = {"mse": MOST_ERROR, "accuracy": LEAST_ACCURACY}
    write_results("time_to_trained", {"target": target, "recipes": results}, given.results)


def timed(name: str, seed: int, quick: bool) -> dict[str, Any]:
    """One network in a fresh process; the seconds until it says that it is trained."""
    with tempfile.TemporaryDirectory() as cache:
        command = [sys.executable, __file__, "--train", name, "--seeds", str(seed)]
        began = time.perf_counter()
        process = subprocess.Popen(
            command + ["--quick"] * quick,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "ATTRACTORY_CACHE": fresh_cache(f"{cache}/cache")},
        )
        assert process.stdout is not None
        for line in process.stdout:
            if line == TRAINED:
                break
        seconds = time.perf_counter() - began
        scores = process.communicate()[0]
    if process.returncode != 0:
        raise SystemExit(f"{name}, seed {seed}: the training process failed (see above)")
    run = {"seed": seed, "seconds": seconds, **json.loads(scores.splitlines()[-1])}
    run["trained"] = run["mse"] <= MOST_ERROR and run["accuracy"] >= LEAST_ACCURACY
    print(
        f"{name}, seed {seed}: {seconds:.1f} s, {run['trials']} trials, MSE {run['mse']:.4f}, "
        f"signs {run['accuracy']:.3%}, on the circle {run['on_circle']:.0%}"
        + ("" if run["trained"] else ": NOT trained"),
        flush=True,
    )
    return run


def train(name: str, seed: int, quick: bool) -> None:
    """Train and say so on standard output; then score, and print the scores as JSON."""
    at.use_cores()
    model, rule = RECIPES[name]
    if quick:
        model, rule = model.replace(units=20), rule.replace(steps=20)
    task = at.tasks.FlipFlop.paper(score_last_step=False)
    run = at.train(task, model, rule, nets=1, seed=seed, progress=False)
    print(TRAINED, end="", flush=True)
    scores = at.evaluate(run.networks, task, n=SCORED_TRIALS, seed=SCORED_SEED)
    found = {
        "status": run.status[0]["status"],
        "trials": run.status[0]["step"] * rule.batch,
        "mse": float(scores.mse[0]),
        "accuracy": float(scores.accuracy[0]),
        "on_circle": at.analysis.spectrum(run.networks[0]).on_circle,
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main()
