"""Networks whose dynamics are known by hand."""

from __future__ import annotations

import numpy as np

from attractory import models


def bits(n: int, units: int = 12, drive: float = 1.0, seed: int = 0) -> models.Network:
    """n independent bits, each a block W = (2/m) s sᵀ driven along s: h = s·a, a -> tanh(2a + x).

    The read-out of a bit is a itself.
    """
    rng = np.random.default_rng(seed)
    total = n * units
    recurrent, inputs, outputs = (
        np.zeros((total, total)),
        np.zeros((total, n)),
        np.zeros((n, total)),
    )
    for i in range(n):
        own = slice(i * units, (i + 1) * units)
        signs = rng.choice([-1.0, 1.0], units)
        recurrent[own, own] = 2 / units * np.outer(signs, signs)
        inputs[own, i] = drive * signs
        outputs[i, own] = signs / units
    return models.Network.from_weights(recurrent, inputs, outputs)


def rotation(angle: float, gain: float = 1.5) -> models.Network:
    """Two tanh units whose state turns by `angle` a step and grows to a closed curve."""
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return models.Network.from_weights(gain * turn, np.eye(2), np.eye(2))
