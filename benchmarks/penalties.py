"""What each penalty makes of the weights, the states and the fixed points of a three-bit memory.

    python benchmarks/penalties.py [--quick] [--results FOLDER] [PENALTY ...]

Networks of 64 leaky units learn `FlipFlop()` without a penalty, and with each of the ten alone. How
much of it: in the networks without, all penalties are measured; a strength is weight · this value.
The strongest of five for which every network has 99 % of the signs right is the one that is looked
at. Writes the table of docs/penalties.md and docs/images/penalties.png.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from typing import Any

import numpy as np

import attractory as at
from harness import read_results, write_results
from harness.options import add_arguments
from penalties_page import write_page

TASK = at.tasks.FlipFlop()
MODEL = at.models.RateRNN(units=64, tau=10.0)
RULE = at.training.rule_for(TASK, MODEL)
NETS, WANTED = 3, 0.99
STRENGTHS = (3.0, 1.0, 0.3, 0.1, 0.03)  # the loss ends near 0.01
PENALTIES = (
    "weights_l1", "weights_l2", "sparse_connections", "recurrent_radius", "rates_l1", "rates_l2",
    "rates_change", "mean_rates", "mean_rates_entropy", "vanishing_gradient",
)  # fmt: skip
LAST = 50  # updates over which a penalty's value at the end of the training is averaged
TRIALS = 512


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_arguments(parser)
    parser.add_argument("penalties", nargs="*", metavar="PENALTY", help=", ".join(PENALTIES))
    given = parser.parse_args()
    names = given.penalties or list(PENALTIES)
    if unknown := set(names) - set(PENALTIES):
        parser.error(f"no such penalty: {', '.join(sorted(unknown))}")
    at.use_cores()
    rule, nets = (RULE.replace(steps=10), 2) if given.quick else (RULE, NETS)
    # some anew, the others as they were measured before
    known = (read_results("penalties", given.results) or {}) if given.penalties else {}
    measured = known.get("measured") or without(rule, nets)
    values = measured["none"]["values"]
    for name in names:
        measured[name] = strongest(name, values[name], rule, nets, 1 if given.quick else None)
        print(line(name, measured[name]), flush=True)
        write_results("penalties", {"measured": measured}, given.results)
    if not given.quick:
        write_page(measured)


def without(rule: at.rules.BPTT, nets: int) -> dict[str, Any]:
    """Networks without a penalty; and what each penalty would have come to, measured on the way."""
    run, seconds = trained(rule.replace(penalties=dict.fromkeys(PENALTIES, 0.0)), nets)
    last = run.history[run.history["step"] > rule.steps - LAST]
    found = measures(run) | {"weight": 0.0, "strength": 0.0, "seconds": seconds}
    found["values"] = {name: float(last[name].mean()) for name in PENALTIES}
    print(line("none", found), flush=True)
    return {"none": found}


def strongest(
    name: str, value: float, rule: at.rules.BPTT, nets: int, most: int | None
) -> dict[str, Any]:
    """The networks under the strongest penalty that they bear; `most`: of so many strengths."""
    tried = {}
    for strength in STRENGTHS[:most]:
        weight = strength / value
        run, seconds = trained(rule.replace(penalties={name: weight}), nets)
        accuracy = at.evaluate(run, TASK, n=TRIALS, seed=99).accuracy
        tried[f"{strength:g}"] = accuracy.tolist()
        if accuracy.min() >= WANTED:
            break
    borne = bool(accuracy.min() >= WANTED)
    told = {"weight": weight, "strength": strength, "seconds": seconds, "borne": borne}
    return measures(run) | told | {"tried": tried}


def trained(rule: at.rules.BPTT, nets: int) -> tuple[at.Run, float]:
    began = time.perf_counter()
    run = at.train(TASK, MODEL, rule, nets=nets, progress=False)
    return run, time.perf_counter() - began


def measures(run: at.Run) -> dict[str, list[float]]:
    """What the networks of a run are like, a value for each."""
    scores = at.evaluate(run, TASK, n=TRIALS, seed=99)
    rows = [of_network(net) for net in run.networks]
    return {
        "mse": scores.mse.tolist(),
        "accuracy": scores.accuracy.tolist(),
        **{name: [row[name] for row in rows] for name in rows[0]},
    }


def of_network(net: at.models.Network) -> dict[str, float]:
    spectrum = at.analysis.spectrum(net)
    states = net.simulate(TASK.sample(TRIALS, seed=98).inputs).states
    points = at.analysis.fixed_points(net, n_starts=512, max_starts=1024, task=TASK)
    stable = points.n_unstable == 0
    return {
        "radius": float(spectrum.radius),
        "outside": int((np.abs(spectrum.eigenvalues) > 1).sum()),
        "dimensions": participation_ratio(states),
        "rate": float(np.abs(states).mean()),
        "stable": int(stable.sum()),
        "one_unstable": int((points.n_unstable == 1).sum()),
        "more_unstable": int((points.n_unstable > 1).sum()),
        "unproved": int((~points.certified).sum()),
        "slowest": float(np.abs(points.eigenvalues[stable, 0]).max()) if stable.any() else np.nan,
    }


def participation_ratio(states: np.ndarray) -> float:
    """(Σ λ)² / Σ λ² of the eigenvalues λ of the states' covariance."""
    flat = states.reshape(-1, states.shape[-1]).astype(float)
    variances = np.linalg.eigvalsh(np.cov(flat.T))
    return float(variances.sum() ** 2 / np.square(variances).sum())


def line(name: str, found: dict[str, Any]) -> str:
    """For whoever watches."""

    def mean(values: Sequence[float]) -> float:
        return float(np.mean(values))

    return (
        f"{name}: strength {found['strength']:g}, MSE {mean(found['mse']):.4f}, signs "
        f"{min(found['accuracy']):.2%}, radius {mean(found['radius']):.3f}, outside "
        f"{mean(found['outside']):.1f}, dimensions {mean(found['dimensions']):.2f}, points "
        f"{mean(found['stable']):.1f} + {mean(found['one_unstable']):.1f} + "
        f"{mean(found['more_unstable']):.1f}, {found['seconds']:.0f} s"
    )


if __name__ == "__main__":
    main()
