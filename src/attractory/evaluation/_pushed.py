"""Networks whose state is moved at one time of a trial."""

from __future__ import annotations

from typing import Any

import equinox as eqx
import numpy as np

from attractory._arguments import as_array, instance_of, takes, whole
from attractory._errors import InvalidSetting
from attractory.models import Network, Trajectory
from attractory.tasks import noise_seed


class PushedNetwork(Network):
    """A network whose state is moved once in each trial; see `pushed`.

    Attributes
    ----------
    move : array (state,)
        What is added to the state.
    at : int
        The step after which it is.
    """

    move: np.ndarray
    at: int = eqx.field(static=True)

    def simulate(
        self,
        inputs: Any,
        seed: int = 0,
        initial_state: Any = None,
        precision: str = "float32",
    ) -> Trajectory:
        """As `Network.simulate`, the state moved on its way; the state that was moved is not kept,
        the next one follows from it."""
        given = np.asarray(getattr(inputs, "inputs", inputs))
        if given.shape[-2] <= self.at:
            raise InvalidSetting(f"the push is at step {self.at} of {given.shape[-2]} steps")
        own = Network(self.model, self.weights)
        before = own.simulate(given[..., : self.at, :], seed, initial_state, precision)
        # noise that is not that of the first steps once more
        rest, moved = noise_seed(seed), before.states[..., -1, :] + self.move
        after = own.simulate(given[..., self.at :, :], rest, moved, precision)
        return Trajectory(
            given,
            np.concatenate([before.states, after.states], axis=-2),
            np.concatenate([before.outputs, after.outputs], axis=-2),
            before.dt,
        )

    def respond(self, inputs: Any, seed: int = 0, batch: int = 64) -> np.ndarray:
        """As `Network.respond`, the state moved on its way."""
        given = np.asarray(getattr(inputs, "inputs", inputs))
        if given.ndim == 2:
            return self.simulate(given, seed).outputs
        parts = [given[first : first + batch] for first in range(0, len(given), batch)]
        return np.concatenate(
            [self.simulate(part, seed + i).outputs for i, part in enumerate(parts)]
        )


@takes(network=instance_of(Network), at=whole(1))
def pushed(network: Network, move: Any, at: int) -> PushedNetwork:
    """The network whose state is moved at one time of each trial, and which goes on from there.

    Parameters
    ----------
    network : Network
        Of whatever cell.
    move : array (state,)
        What is added to the state (a.u.), such as a distance along a direction.
    at : int
        The step after which it is added, 1 or more.

    Returns
    -------
    PushedNetwork
        To be tried as any network is; `simulate` and `respond` have the push.

    Raises
    ------
    InvalidSetting
        For a move of a wrong shape.
    """
    own = as_array("move", move)
    if own.shape != (network.state_size,):
        raise InvalidSetting(f"move has shape {own.shape}; it must be ({network.state_size},)")
    return PushedNetwork(network.model, network.weights, own.astype(np.float32), at)
