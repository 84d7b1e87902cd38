"""A sweep and a tuning of a one-bit memory: the figures of docs/sweeps.md and docs/tune.md.

    python benchmarks/sweeps_page.py [--quick] --runs FOLDER

The learning rate and the activation are swept, four networks a point and seed; the learning rate,
the gain and the activation are tuned. Stopped, it goes on from what is in the folder. Writes
docs/images/sweep.png and docs/images/tuning.png, and both pages into the folder.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import attractory as at
from harness.options import add_arguments

DOCS = Path(__file__).resolve().parents[1] / "docs"
TASK = at.tasks.FlipFlop(bits=1, steps=60, first_onset=(5, 10), pulse=4, delay=4)
RATES, ACTIVATIONS = [1e-3, 3e-3, 1e-2, 3e-2, 1e-1], ["tanh", "relu"]
TUNED = {
    "rule.learning_rate": {"low": 1e-4, "high": 0.3, "log": True},
    "model.recurrent_gain": {"low": 0.3, "high": 1.8},
    "model.activation": ACTIVATIONS,
}


def swept(folder: Path, quick: bool) -> at.sweeps.Sweep:
    """Twenty runs; two of few updates where it is to be quick."""
    rates, steps = (RATES[:2], 4) if quick else (RATES, 120)
    grid = {"rule.learning_rate": rates, "model.activation": ACTIVATIONS, "seed": [0, 1]}
    study = at.sweeps.Study(
        task=TASK,
        model=at.models.RateRNN(units=12),
        rule={"steps": steps, "batch": 16},
        nets=4,
        vary={"grid": grid},
    )
    return at.sweep(study, folder, progress=False)


def tuned(folder: Path, quick: bool) -> at.sweeps.Tuning:
    """Thirty trials with pruning."""
    steps, trials = (20, 4) if quick else (80, 30)
    study = at.sweeps.TuningStudy(
        task=TASK,
        model=at.models.RateRNN(units=16),
        rule={"steps": steps, "batch": 16, "validation": 32, "check_every": 10},
        nets=2,
        tune=TUNED,
        objective="mse",
        trials=trials,
        pruner={"name": "median", "n_startup_trials": 6},
    )
    return at.tune(study, folder, progress=False)


def draw(sweep: Any, tuning: Any) -> None:
    """The figures of the documentation."""
    figures = {
        "sweep": at.figures.sweep(sweep.tried()),
        "tuning": at.figures.tuning_slices(tuning.tried()),
    }
    for name, figure in figures.items():
        figure.savefig(DOCS / "images" / f"{name}.png", dpi=180)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_arguments(parser)
    parser.add_argument("--runs", type=Path, required=True, help="folder of the runs")
    given = parser.parse_args()
    sweep = swept(given.runs / "sweep", given.quick)
    tuning = tuned(given.runs / "tuning", given.quick)
    print(sweep.statement, tuning.statement, sweep.report(), tuning.report(), sep="\n")
    if not given.quick:
        draw(sweep, tuning)


if __name__ == "__main__":
    main()
