"""The reservoir rule beside reservoirpy: NARMA-10, and Mackey-Glass 84 steps ahead.

Both have one core, and times are seconds of it. For each series both fit echo-state networks of the
same size, density, spectral radius, leak and input scaling on the same trials, ten seeds each. Ours
chooses its ridge by cross-validation, which its time includes; reservoirpy is given one ridge, and
the time is that of one fit. Its error is told for that ridge, and for the best of four on the very
trials that are scored, which it could not know. The error is that of trials that neither has seen,
root mean square over the standard deviation of the target (NRMSE).

    python benchmarks/reservoir.py [--quick] [--results FOLDER]
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from scipy import stats

import attractory as at
from attractory.training import Population
from harness import Options, write_results
from harness.race import PEERS_PYTHON

CONTENDER = Path(__file__).parent / "contenders" / "reservoirpy_readout.py"
UNSEEN = 8  # trials that are scored
TIMED_RIDGE = 1e-8  # reservoirpy's, as in its tutorials on such series
PEER_RIDGES = (1e-10, TIMED_RIDGE, 1e-6, 1e-4)


# units, leak, spectral radius, input gain: not tuned for either side beyond what is usual
SERIES: dict[str, tuple[at.tasks.Task, dict[str, float]]] = {
    "NARMA-10": (at.tasks.NARMA(), {"leak": 1.0, "radius": 0.9, "input_gain": 0.2}),
    "Mackey-Glass": (at.tasks.MackeyGlass(), {"leak": 0.5, "radius": 0.9, "input_gain": 0.5}),
}
UNITS, DENSITY, WASHOUT, STEPS, BATCH = 500, 0.1, 100, 5, 8


def main() -> None:
    options = Options.parse(__doc__ or "")
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})  # which the other process inherits
    seeds, units = (2, 50) if options.quick else (10, UNITS)
    found = {name: compared(*SERIES[name], seeds, units) for name in SERIES}
    for name, result in found.items():
        print(name)
        for line in described(result):
            print(" ", line)
    write_results("reservoir", {"units": units, "series": found}, options.results)


def compared(
    task: at.tasks.Task, settings: dict[str, float], seeds: int, units: int
) -> dict[str, Any]:
    """Errors and seconds of both on one series."""
    rule = at.rules.Reservoir(steps=STEPS, batch=BATCH, washout=WASHOUT)
    tried = task.sample(seeds * UNSEEN, seed=seeds + 1)
    unseen = tried.inputs.reshape(seeds, UNSEEN, *tried.inputs.shape[1:])
    targets = tried.targets.reshape(seeds, UNSEEN, *tried.targets.shape[1:])
    began = time.process_time()
    run = at.train(task, model_of(settings, units), rule, nets=seeds, progress=False)
    whole = time.process_time() - began
    began = time.process_time()  # the programs are there now
    again = at.train(task, model_of(settings, units), rule, nets=seeds, progress=False)
    ours = time.process_time() - began
    assert np.array_equal(again.networks[0].output_weights, run.networks[0].output_weights)
    answers = np.stack([net.respond(x) for net, x in zip(run.networks, unseen, strict=True)])
    their_answers, theirs = by_reservoirpy(task, settings, rule, seeds, units, unseen)
    errors = np.stack([nrmse(their_answers[:, i], targets) for i in range(len(PEER_RIDGES))])
    return {
        "ours": {
            "nrmse": nrmse(answers, targets).tolist(),
            "seconds": ours / seeds,
            "with_compiling": whole / seeds,
            "ridges": run.rule_report["chosen_ridge"][:, 0].tolist(),
        },
        "reservoirpy": {
            "nrmse": errors[PEER_RIDGES.index(TIMED_RIDGE)].tolist(),
            "best_nrmse": errors.min(axis=0).tolist(),
            "seconds": float(np.mean(theirs)),
        },
    }


def model_of(settings: dict[str, float], units: int) -> at.models.RateRNN:
    """Our echo-state network; its input weights are uniform within the gain."""
    return at.models.RateRNN(
        units=units,
        dt=1.0,
        tau=1 / settings["leak"],
        recurrent_init="normal",
        recurrent_gain=settings["radius"],
        constraints=at.models.Constraints(density=DENSITY),
        # a uniform distribution within ±√(6 / (units + 1)), made one within ±gain
        input_gain=settings["input_gain"] * ((units + 1) / 6) ** 0.5,
    )


def by_reservoirpy(
    task: at.tasks.Task,
    settings: dict[str, float],
    rule: at.rules.Reservoir,
    seeds: int,
    units: int,
    unseen: np.ndarray,
) -> tuple[np.ndarray, list[float]]:
    """Its answers (seed, ridge, trial, time, output), and the seconds of a fit for each seed."""
    trials = [trained_on(task, rule, net, seeds) for net in range(seeds)]
    asked = {
        **settings,
        "units": units,
        "density": DENSITY,
        "washout": WASHOUT,
        "ridges": PEER_RIDGES,
        "timed_ridge": TIMED_RIDGE,
    }
    with tempfile.TemporaryDirectory() as folder:
        file = f"{folder}/given.npz"
        inputs, targets = ([getattr(t, n) for t in trials] for n in ("inputs", "targets"))
        np.savez(file, inputs=inputs, targets=targets, unseen=unseen, settings=json.dumps(asked))
        said = subprocess.run(
            [PEERS_PYTHON, CONTENDER, file], capture_output=True, text=True, check=True
        )
        return np.load(file + ".answers.npy"), json.loads(said.stdout.splitlines()[-1])["seconds"]


def trained_on(task: at.tasks.Task, rule: at.rules.Reservoir, net: int, nets: int) -> Any:
    """The very trials that one of our networks is trained on, in one batch."""
    population = Population(task, at.models.RateRNN(units=2), rule, nets, 0)
    slots = jnp.arange(rule.batch)
    batches = [
        task.batch(
            at.tasks.trial_keys(jax.random.fold_in(population.keys.trials[net], step), slots)
        )
        for step in range(rule.n_steps)
    ]
    return jax.tree.map(lambda *parts: np.concatenate(parts), *batches)


def nrmse(answers: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Root mean squared error over the targets' standard deviation, of each seed, after washout."""
    error, asked = (answers - targets)[:, :, WASHOUT:], targets[:, :, WASHOUT:]
    made: np.ndarray = np.sqrt((error**2).mean((1, 2, 3)) / asked.var((1, 2, 3)))
    return made


def described(result: dict[str, Any]) -> list[str]:
    """A result in lines of text; intervals are of 95 % for the mean over seeds."""
    ours, theirs = result["ours"], result["reservoirpy"]
    rows = [
        ("Attractory", ours["nrmse"], ours["seconds"]),
        (f"reservoirpy, ridge {TIMED_RIDGE:g}", theirs["nrmse"], theirs["seconds"]),
        ("reservoirpy, best ridge", theirs["best_nrmse"], theirs["seconds"]),
    ]
    lines = [f"{n:28} NRMSE {interval(e)}, {s:.2f} s a network" for n, e, s in rows]
    ratios = (ours[name] / theirs["seconds"] for name in ("seconds", "with_compiling"))
    lines.append("time ratio {:.2f}; {:.2f} with compiling".format(*ratios))
    return lines


def interval(errors: list[float]) -> str:
    half = stats.t.ppf(0.975, len(errors) - 1) * np.std(errors, ddof=1) / len(errors) ** 0.5
    return f"{np.mean(errors):.3g} ± {half:.2g}"


if __name__ == "__main__":
    main()
