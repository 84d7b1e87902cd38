"""A study of 24 networks, from nothing to its page: how long, how large, and killed on the way.

    python benchmarks/population_study.py [--quick] [--results FOLDER]

Twelve networks of 96 units learn the paper's task as they are, twelve others with noise of their
own; then the battery, the measures, the distances and the page. The study is a process of its own:
it runs alone; then it is killed with SIGKILL at moments on the way and begun again each time; and
once more where all is there. What the killed ones had computed shows in the processor time of all
together, and in the files of results, which must stay as they were written.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import attractory as at
from harness import write_results
from harness.options import add_arguments

TASK = at.tasks.FlipFlop.paper()
NETS, UNITS, UPDATES = 12, 96, 650
CONDITIONS = {"quiet": 0.0, "noisy": 0.05}  # standard deviation of the recurrent noise
# in training so many seconds after it began, then as soon as so many results are written
KILLED_IN_TRAINING, KILLED_AT_RESULTS = (15.0, 25.0), (10, 45, 79, 83)


def study(folder: Path, quick: bool) -> None:
    """All of it, as a user writes it."""
    nets, updates = (2, 4) if quick else (NETS, UPDATES)
    rule = at.rules.BPTT(learning_rate=2.5e-2, steps=updates)
    runs = {}
    for name, noise in CONDITIONS.items():
        model = at.models.RateRNN(units=UNITS, tau=10.0, recurrent_noise=noise)
        runs[name] = at.train(
            TASK, model, rule, nets=nets, seed=0, path=folder / name, progress=False
        )
    results = at.report.population_study(runs, battery=True, progress=False)
    results.save(folder / "compare")
    at.report.write_population(results, folder / "compare" / "population.html")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_arguments(parser)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)  # of the study itself
    given = parser.parse_args()
    if given.folder is not None:
        study(given.folder, given.quick)
        return
    with tempfile.TemporaryDirectory() as place:
        alone = measured(Path(place, "alone"), given.quick)
        print(f"alone: {alone}", flush=True)
        interrupted = killed_on_the_way(Path(place, "killed"), given.quick)
        print(f"killed: {interrupted}", flush=True)
        again = measured(Path(place, "alone"), given.quick)
        print(f"again: {again}", flush=True)
        results = {
            "networks": NETS * len(CONDITIONS),
            "alone": alone,
            "killed": interrupted,
            "again": again,
            "same_tables": same_tables(Path(place, "alone"), Path(place, "killed")),
            "page_mib": round(size_of(Path(place, "alone", "compare", "population.html")), 2),
        }
    print(results["same_tables"], flush=True)
    write_results("population_study", results, given.results)


def begun(folder: Path, quick: bool) -> subprocess.Popen[bytes]:
    command = [sys.executable, __file__, "--folder", str(folder), *(["--quick"] if quick else [])]
    return subprocess.Popen(command)


def measured(folder: Path, quick: bool) -> dict[str, float]:
    """Seconds, processor seconds and the most memory of one whole process."""
    began = time.monotonic()
    process = begun(folder, quick)
    _, status, used = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"the study ended with {status}")
    return {
        "seconds": round(time.monotonic() - began, 1),
        "processor_seconds": round(used.ru_utime + used.ru_stime, 1),
        "memory_gib": round(used.ru_maxrss / 2**20, 2),
    }


def killed_on_the_way(folder: Path, quick: bool) -> dict[str, Any]:
    """Killed at each moment; counted over all processes. What was written then stays as it was."""
    began, processor = time.monotonic(), 0.0
    written: dict[str, float] = {}
    written_again: set[str] = set()
    for seconds in KILLED_IN_TRAINING:
        process = begun(folder, quick)
        time.sleep(seconds)
        processor += killed(process)
    for results in KILLED_AT_RESULTS:
        process = begun(folder, quick)
        while len(files_of_results(folder)) < results:
            if process.poll() is not None:
                raise SystemExit("the study ended before it was killed")
            time.sleep(0.05)
        processor += killed(process)
        written_again |= changed(written, folder)
        written |= files_of_results(folder)
    last = measured(folder, quick)
    written_again |= changed(written, folder)
    return {
        "kills": len(KILLED_IN_TRAINING) + len(KILLED_AT_RESULTS),
        "seconds": round(time.monotonic() - began, 1),
        "processor_seconds": round(processor + last["processor_seconds"], 1),
        "results_at_the_last_kill": len(written),
        "results_written_again": sorted(written_again),
    }


def killed(process: subprocess.Popen[bytes]) -> float:
    """The processor seconds that a process had used when it was killed."""
    process.send_signal(signal.SIGKILL)
    _, _, used = os.wait4(process.pid, 0)
    return used.ru_utime + used.ru_stime


def files_of_results(folder: Path) -> dict[str, float]:
    """When each result of a run was written."""
    files = folder.glob("*/results/**/*.*")
    return {str(file.relative_to(folder)): file.stat().st_mtime for file in files if file.is_file()}


def changed(before: dict[str, float], folder: Path) -> set[str]:
    now = files_of_results(folder)
    return {name for name, moment in before.items() if now.get(name) != moment}


def same_tables(one: Path, other: Path) -> dict[str, bool]:
    """Whether the studies' tables are the same, letter by letter."""
    files = sorted((one / "compare").glob("*.csv"))
    return {
        file.name: file.read_bytes() == (other / "compare" / file.name).read_bytes()
        for file in files
    }


def size_of(page: Path) -> float:
    return page.stat().st_size / 2**20


if __name__ == "__main__":
    main()
