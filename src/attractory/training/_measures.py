"""Numbers that are measured beside the training: of weights, of a task."""

from __future__ import annotations

import numpy as np

from attractory.models import Model, Weights
from attractory.rules import Loss
from attractory.tasks import Task


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
