"""How recipes differ: the error while training and after it, and the spectrum, over ten seeds.

All train the paper's network (400 units, orthogonal start, dt = tau, unless the recipe says
otherwise) on the paper's task with the same number of trials. Draws docs/images/recipes.png and
writes the table of docs/recipes.md. Not part of `make bench`: it takes about 25 minutes.

    python benchmarks/recipes.py [--quick] [--results FOLDER] [RECIPE ...]
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

import attractory as at
from harness import read_results, write_results
from harness.options import add_arguments
from recipes_page import write_page

TASK = at.tasks.FlipFlop.paper(score_last_step=False)
PAPER = at.models.RateRNN()
UPDATES, BATCH = 500, 8
CHECK = 50


@dataclass(frozen=True)
class Recipe:
    """A model and a rule; before it, perhaps, some training on shorter trials."""

    rule: at.rules.BPTT
    model: at.models.RateRNN = PAPER
    nets: int = 10
    short_steps: int | None = None


def bptt(updates: int = UPDATES, batch: int = BATCH, **settings: Any) -> at.rules.BPTT:
    """A rule with a validation loss some ten times on the way."""
    return at.rules.BPTT(
        steps=updates, batch=batch, validation=64, check_every=max(1, updates // 10), **settings
    )


RECIPES: dict[str, Recipe] = {
    "default: Muon 3e-3, batch 8": Recipe(bptt(), nets=12),
    "default in bfloat16": Recipe(bptt(precision="bfloat16"), nets=12),
    "near_orthogonal: Muon 1e-2 and pull": Recipe(
        at.rules.BPTT.near_orthogonal(steps=UPDATES, validation=64, check_every=CHECK)
    ),
    "Muon 1e-2": Recipe(bptt(learning_rate=1e-2)),
    "Adam 3e-4": Recipe(bptt(optimizer="adam", learning_rate=3e-4)),
    "Adam 1e-3": Recipe(bptt(optimizer="adam", learning_rate=1e-3)),
    "batch 32": Recipe(bptt(updates=UPDATES // 4, batch=32)),
    "start 0.9 · identity": Recipe(
        bptt(), PAPER.replace(recurrent_init="identity", recurrent_gain=0.9)
    ),
    "leak 0.5": Recipe(bptt(), PAPER.replace(tau=2.0)),
    "curriculum: half of it on trials of 170 steps": Recipe(
        bptt(updates=UPDATES // 2), short_steps=170
    ),
}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_arguments(parser)
    parser.add_argument("recipes", nargs="*", metavar="RECIPE", help="; ".join(RECIPES))
    given = parser.parse_args()
    names = given.recipes or list(RECIPES)
    if unknown := set(names) - set(RECIPES):
        parser.error(f"no such recipe: {', '.join(sorted(unknown))}; there is {', '.join(RECIPES)}")
    at.use_cores()
    measured: dict[str, Any] = {}
    if given.recipes:  # some anew, the others as they were measured before
        measured = (read_results("recipes", given.results) or {}).get("recipes", {})
    for name in names:
        recipe = RECIPES[name]
        if given.quick:
            rule = recipe.rule.replace(steps=10, check_every=5)
            recipe = replace(recipe, rule=rule, model=recipe.model.replace(units=20), nets=2)
        measured[name] = measure(recipe)
        print(described(name, measured[name]), flush=True)
        write_results("recipes", {"recipes": measured}, given.results)
    if not given.quick:
        write_page(measured)


def measure(recipe: Recipe) -> dict[str, Any]:
    """Train its networks; their validation losses on the way, scores and spectra at the end."""
    began = time.perf_counter()
    if recipe.short_steps is None:
        runs = [at.train(TASK, recipe.model, recipe.rule, nets=recipe.nets, progress=False)]
    else:
        runs = [_after_shorter_trials(recipe, seed) for seed in range(recipe.nets)]
    seconds = time.perf_counter() - began
    networks = [network for run in runs for network in run.networks]
    scores = at.evaluate(networks, TASK, n=512, seed=99)
    spectra = [at.analysis.spectrum(network) for network in networks]
    checks = [run.history.dropna(subset="validation_loss") for run in runs]
    curves = [each["validation_loss"] for run in checks for _, each in run.groupby("net")]
    updates = sorted({int(step) for run in checks for step in run["step"]})
    done = recipe.rule.steps if recipe.short_steps is not None else 0
    return {
        "nets": recipe.nets,
        "seconds": seconds,
        "trials": [(done + step) * recipe.rule.batch for step in updates],
        "validation": [curve.tolist() for curve in curves],
        "mse": scores.mse.tolist(),
        "accuracy": scores.accuracy.tolist(),
        "on_circle": [float(each.on_circle) for each in spectra],
        "radius": [float(each.radius) for each in spectra],
        "moduli": np.abs(spectra[0].eigenvalues).tolist(),
    }


def _after_shorter_trials(recipe: Recipe, seed: int) -> Any:
    """One network, first on trials of `short_steps` steps, then on whole ones."""
    short = TASK.replace(steps=recipe.short_steps)
    before = at.train(short, recipe.model, recipe.rule, seed=seed, progress=False).networks[0]
    model = recipe.model.replace(
        recurrent_init=before.recurrent_weights,
        input_init=before.input_weights,
        output_init=before.output_weights,
    )
    return at.train(TASK, model, recipe.rule, seed=seed, progress=False)


def described(name: str, result: dict[str, Any]) -> str:
    """A line for whoever watches."""
    return (
        f"{name}: MSE {np.median(result['mse']):.4f} ({max(result['mse']):.4f}), signs "
        f"{np.median(result['accuracy']):.3%}, on the circle {np.median(result['on_circle']):.0%}, "
        f"{result['seconds']:.0f} s for {result['nets']}"
    )


if __name__ == "__main__":
    main()
