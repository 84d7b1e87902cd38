"""Gradient descent of fractional order beside gradient descent and Adam, each at its best rate.

One network and task, fresh trials, a rate that falls along a cosine. The rate of each optimiser is
the one of a grid that has the least validation loss, as a mean over the networks of one seed; what
is told is of networks of another seed, on trials that none has seen. Gradient descent without
momentum is the fractional one of order 1.

    python benchmarks/fractional.py [--quick] [--results FOLDER]
"""

from __future__ import annotations

from typing import Any

import numpy as np

import attractory as at
from harness import Options, write_results

TASK = at.tasks.FlipFlop(
    bits=2, steps=100, first_onset=(5, 15), pulse=4, delay=4, gaps=(15, 40), neutral_start=False
)
ADAM = "adam"
OPTIMIZERS: dict[str, Any] = {
    "gradient descent (order 1)": {"name": "sgd", "momentum": 0.0},
    **{f"fractional, order {nu}": {"name": "fractional", "order": nu} for nu in (0.9, 0.7, 0.5)},
    ADAM: ADAM,
}
RATES = (0.03, 0.1, 0.3, 1.0, 3.0)
RATES_OF_ADAM = (1e-3, 3e-3, 1e-2, 3e-2, 1e-1)  # its steps have the length of the rate
UNITS, BATCH, UPDATES = 50, 8, 300
TUNING_SEED, TOLD_SEED = 0, 1
TUNED_ON, TOLD_OF = 3, 5  # networks
UNSEEN = 512  # trials that are scored


def main() -> None:
    options = Options.parse(__doc__ or "")
    updates = 20 if options.quick else UPDATES
    found = {name: compared(name, updates) for name in OPTIMIZERS}
    for name, result in found.items():
        print(described(name, result))
    write_results("fractional", {"updates": updates, "optimizers": found}, options.results)


def compared(name: str, updates: int) -> dict[str, Any]:
    """The validation loss of every rate, and the scores with the best of them."""
    losses = {}
    for rate in RATES_OF_ADAM if name == ADAM else RATES:
        run = trained(name, rate, updates, TUNED_ON, TUNING_SEED)
        losses[rate] = float(np.mean(last_losses(run)))
    best = min(losses, key=lambda rate: losses[rate])
    run = trained(name, best, updates, TOLD_OF, TOLD_SEED)
    scores = at.evaluate(run.networks, TASK, UNSEEN)
    return {
        "rates": list(losses),
        "validation_loss": [loss if np.isfinite(loss) else None for loss in losses.values()],
        "best_rate": best,
        "mse": scores.mse.tolist(),
        "correct": scores.correct.tolist(),
    }


def trained(name: str, rate: float, updates: int, nets: int, seed: int) -> at.Run:
    rule = at.rules.BPTT(
        optimizer=OPTIMIZERS[name],
        learning_rate=rate,
        steps=updates,
        batch=BATCH,
        validation=64,
        check_every=updates // 4,
        on_divergence="continue",  # not with half the rate: that would be another rate
    )
    model = at.models.RateRNN(units=UNITS)
    return at.train(TASK, model, rule, nets=nets, seed=seed, progress=False)


def last_losses(run: at.Run) -> list[float]:
    """The last validation loss of each network; infinite where its training was given up."""
    checked = run.history.dropna(subset="validation_loss").groupby("net")["validation_loss"].last()
    ended = [row["status"] == "finished" for row in run.status]
    return [checked[net] if whole else np.inf for net, whole in enumerate(ended)]


def described(name: str, result: dict[str, Any]) -> str:
    mse, correct = np.array(result["mse"]), np.array(result["correct"])
    return (
        f"{name:28s} rate {result['best_rate']:<6g} MSE {mse.mean():.4f} "
        f"({mse.min():.4f} to {mse.max():.4f}), correct {correct.mean():.3f}"
    )


if __name__ == "__main__":
    main()
