"""FORCE beside full-FORCE on an oscillation of changing frequency (DePasquale et al. 2018).

    python benchmarks/full_force.py [--quick] [--results FOLDER] [--figure FILE]

The signal rises from 1 to 6 Hz within a second and falls back within another, again and again.
Networks of 300 units learn it by FORCE, by full-FORCE, and by full-FORCE with a hint, a ramp that
follows the frequency; then each runs for ten periods with frozen weights.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import attractory as at
from attractory.figures._style import BLACK, VERMILLION, legend_below, letter, new_figure, styled
from harness import write_results
from harness.options import add_arguments

FIGURE = Path(__file__).resolve().parents[1] / "docs" / "images" / "full_force.png"
PERIOD, PERIODS = 2000, 10  # steps of 1 ms; periods with frozen weights
LEARNED = 60  # periods


class Chirp(at.tasks.Task):
    """One period of the signal, without input."""

    def trial(self, key: jax.Array) -> at.tasks.Trial:
        target = jnp.asarray(signal(), jnp.float32)[:, None]
        return at.tasks.Trial(inputs=jnp.zeros_like(target), targets=target)


def signal() -> np.ndarray:
    """(time,): the rise, and the same backwards."""
    seconds = np.arange(1, PERIOD + 1) / 1e3
    rising = np.minimum(seconds, 2 - seconds)
    return np.sin(2 * np.pi * (rising + 2.5 * rising**2))


def ramp(inputs: jax.Array, targets: jax.Array) -> jax.Array:
    """(time, 1): from -0.5 to 0.5 and back."""
    step = jnp.arange(1, len(inputs) + 1) / (PERIOD / 2)
    return jnp.minimum(step, 2 - step)[:, None] - 0.5


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_arguments(parser)
    parser.add_argument("--figure", type=Path, default=None, help=f"usually {FIGURE.name} in docs")
    given = parser.parse_args()
    units, seeds, steps = (60, 1, 2) if given.quick else (300, 5, LEARNED)
    rules = {
        "FORCE": at.rules.FORCE(carry=True, steps=steps),
        "full-FORCE": at.rules.FullFORCE.paper(steps=steps),
        "full-FORCE with a hint": at.rules.FullFORCE.paper(steps=steps, hints=ramp),
    }
    outputs = {
        name: [learned(rule, units, seed) for seed in range(seeds)] for name, rule in rules.items()
    }
    errors = {name: [error_of(each) for each in made] for name, made in outputs.items()}
    for name, values in errors.items():
        print(f"{name}: {', '.join(f'{value:.3f}' for value in values)}", flush=True)
    write_results("full_force", {"errors": errors}, given.results)
    if not given.quick or given.figure is not None:
        draw({name: made[0] for name, made in outputs.items()}).savefig(
            given.figure or FIGURE, dpi=200
        )


def learned(rule: at.rules.Rule, units: int, seed: int) -> np.ndarray:
    """What a network says in ten periods after learning, (time,)."""
    model = at.models.CurrentRNN(
        units=units,
        tau=10.0,
        dt=1.0,
        bias=False,
        output_bias=False,
        # full-FORCE begins with no recurrent weights, its teacher with those of FORCE
        recurrent_gain=1.5 if isinstance(rule, at.rules.FORCE) else 0.0,
    )
    run = at.train(Chirp(), model, rule, seed=seed, progress=False)
    return run.networks[0](np.zeros((PERIODS * PERIOD, 1)))[:, 0]


def error_of(outputs: np.ndarray) -> float:
    """Root mean squared error over that of the signal."""
    target = np.tile(signal(), PERIODS)
    return float(np.sqrt(np.mean((outputs - target) ** 2) / np.mean(target**2)))


@styled
def draw(outputs: dict[str, np.ndarray]) -> Any:
    """The last of ten periods of a network of each rule."""
    figure = new_figure(175, 95)
    panels = figure.subplots(len(outputs), 1, sharex=True)
    seconds = np.arange((PERIODS - 1) * PERIOD + 1, PERIODS * PERIOD + 1) / 1e3
    for i, (axes, (name, said)) in enumerate(zip(panels, outputs.items(), strict=True)):
        axes.plot(seconds, signal(), color=BLACK, linewidth=2.2, label="target")
        axes.plot(seconds, said[-PERIOD:], color=VERMILLION, linewidth=1, label="output")
        axes.set(ylabel="Output (a.u.)", xlim=(seconds[0], seconds[-1]), ylim=(-2, 2))
        axes.set_title(name)
        letter(axes, i)
    panels[-1].set_xlabel("Time with frozen weights (s)")
    legend_below(figure, panels[0].get_legend_handles_labels()[0], 2)
    return figure


if __name__ == "__main__":
    main()
