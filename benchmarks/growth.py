"""How the cost of a training step grows with units, time steps, batch and number of networks.

Ours beside the fastest peer of the last `training_step.py`; seconds and peak memory of a process
for each work. Draws docs/images/cost.png.

    python benchmarks/growth.py [--quick] [--results FOLDER]
"""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from cost_figure import draw_cost
from harness import (
    FLOAT32_LIMIT,
    Contender,
    Options,
    Work,
    describe,
    race,
    read_results,
    spread,
    write_results,
)
from harness.cache import fresh_cache

ONE = Work(units=400, batch=64, steps=340)
MANY = Work(units=100, batch=64, steps=340)
GROWTH: dict[str, tuple[Work, tuple[int, ...]]] = {
    "units": (ONE, (50, 100, 200, 400, 800, 1600)),
    "steps": (ONE, (100, 340, 1000, 3000)),
    "batch": (ONE, (8, 32, 64, 128, 512)),
    "networks": (MANY, (1, 2, 4, 16, 64)),
}
QUICK: dict[str, tuple[Work, tuple[int, ...]]] = {
    "units": (Work(20, 8, 100), (20, 40)),
    "steps": (Work(20, 8, 100), (100, 200)),
    "batch": (Work(20, 8, 100), (8, 16)),
    "networks": (Work(10, 8, 100), (1, 2)),
}
OURS = Contender("Attractory", "attractory")
MOST_KERAS_NETWORKS = 16  # each of its models is compiled by itself: about a second each
FIGURE = Path(__file__).resolve().parents[1] / "docs" / "images" / "cost.png"


def main() -> None:
    options = Options.parse(__doc__ or "")
    with tempfile.TemporaryDirectory() as folder:
        results = measure(options, Path(fresh_cache(f"{folder}/cache")))
    write_results("growth", results, options.results)
    draw_cost(results, options.results / "cost.png" if options.quick else FIGURE)


def measure(options: Options, cache: Path) -> dict[str, Any]:
    """Races of all works: {quantity: {"peer", "races"}}."""
    growth = QUICK if options.quick else GROWTH
    rounds, seconds = (2, 0.02) if options.quick else (3, 0.3)
    measured: dict[Work, dict[str, Any]] = {}  # one work may stand in several panels
    results: dict[str, Any] = {}
    for quantity, (base, values) in growth.items():
        peer = fastest_peer("population" if quantity == "networks" else "paper", options.results)
        for value in values:
            work = replace(base, **{quantity: value})
            if work not in measured:
                peers = [peer] if affordable(peer, work) else []
                contenders = [OURS, *peers, FLOAT32_LIMIT]
                measured[work] = race(work, contenders, rounds, seconds, cache)
                print("\n".join(describe(measured[work])), flush=True)
        works = [measured[replace(base, **{quantity: value})] for value in values]
        results[quantity] = {"peer": peer.name, "races": works}
    return results


def fastest_peer(work: str, folder: Path) -> Contender:
    """The float32 peer with the lowest median seconds in the last `training_step.py`."""
    results = read_results("training_step", folder)
    peers = [
        contender
        for contender in (results[work]["contenders"] if results else [])
        if contender["library"] in ("keras-tensorflow", "keras-jax", "torch")
        and contender["precision"] == "float32"
        and "unavailable" not in contender
    ]
    if not peers:
        return Contender("Keras, TensorFlow", "keras-tensorflow")
    best = min(peers, key=lambda peer: spread(peer["seconds"]).median)
    return Contender(best["name"], best["library"])


def affordable(peer: Contender, work: Work) -> bool:
    """Whether the peer can be timed there without most of the time spent on compiling."""
    return not peer.library.startswith("keras") or work.networks <= MOST_KERAS_NETWORKS


if __name__ == "__main__":
    main()
