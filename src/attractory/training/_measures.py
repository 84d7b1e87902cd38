"""Numbers that are measured beside the training: of weights, of a task."""

from __future__ import annotations

import numpy as np

from attractory.models import Model, Weights
from attractory.rules import Loss, Rule
from attractory.tasks import Task

SMALL = 128  # units whose eigenvalues take no more than an update


def radius_due(model: Model, rule: Rule, step: int) -> bool:
    """Whether spectral radii are measured now: after the first update, and at checks.

    At all of them where there is a validation too or networks are small, else at three: the
    eigenvalues of 400 units take as long as several updates. Never where weights stay.
    """
    if not moves_the_cell(model):
        return False
    checks = -(-rule.n_steps // rule.check_interval)
    cheap = rule.validation > 0 or model.units <= SMALL
    every = 1 if cheap else max(1, checks // 3)
    return step in (1, rule.n_steps) or step % (every * rule.check_interval) == 0


def radii(model: Model, stacked: Weights, active: np.ndarray) -> np.ndarray:
    """Spectral radius of the recurrent weights of the active networks, (net,); NaN of others."""
    weights = {name: np.asarray(w) for name, w in stacked.items()}
    return np.array(
        [
            spectral_radius(model, {n: w[net] for n, w in weights.items()}) if is_active else np.nan
            for net, is_active in enumerate(active)
        ]
    )


def spectral_radius(model: Model, weights: Weights) -> float:
    """Of the recurrent weights, of the closed loop where there is feedback.

    NaN for a model without one square matrix, or of no finite one.
    """
    matrix = model.square_recurrent_weights(model.closed_loop(weights))
    if matrix is None or not np.isfinite(matrix).all():
        return np.nan
    return float(np.abs(np.linalg.eigvals(np.asarray(matrix, np.float64))).max())


def moves_the_cell(model: Model) -> bool:
    """Whether a rule may change more of a network than its readout."""
    return any(model.may_train(name) for name in model.cell_shapes(1))


def silent_loss(task: Task, loss: Loss) -> float:
    """What a network that always says 0 would lose."""
    trials = task.sample(64, seed=0)
    silence = np.zeros_like(trials.targets)
    total = float(loss(silence, trials.targets, trials.mask))  # type: ignore[arg-type]
    return total / max(float(trials.mask.sum()), 1e-12)
