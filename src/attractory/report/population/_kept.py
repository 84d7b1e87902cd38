"""Results of many networks, kept with the first of their runs and found again there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

from attractory.population._members import Member
from attractory.runs._results import weights_checksum

Made = TypeVar("Made")
PACKAGE = __name__.partition(".")[0]


def kept_together(
    members: Sequence[Member],
    name: str,
    settings: dict[str, Any],
    functions: Iterable[Callable[..., Any]],
    compute: Callable[[], Made],
) -> Made:
    """The result of all networks with these settings that their first run keeps; else computed.

    functions: by which it is computed. What a user's function does can change under its name: what
    is computed by one is not kept.
    """
    runs = [member.run for member in members if member.run is not None]
    own = [each for each in functions if each.__module__.partition(".")[0] != PACKAGE]
    if not runs or own:
        return compute()
    asked = {
        **settings,
        "networks": [member.name for member in members],
        "weights": [weights_checksum(member.network) for member in members],
    }
    made: Made = runs[0].results.of(name, asked, compute, None)
    return made
