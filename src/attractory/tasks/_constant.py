"""What constant inputs tell how a network does its task, and which change of them is evidence."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class ConstantInput(NamedTuple):
    """A constant input under which the slow states of a network tell how it does its task.

    Parameters
    ----------
    name : str
        What the network is told by it ("context 1").
    inputs : array (input,)
        The input.
    relevant : str
        Which of the task's evidence counts then, one of the names of `Task.evidence_directions`;
        empty where the task does not tell its evidence apart.
    """

    name: str
    inputs: np.ndarray
    relevant: str = ""


class InputFacts:
    """What a task says of its inputs to who looks for the dynamics behind it."""

    def constant_inputs(self) -> tuple[ConstantInput, ...]:
        """The constant inputs under which slow states are worth looking for.

        A task's author defines it to have them on the page.

        Returns
        -------
        tuple of ConstantInput
            None by default.
        """
        return ()

    def evidence_directions(self) -> dict[str, np.ndarray]:
        """What each kind of evidence changes in the inputs.

        Returns
        -------
        dict of str to array (input,)
            The change that full evidence for the first option makes, by the name of the evidence;
            none by default.
        """
        return {}
