"""What a sweep adds to the trainings that it is made of: small runs on two workers of one machine.

    python benchmarks/sweep_overhead.py [--quick] [--results FOLDER] [--steps N] [--runs N]

A sweep over seeds trains with two worker processes; beside it two plain processes train the same
seeds with `at.train` in a loop, without folders, scheduler or scores. Round after round both are
done in turn. Seconds a run are those between the ends of runs, once each process has compiled, so
that starting processes is in neither. For a machine that does nothing else.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path

import attractory as at
from harness import write_results
from harness.options import add_arguments
from harness.summary import ratios, spread

WORKERS = 2
FIRST = 4  # runs of a process that are not counted: it compiles, and the others start meanwhile
TASK = at.tasks.FlipFlop(bits=1, steps=100, first_onset=(5, 10), pulse=4, delay=4)
MODEL = at.models.RateRNN(units=32)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_arguments(parser)
    parser.add_argument("--steps", type=int, default=400, help="updates of a run: about a second")
    parser.add_argument("--runs", type=int, default=48, help="of a sweep")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--plain", type=int, nargs=2, metavar=("FIRST", "LAST"), help="of a loop")
    given = parser.parse_args()
    rule = at.rules.BPTT(steps=8 if given.quick else given.steps, batch=8)
    if given.plain:
        plain(rule, range(*given.plain))
    else:
        compare(rule, given)


def compare(rule: at.rules.Rule, given: argparse.Namespace) -> None:
    """Rounds of plain loops and sweeps in turn, and how many times longer a sweep takes."""
    runs, rounds = (16, 1) if given.quick else (given.runs, given.rounds)
    seconds: dict[str, list[float]] = {"training": [], "sweep": []}
    load = os.getloadavg()[0]
    for _ in range(rounds):
        seconds["training"].append(of_loops(runs))
        seconds["sweep"].append(of_a_sweep(rule, runs))
        print({name: f"{values[-1]:.3f} s a run" for name, values in seconds.items()}, flush=True)
    added = ratios(seconds["sweep"], seconds["training"])
    print(f"sweep / training {added}")
    found = {
        "setup": {"runs": runs, "workers": WORKERS, "rule": rule.to_json(), "load_before": load},
        "seconds": seconds,
        "spread": {name: asdict(spread(values)) for name, values in seconds.items()},
        "ratio": asdict(added),
    }
    write_results("sweep_overhead", found, given.results)


def of_a_sweep(rule: at.rules.Rule, runs: int) -> float:
    """Seconds a run and worker, from the times at which the runs' files were written."""
    study = at.sweeps.Study(task=TASK, model=MODEL, rule=rule, vary={"grid": {"seed": range(runs)}})
    with tempfile.TemporaryDirectory() as place:
        sweep = at.sweep(study, Path(place) / "sweep", workers=WORKERS, progress=False)
        ends = sorted(file.stat().st_mtime for file in (sweep.path / "runs").iterdir())
    first = FIRST * WORKERS
    return WORKERS * (ends[-1] - ends[first]) / (runs - 1 - first)


def of_loops(runs: int) -> float:
    """Seconds a run and process of plain loops, side by side."""
    each = runs // WORKERS
    parts = [(i * each, (i + 1) * each) for i in range(WORKERS)]
    processes = [
        subprocess.Popen(
            [sys.executable, *sys.argv, "--plain", *map(str, part)],
            stdout=subprocess.PIPE,
            text=True,
        )
        for part in parts
    ]
    said = [process.communicate()[0] for process in processes]
    if any(process.returncode for process in processes):
        raise SystemExit("a plain loop has failed: its error stands above")
    ends = [[float(line) for line in one.split()] for one in said]
    return sum((one[-1] - one[FIRST]) / (each - 1 - FIRST) for one in ends) / WORKERS


def plain(rule: at.rules.Rule, seeds: range) -> None:
    """Train each seed; print when each training had ended."""
    at.use_cores(1)
    for seed in seeds:
        at.train(TASK, MODEL, rule, seed=seed, progress=False)
        print(time.time())


if __name__ == "__main__":
    main()
