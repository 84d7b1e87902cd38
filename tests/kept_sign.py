"""A sign that is to be kept, and small networks that keep it: quick to make and to try."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

from attractory.models import RateRNN
from attractory.tasks import Task, Trial


class Kept(Task):
    """The sign of a pulse is to be kept. (Made without JAX's generator, whose compilation takes
    longer than all these tests.)"""

    amplitude: float = 1.0
    hold: int = 12
    held = ("hold",)

    def trial(self, key):
        sign = jnp.where(jnp.sum(jax.random.key_data(key)) % 2 == 0, 1.0, -1.0)
        time = jnp.arange(4 + self.hold)[:, None]
        targets = jnp.full((4 + self.hold, 1), sign)
        return Trial(self.amplitude * sign * (time < 3.0), targets, (time >= 4).astype(jnp.float32))

    def chance(self):
        return 0.5

    def conditions(self):
        return {"amplitude": [0.0, 0.5, 1.0, 2.0]}


TASK = Kept()
UNITS = 6


def memory(seed=0, spread=0.1, **settings):
    """Units that hold a sign together, each with weights a little its own."""
    rng = np.random.default_rng(seed)
    recurrent = 1.6 / UNITS + spread * rng.normal(size=(UNITS, UNITS))
    readout = (1 + rng.normal(0, 0.3, (1, UNITS))) / UNITS
    return RateRNN.from_weights(
        recurrent, np.ones((UNITS, 1)), 1.2 * readout, **{"tau": 2.0, **settings}
    )
