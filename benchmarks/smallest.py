"""How many leaky units a three-bit memory needs, by the recipe that learns it.

    python benchmarks/smallest.py [--quick] [--results FOLDER] [--runs FOLDER]

Networks of 3 to 64 units learn `FlipFlop()`; one of which 99 % of the signs are right succeeds.
Which size is trained next, and when enough is known, says `population.smallest`. Stopped, it goes
on from the runs that are there. Writes docs/images/smallest.png.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import attractory as at
from harness import write_results
from harness.options import add_arguments

TASK = at.tasks.FlipFlop()
MODEL = at.models.RateRNN(units=64, tau=10.0)
RULE = at.training.rule_for(TASK, MODEL)
SIZES, WANTED, SEEDS = range(3, 65), 0.99, 4
DOCS = Path(__file__).resolve().parents[1] / "docs"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_arguments(parser)
    parser.add_argument("--runs", type=Path, help="folder of the runs; none are kept without it")
    given = parser.parse_args()
    at.use_cores()
    rule, most = (RULE.replace(steps=10), 2) if given.quick else (RULE, 12)
    found = at.population.smallest(
        TASK, SIZES, WANTED, SEEDS, MODEL, rule, path=given.runs, most=most, progress=False
    )
    measured = {
        "summary": found.summary(),
        "tried": found.tried.tolist(),
        "scores": found.scores.tolist(),
        "sizes": found.table().to_dict("list"),
    }
    print(found.statement, flush=True)
    write_results("smallest", measured, given.results)
    if not given.quick:
        at.figures.smallest(found).savefig(DOCS / "images" / "smallest.png", dpi=180)


if __name__ == "__main__":
    main()
