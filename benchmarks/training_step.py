"""One training step of the paper's network and of a population: ours beside Keras and torch.

All contenders train a tanh network with a linear readout by Adam on the mean squared error. They
take turns in one run; a matrix product of NumPy, timed in the same rounds, is the limit. Our step
makes fresh trials; the peers get theirs ready-made.

    python benchmarks/training_step.py [--quick] [--results FOLDER]
"""

from __future__ import annotations

from harness import (
    BF16_LIMIT,
    FLOAT32_LIMIT,
    Contender,
    Options,
    Work,
    describe,
    race,
    write_results,
)

OURS = Contender("Attractory", "attractory")
WITHOUT_COMPILER = Contender("Attractory, JAX kernels", "attractory-jax")
PEERS = [
    Contender("Keras, TensorFlow", "keras-tensorflow"),
    Contender("Keras, JAX", "keras-jax"),
    Contender("torch", "torch"),
]
IN_BFLOAT16 = [
    Contender("Attractory, bfloat16", "attractory", "bfloat16"),
    Contender("Keras, TensorFlow, bfloat16", "keras-tensorflow", "bfloat16"),
    Contender("torch, bfloat16", "torch", "bfloat16"),
]
PAPER = Work(units=400, batch=128, steps=340)
POPULATION = Work(units=100, batch=64, steps=340, networks=12)
REHEARSAL = Work(units=10, batch=8, steps=340)
QUICK = {"paper": Work(20, 8, 340), "population": Work(10, 8, 340, networks=2)}


def main() -> None:
    options = Options.parse(__doc__ or "")
    works = QUICK if options.quick else {"paper": PAPER, "population": POPULATION}
    rounds, seconds = (2, 0.05) if options.quick else (7, 0.6)
    contenders = {
        "paper": [OURS, WITHOUT_COMPILER, *PEERS, *IN_BFLOAT16, FLOAT32_LIMIT, BF16_LIMIT],
        "population": [OURS, WITHOUT_COMPILER, *PEERS, *IN_BFLOAT16[:1], FLOAT32_LIMIT],
    }
    # libraries come from the disk once before anything is timed
    race(REHEARSAL, contenders["paper"], rounds=1, turn_seconds=0.01)
    results = {}
    for name, work in works.items():
        results[name] = race(work, contenders[name], rounds, seconds)
        print("\n".join(describe(results[name])), flush=True)
    write_results("training_step", results, options.results)


if __name__ == "__main__":
    main()
