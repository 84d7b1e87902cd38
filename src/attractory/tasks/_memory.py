"""Memory states: which of -1, 0, +1 each output channel is asked to hold."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np


def memory_states(targets: np.ndarray) -> np.ndarray:
    """The memory state at each time as one integer.

    The signs of the channels are read as digits 0, 1, 2 (for -, 0, +) in base 3; channel 0 is the
    most significant.

    Parameters
    ----------
    targets : array (…, time, output)
        Targets, or outputs near to them.

    Returns
    -------
    array of int (…, time)
        The states.
    """
    digits = np.sign(np.round(targets, 3)).astype(int) + 1
    return digits @ 3 ** np.arange(digits.shape[-1])[::-1]


def state_names(states: Iterable[int], n_outputs: int) -> list[str]:
    """States of `memory_states` as signs, channel 0 first: '+-+', '0-+'.

    Parameters
    ----------
    states : iterable of int
        The states.
    n_outputs : int
        Number of channels.

    Returns
    -------
    list of str
        A name for each state.
    """
    powers = [3**i for i in reversed(range(n_outputs))]
    return ["".join("-0+"[int(state) // power % 3] for power in powers) for state in states]
