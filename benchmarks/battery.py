"""What noise in training makes networks robust against: a battery over two groups of memories.

    python benchmarks/battery.py [--quick] [--results FOLDER] [--runs FOLDER]

Networks of 64 leaky units learn `FlipFlop()` by the recipe, six without noise of their own and six
with it; all are then tried without it. Writes docs/images/battery.png.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import attractory as at
from harness import write_results
from harness.options import add_arguments

TASK = at.tasks.FlipFlop()
MODEL = at.models.RateRNN(units=64, tau=10.0)
RULE = at.training.rule_for(TASK, MODEL)
NETS, NOISE = 6, 0.1
DOCS = Path(__file__).resolve().parents[1] / "docs"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_arguments(parser)
    parser.add_argument("--runs", type=Path, help="folder of the runs; none are kept without it")
    given = parser.parse_args()
    at.use_cores()
    rule, nets = (RULE.replace(steps=10), 2) if given.quick else (RULE, NETS)
    groups = {
        "trained without noise": trained(0.0, rule, nets, given.runs),
        f"with noise of {NOISE:g}": trained(NOISE, rule, nets, given.runs),
    }
    tried = at.population.battery(groups, TASK, progress=False)
    measured = {
        "skipped": tried.skipped,
        "level": tried.level,
        # what is not finite is null
        "thresholds": json.loads(tried.thresholds().to_json(orient="records")),
        "means": json.loads(tried.means().to_json(orient="records")),
    }
    print(tried.thresholds().round(3).to_string(index=False), flush=True)
    write_results("battery", measured, given.results)
    if not given.quick:
        at.figures.battery(tried).savefig(DOCS / "images" / "battery.png", dpi=180)


def trained(
    noise: float, rule: at.rules.Rule, nets: int, folder: Path | None
) -> list[at.models.Network]:
    """Networks that had so much noise in training, without it."""
    model = MODEL.replace(recurrent_noise=noise)
    path = None if folder is None else folder / f"noise_{noise:g}"
    run = at.train(TASK, model, rule, nets=nets, path=path, progress=False)
    return [at.models.Network(MODEL, net.weights) for net in run.networks]


if __name__ == "__main__":
    main()
