"""The training steps on a GPU: ours beside torch.nn.RNN, which is cuDNN's there.

Only where JAX sees a GPU (install Attractory with its `cuda` extra) and torch is a CUDA build.

    python benchmarks/gpu_step.py [--quick] [--results FOLDER]
"""

from __future__ import annotations

import subprocess
import sys

from harness import Contender, Options, Work, describe, race, write_results

WORKS = {
    "paper": Work(units=400, batch=128, steps=340),
    "population": Work(units=100, batch=64, steps=340, networks=12),
}
CONTENDERS = [
    Contender("Attractory", "attractory", device="gpu"),
    Contender("torch, cuDNN", "torch", device="gpu"),
    Contender("Attractory, bfloat16", "attractory", "bfloat16", device="gpu"),
    Contender("torch, cuDNN, bfloat16", "torch", "bfloat16", device="gpu"),
]


def main() -> None:
    options = Options.parse(__doc__ or "")
    if not gpu_is_there():
        print("JAX sees no GPU here: the training step on a GPU is left out")
        return
    rounds, seconds = (2, 0.05) if options.quick else (7, 0.5)
    results = {}
    for name, work in WORKS.items():
        results[name] = race(work, CONTENDERS, rounds, seconds)
        print("\n".join(describe(results[name])), flush=True)
    write_results("gpu_step", results, options.results)


def gpu_is_there() -> bool:
    """Asked in a process of its own, so that this one holds no memory of the GPU."""
    question = "import jax, sys; sys.exit(jax.default_backend() != 'gpu')"
    return subprocess.run([sys.executable, "-c", question], capture_output=True).returncode == 0


if __name__ == "__main__":
    main()
