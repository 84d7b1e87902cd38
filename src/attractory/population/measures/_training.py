"""Measures of how a network learned."""

from __future__ import annotations

import numpy as np

from attractory._errors import InvalidSetting
from attractory.models import Network
from attractory.population._measure import measure_of
from attractory.population._measure_context import Context

LEVEL = 0.1  # of the first loss: most of what is learned is learned by then


@measure_of("history", larger="slower learning", source="defined here", unit="updates")
def learning_time(network: Network, context: Context) -> float:
    """Updates until the validation loss (the batches' loss where there is none) is at most a tenth
    of the first one."""
    history = context.history
    validated = history["validation_loss"].notna()
    losses = history.loc[validated, "validation_loss"] if validated.any() else history["loss"]
    steps = history.loc[losses.index, "step"].to_numpy()
    reached = np.flatnonzero(losses.to_numpy() <= LEVEL * history["loss"].iloc[0])
    if not len(reached):
        raise InvalidSetting(f"the loss did not come down to {LEVEL:g} of the first one")
    return float(steps[reached[0]])
