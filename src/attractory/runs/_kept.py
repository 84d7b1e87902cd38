"""Analyses of one network that keep what they compute, and take runs."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, ParamSpec, TypeVar

from attractory._arguments import a_flag, bound, kinds_of, meant
from attractory._progress import NetworksProgress
from attractory.models import Network
from attractory.runs._results import remember, weights_checksum
from attractory.runs._run import Run

Given = ParamSpec("Given")
Made = TypeVar("Made")


def kept(function: Callable[Given, Made]) -> Callable[Given, Made]:
    """Keep what an analysis of one network computes; a decorator.

    Parameters
    ----------
    function : callable
        The analysis. It takes a network first.

    Returns
    -------
    callable
        The same analysis. Given a run instead, or several networks, it makes a list of one result a
        network (of a run of one network the result itself), and shows how far it is, on standard
        error, unless `progress=False`.

    Notes
    -----
    Results of a run are kept in its folder, and what was kept is not computed again. What is
    computed on a network is remembered by this process, and found for a run of it.
    """

    @functools.wraps(function)
    def analysis(*args: Any, **given: Any) -> Any:
        shown = a_flag("progress", given.pop("progress", True))
        system, settings = _bound(function, args, given)
        if isinstance(system, Run):

            def found(net: int) -> Any:
                return of_network(system, net, analysis, **settings)

            made = _one_by_one(function.__name__, found, len(system.networks), shown)
            return made[0] if len(made) == 1 else made
        if isinstance(system, Sequence) and not isinstance(system, str):
            return _one_by_one(
                function.__name__, lambda net: analysis(system[net], **settings), len(system), shown
            )
        result = function(system, **settings)
        if isinstance(system, Network):
            remember(weights_checksum(system), function.__name__, settings, result)
        return result

    return analysis


def of_network(run: Run, net: int, analysis: Callable[..., Made], **settings: Any) -> Made:
    """A `kept` analysis of one network of a run: what was kept, or computed and kept now.

    Parameters
    ----------
    run : Run
        The run.
    net : int
        Index of the network.
    analysis : callable
        One that was decorated with `kept`.
    **settings : object
        Its settings, by name.

    Returns
    -------
    object
        The analysis's result.
    """
    function = analysis.__wrapped__  # type: ignore[attr-defined]
    network = run.networks[net]
    _, whole = _bound(function, (network,), settings)
    made: Made = run.results.of(function.__name__, whole, lambda: function(network, **whole), net)
    return made


def _bound(
    function: Callable[..., Any], args: tuple[Any, ...], given: dict[str, Any]
) -> tuple[Any, dict[str, Any]]:
    """The first argument as it is; the others as they are meant, by name, usual values too."""
    arguments = bound(function, args, given)
    arguments.apply_defaults()
    (first, system), *others = arguments.arguments.items()
    settings = dict(others)
    meant({name: kind for name, kind in kinds_of(function).items() if name != first}, settings)
    return system, settings


def _one_by_one(name: str, found: Callable[[int], Any], count: int, shown: bool) -> list[Any]:
    """What is found of each network; of several it is shown how far that is."""
    with NetworksProgress(count, shown and count > 1) as progress:
        made = []
        for net in progress.networks():
            progress.say(name.replace("_", " "))
            made.append(found(net))
        return made
