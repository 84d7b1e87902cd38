"""reservoirpy's side of `reservoir.py`: fits a readout for each seed, and says how long it took.

    python benchmarks/contenders/reservoirpy_readout.py FILE.npz

FILE holds, for each seed, the series to learn and those to answer (seed, trial, time, channel); the
answers of one readout for each ridge go to FILE.answers.npy (seed, ridge, trial, time, output). To
standard output, as JSON, go the seconds of a processor that the fit with one of the ridges took.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

import numpy as np
from reservoirpy.mat_gen import uniform
from reservoirpy.nodes import Reservoir, Ridge


def main() -> None:
    given = np.load(sys.argv[1])
    settings = json.loads(str(given["settings"]))
    answers, seconds = [], []
    for seed in range(len(given["inputs"])):
        made = {name: given[name][seed] for name in ("inputs", "targets", "unseen")}
        for_seed = []
        for ridge in settings["ridges"]:
            began = time.process_time()
            model = fitted(made, settings, seed, ridge)
            if ridge == settings["timed_ridge"]:
                seconds.append(time.process_time() - began)
            for_seed.append(np.asarray(model.run(made["unseen"])))
        answers.append(for_seed)
    np.save(sys.argv[1] + ".answers.npy", np.asarray(answers, np.float32))
    print(json.dumps({"seconds": seconds}))


def fitted(made: dict[str, Any], settings: dict[str, Any], seed: int, ridge: float) -> Any:
    """An echo-state network with its readout, fitted; its connections are as sparse as ours."""
    reservoir = Reservoir(
        settings["units"],
        sr=settings["radius"],
        lr=settings["leak"],
        rc_connectivity=settings["density"],
        input_connectivity=1.0,
        Win=uniform(low=-1.0, high=1.0),
        input_scaling=settings["input_gain"],
        seed=seed,
    )
    model = reservoir >> Ridge(ridge=ridge)
    model.fit(made["inputs"], made["targets"], warmup=settings["washout"])
    return model


if __name__ == "__main__":
    main()
