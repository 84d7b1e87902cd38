"""Where in its inputs a task shows evidence for a choice."""

from __future__ import annotations

from typing import NamedTuple

from attractory._errors import without_tuple_names


@without_tuple_names
class EvidenceStream(NamedTuple):
    """Noisy evidence for a choice, step by step: an input, or the difference of two.

    Parameters
    ----------
    condition : str
        The condition of the trials that says how strong the evidence is; it names the stream.
    epoch : str or None
        The epoch in which it is shown; None: the whole trial.
    plus : str
        The name of the input that speaks for the first option.
    minus : str, optional
        That of the input that speaks against it, and is taken off; None where there is none.
    """

    condition: str
    epoch: str | None
    plus: str
    minus: str | None = None
