"""Results about many networks, or many steps, kept with a run of theirs and found again there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

from attractory.population._members import Member
from attractory.runs import Run
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

    functions: by which it is computed, as `kept_with` has them.
    """
    asked = {
        **settings,
        "networks": [member.name for member in members],
        "weights": [weights_checksum(member.network) for member in members],
    }
    runs = [member.run for member in members if member.run is not None]
    return kept_with(runs[0] if runs else None, name, asked, functions, compute)


def kept_with(
    run: Run | None,
    name: str,
    settings: dict[str, Any],
    functions: Iterable[Callable[..., Any]],
    compute: Callable[[], Made],
) -> Made:
    """The result with these settings that a run keeps, or a new one; without a run a new one.

    functions: by which it is computed. What a user's function does can change under its name: what
    is computed by one is not kept.
    """
    own = [each for each in functions if each.__module__.partition(".")[0] != PACKAGE]
    if run is None or own:
        return compute()
    made: Made = run.results.of(name, settings, compute, None)
    return made
