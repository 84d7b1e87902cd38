"""The fixed points of the author's network from epoch 1 to epoch 20, followed there and back.

    python benchmarks/through_learning.py DATA

DATA is the folder with the author's Keras files (`ff_3b_weights-01.hdf5`, `ff_3b_weights-20.hdf5`;
of the epochs between them no weights are published here). Writes results/through_learning.json and
docs/images/through_learning.png. About a minute and a half of one core.
"""

from __future__ import annotations

import argparse
import json
import platform
import time
from pathlib import Path

import attractory as at

HERE = Path(__file__).resolve().parent
FILES = {1: "ff_3b_weights-01.hdf5", 20: "ff_3b_weights-20.hdf5"}
TASK = at.tasks.FlipFlop.paper()


def curves(continuation: at.analysis.WeightContinuation, turned: bool) -> set[object]:
    """Which point is joined with which, whatever was before."""
    found: set[object] = set()
    for fate in continuation.fates:
        if fate.kind != "unexplained":
            sides = (fate.after, fate.before) if turned else (fate.before, fate.after)
            found.add(tuple(tuple(sorted(side)) for side in sides))
    return found


def followed_back(found: at.population.PointsThroughLearning) -> dict[str, object]:
    """The same from the last epoch to the first: another following of the same curves."""
    there = found.intervals[0]
    back = at.analysis.weight_continuation(there.after, there.before)
    same = curves(there, turned=False) & curves(back, turned=True)
    return {"fates": len(back.fates), "the_same": len(same), **back.summary()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    data = parser.parse_args().data
    began = time.process_time()
    networks = [(epoch, at.load_keras(data / file)) for epoch, file in FILES.items()]
    learning = at.population.through_learning(
        networks,
        ["accuracy", "mse", "spectral_radius", "n_outside"],
        TASK,
        progress=False,
    )
    found = at.population.points_through_learning(networks, task=TASK, progress=False)
    seconds = time.process_time() - began
    print(found.statement)
    result = {
        "machine": platform.machine(),
        "processor_seconds": round(seconds, 1),
        "measures": learning.table().to_dict("records"),
        "points": [points.statement for points in found.points],
        "intervals": found.table().to_dict("records"),
        "fates": json.loads(found.fates_table().to_json(orient="records")),
        "followed_back": followed_back(found),
    }
    place = HERE / "results" / "through_learning.json"
    place.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    figure = at.figures.births_and_losses(found, unit="epochs")
    figure.savefig(HERE.parent / "docs" / "images" / "through_learning.png", dpi=200)


if __name__ == "__main__":
    main()
