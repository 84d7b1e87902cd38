"""The machine that a task asks a network to be."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from attractory._stored import stored


@stored
@dataclass(frozen=True)
class Machine:
    """A Moore machine: states with their outputs, inputs, and which state follows.

    One block is an input's pulse followed by `rest` steps of silence; at its end the outputs should
    be those of the new state.

    Attributes
    ----------
    states : tuple of str
        A name for each state.
    outputs : array (state, output)
        What each state asks for.
    inputs : tuple of str
        A name for each input.
    pulses : array (input, time, channel)
        What is shown.
    transitions : array of int (state, input)
        Index of the state that follows.
    silent : int
        Index of the input that shows nothing.
    start : int or None
        Index of the state that a network begins in (its state 0); None when the task asks for
        nothing before the first pulse.
    rest : int
        Steps of silence in a block.
    hold : int
        The longest silence that the task itself has (steps).
    noise : float
        Standard deviation of the noise on the inputs at each step.
    """

    states: tuple[str, ...]
    outputs: np.ndarray
    inputs: tuple[str, ...]
    pulses: np.ndarray
    transitions: np.ndarray
    silent: int
    start: int | None
    rest: int
    hold: int
    noise: float

    @property
    def memories(self) -> np.ndarray:
        """Which states are memories: every output has been set (state,), none asks for 0."""
        return (self.outputs != 0).all(axis=1)

    def decoded(self, outputs: np.ndarray) -> np.ndarray:
        """The states that outputs mean.

        Each channel is read as the nearest of the levels that it has in any state. An output half
        way between two levels, or one that is not finite, means none.

        Parameters
        ----------
        outputs : array (…, output)
            Outputs of a network.

        Returns
        -------
        array of int (…,)
            The index of the state; -1 for a combination that is none.
        """
        read = np.stack(
            [_nearest(outputs[..., i], levels) for i, levels in enumerate(self._levels())], axis=-1
        )
        match = (read[..., None, :] == self.outputs).all(axis=-1)
        return np.where(match.any(axis=-1), match.argmax(axis=-1), -1)

    def margins(self, outputs: np.ndarray, states: np.ndarray) -> np.ndarray:
        """How clearly outputs mean the given states.

        Parameters
        ----------
        outputs : array (…, output)
            Outputs of a network.
        states : array of int (…,)
            The indices of the states.

        Returns
        -------
        array (…,)
            The smallest over channels of half the difference between the distances to the nearest
            other level and to the level asked for; below 0 the outputs do not mean the state.
        """
        worst = np.full(outputs.shape[:-1], np.inf)
        for i, levels in enumerate(self._levels()):
            asked = self.outputs[states, i]
            away = np.abs(outputs[..., i, None] - levels)
            away[levels == asked[..., None]] = np.inf
            own = np.abs(outputs[..., i] - asked)
            worst = np.minimum(worst, (away.min(axis=-1) - own) / 2)
        return worst

    def _levels(self) -> list[np.ndarray]:
        """The levels of each channel, in order."""
        return [np.unique(column) for column in self.outputs.T]


def _nearest(values: np.ndarray, levels: np.ndarray) -> np.ndarray:
    """The one level that is nearest to each value; NaN where there is no such one."""
    away = np.abs(values[..., None] - levels)
    nearest = away.min(axis=-1, keepdims=True)
    single = (away == nearest).sum(axis=-1) == 1
    return np.where(single, levels[away.argmin(axis=-1)], np.nan)
