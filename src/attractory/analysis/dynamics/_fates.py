"""What becomes of each fixed point as weights change: from the curves that were followed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from attractory._result import Result

GOES_ON = "goes on"
BORN_AT_FOLD, LOST_AT_FOLD = "born at a fold", "lost at a fold"
BORN_AT_PITCHFORK, LOST_AT_PITCHFORK = "born at a pitchfork", "lost at a pitchfork"
UNEXPLAINED = "unexplained"
MEETS = "its curve and another one end in the same point"
UNLISTED = -1  # instead of a point's index: it is proved, and the search did not find it


class Node(NamedTuple):
    """A fixed point of one of the two networks. side: 0 before, 1 after."""

    side: int
    point: int


@dataclass(frozen=True, eq=False)
class Way:
    """A curve of fixed points from one node to another.

    end: None where `why` says that it leads nowhere. shares (place,), states (place, unit): along
    it, of the rate form. folds: the places where the share turns back. mirrored: its ends are h and
    -h. proved: both ends are, with their degrees.
    """

    start: Node
    end: Node | None
    shares: np.ndarray
    states: np.ndarray
    folds: np.ndarray
    mirrored: bool = False
    proved: bool = False
    why: str = ""


@dataclass(frozen=True, repr=False)
class Fate(Result):
    """What becomes of one fixed point, or of the two of a pair, between two networks.

    Attributes
    ----------
    kind : str
        "goes on", "born at a fold", "lost at a fold", "born at a pitchfork", "lost at a pitchfork"
        (two points each) or "unexplained".
    before, after : tuple of int
        The points' indices in the lists before and after: one in each that goes on; two after that
        are born; two before that are lost. -1 is a point that is proved to be there and that the
        search did not find.
    share : float
        Where between the two networks it happens, from 0 to 1; NaN where nothing does.
    proved : bool
        The points at both ends are certified, and so are the signs of their degrees.
    why : str
        Of an unexplained one the reason; else "".
    shares : array (place,)
        Along the curve that was followed; a turn at each of `folds`.
    outputs : array (place, output)
        The readout there.
    folds : array of int (fold,)
        Indices of the places where the curve turns back.
    ends : array (2, unit)
        The states at its two ends.
    """

    kind: str
    before: tuple[int, ...]
    after: tuple[int, ...]
    share: float
    proved: bool
    why: str
    shares: np.ndarray
    outputs: np.ndarray
    folds: np.ndarray
    ends: np.ndarray

    def row(self) -> dict[str, Any]:
        """The fate as a row of a table.

        Returns
        -------
        dict
            With kind, before, after, share, proved and why.
        """
        return {
            "kind": self.kind,
            "before": " ".join(map(str, self.before)),
            "after": " ".join(map(str, self.after)),
            "share": self.share,
            "proved": self.proved,
            "why": self.why,
        }


def kind_of(way: Way) -> str:
    """The kind of fate that a way is."""
    if way.end is None:
        return UNEXPLAINED
    if way.start.side != way.end.side:
        return GOES_ON
    if way.start.side == 0:
        return LOST_AT_PITCHFORK if way.mirrored else LOST_AT_FOLD
    return BORN_AT_PITCHFORK if way.mirrored else BORN_AT_FOLD


def without_contradictions(ways: Mapping[Node, Way]) -> dict[Node, Way]:
    """The same ways; those that share an end with another curve are said to explain nothing.

    Curves of fixed points do not meet but where the map is singular: each has two ends, and is
    found from both. A point at which two different curves end was followed wrongly at least once.
    """
    curves: dict[Node, set[frozenset[Node]]] = defaultdict(set)
    good = {start: frozenset((start, way.end)) for start, way in ways.items() if way.end}
    for curve in good.values():
        for node in curve:
            if node.point != UNLISTED:
                curves[node].add(curve)
    found = dict(ways)
    for start, curve in good.items():
        if any(len(curves[node]) > 1 for node in curve):
            found[start] = replace(ways[start], end=None, why=MEETS)
    return found


def leading(ways: Mapping[Node, Way]) -> list[Way]:
    """One way for each fate: of two along one curve the first, and none that leads nowhere where
    another one explains its point."""
    done: set[Node] = set()
    found = []
    good = [way for way in ways.values() if way.end is not None]
    bad = [way for way in ways.values() if way.end is None]
    for way in [*good, *bad]:
        if way.start not in done:
            found.append(way)
            done |= {way.start} if way.end is None else {way.start, way.end}
    return found
