"""FORCE on the sum of four sinusoids (Sussillo & Abbott 2009, figure 2).

    python benchmarks/force.py [--quick] [--results FOLDER] [--figure FILE]

Ten networks of 1000 units learn the signal; then their weights are frozen, and each runs for ten
periods on its own. The time of a step: force_step.py.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np

import attractory as at
from attractory.figures._style import BLACK, BLUE, VERMILLION, letter, new_figure, styled
from harness import write_results
from harness.options import add_arguments

FIGURE = Path(__file__).resolve().parents[1] / "docs" / "images" / "force.png"
PERIODS, SHOWN = 10, 3  # with frozen weights; those that are drawn
TASK = at.tasks.SumOfSinusoids(sigma=0.0)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_arguments(parser)
    parser.add_argument("--figure", type=Path, default=None, help=f"usually {FIGURE.name} in docs")
    given = parser.parse_args()
    units, seeds = (60, 1) if given.quick else (1000, 10)
    learned = [learn(units, seed) for seed in range(seeds)]
    results = {
        "errors": [errors_by_period(run).tolist() for run in learned],
        "whole": [error_of(run) for run in learned],
    }
    write_results("force", results, given.results)
    if not given.quick or given.figure is not None:
        draw(learned[0], results["errors"]).savefig(given.figure or FIGURE, dpi=200)


def learn(units: int, seed: int) -> at.Run:
    """One network, as published but for the length of the training (see `FORCE.paper`)."""
    model = at.models.CurrentRNN(
        units=units,
        tau=10.0,
        dt=1.0,
        bias=False,
        output_bias=False,
        recurrent_gain=1.5,
        constraints=at.models.Constraints(density=0.1),
    )
    run = at.train(TASK, model, at.rules.FORCE.paper(), seed=seed, progress=False)
    print(
        f"seed {seed}: {error_of(run):.4f} after {run.history['seconds'].max():.0f} s", flush=True
    )
    return run


def error_of(run: at.Run) -> float:
    """Normalised root mean squared error over all periods with frozen weights."""
    return float(np.sqrt(np.mean(errors_by_period(run) ** 2)))


def errors_by_period(run: at.Run) -> np.ndarray:
    """The same of each period, (period,)."""
    trials = TASK.replace(periods=PERIODS).sample(1)
    squared = np.square(run.networks[0](trials.inputs) - trials.targets)[0, :, 0]
    size = np.mean(np.square(trials.targets))
    return np.sqrt(squared.reshape(PERIODS, -1).mean(1) / size)


@styled
def draw(run: at.Run, errors: list[list[float]]) -> Any:
    """The end of ten periods alone (A, B), how they were learned (C), all networks' errors (D)."""
    figure = new_figure(175, 130)
    panels = figure.subplot_mosaic(
        [["output", "output"], ["rates", "rates"], ["learning", "errors"]],
        height_ratios=[1.1, 1.2, 1],
    )
    trials = TASK.replace(periods=PERIODS).sample(1)
    path = run.networks[0].simulate(trials.inputs[0])
    seconds = path.dt * np.arange(1, len(path.outputs) + 1) / 1e3
    shown = seconds > seconds[-1] - SHOWN * TASK.period / 1e3
    draw_output(panels["output"], seconds[shown], trials.targets[0, shown], path.outputs[shown])
    draw_rates(panels["rates"], seconds[shown], np.tanh(path.states[shown][:, :8]))
    draw_learning(panels["learning"], run)
    draw_errors(panels["errors"], errors)
    for i, axes in enumerate(panels.values()):
        letter(axes, i)
    return figure


def draw_output(axes: Any, time: np.ndarray, target: np.ndarray, output: np.ndarray) -> None:
    axes.plot(time, target, color=BLACK, linewidth=2.4, label="target")
    axes.plot(time, output, color=VERMILLION, linewidth=1, label="output")
    axes.set(ylabel="Output (a.u.)", ylim=(-1.6, 2.0), xlim=(time[0], time[-1]))
    axes.tick_params(labelbottom=False)
    axes.legend(loc="upper right", ncols=2)


def draw_rates(axes: Any, time: np.ndarray, rates: np.ndarray) -> None:
    axes.plot(time, rates + 2.2 * np.arange(rates.shape[1]), color=BLUE, linewidth=0.8)
    axes.set(ylabel="Rates of 8 units (a.u.)", yticks=[], xlim=(time[0], time[-1]))
    axes.set_xlabel("Time with frozen weights (s)")


def draw_learning(axes: Any, run: at.Run) -> None:
    history = run.history
    for column, label, color in [
        ("error_before_change", "RMS error before a change", VERMILLION),
        ("weight_change", "norm of a change of $W_\\mathrm{out}$", BLUE),
    ]:
        axes.semilogy(history["step"], history[column], color=color, label=label)
    axes.set(xlabel="Learning (periods)", ylabel="Mean over a period (a.u.)")
    axes.legend()


def draw_errors(axes: Any, errors: list[list[float]]) -> None:
    for each in errors:
        axes.semilogy(np.arange(1, PERIODS + 1), each, color=BLUE, linewidth=0.8)
    axes.axhline(0.05, color=BLACK, linestyle=":", linewidth=1)
    axes.set(xlabel="Time with frozen weights (periods)", ylabel="RMS error / RMS of target")


if __name__ == "__main__":
    main()
