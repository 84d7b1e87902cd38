"""Fixed points followed as the weights of one network turn into those of another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from attractory._arguments import instance_of, takes
from attractory._cores import one_blas_thread, spread
from attractory._result import Result
from attractory.analysis._given import POINTS
from attractory.analysis.dynamics._curve import LOST, MAXIMUM, Curve, FollowedCurve
from attractory.analysis.dynamics._fates import (
    BORN_AT_FOLD,
    BORN_AT_PITCHFORK,
    GOES_ON,
    LOST_AT_FOLD,
    LOST_AT_PITCHFORK,
    UNEXPLAINED,
    UNLISTED,
    Fate,
    Node,
    Way,
    kind_of,
    leading,
    without_contradictions,
)
from attractory.analysis.dynamics._fixed_points import FixedPoints
from attractory.analysis.dynamics._point import Point, proved_point, same
from attractory.analysis.dynamics._weights_between import WeightsBetween, as_rates

ROUGHLY = 0.02  # so near (in shares) to a pitchfork must a curve turn that goes through it


@dataclass(frozen=True, repr=False)
class WeightContinuation(Result):
    """What becomes of the fixed points of one network as its weights turn into those of another.

    Attributes
    ----------
    before, after : FixedPoints
        The fixed points of the two networks.
    fates : list of Fate
        What becomes of each of them; each point is in one fate.
    """

    before: FixedPoints
    after: FixedPoints
    fates: list[Fate]

    def count(self, kind: str) -> int:
        """How many fates there are of a kind.

        Parameters
        ----------
        kind : str
            As `Fate.kind` has it.

        Returns
        -------
        int
            Their number: of those born and lost that of the pairs.
        """
        return sum(fate.kind == kind for fate in self.fates)

    def summary(self) -> dict[str, Any]:
        """The numbers of points and of fates.

        Returns
        -------
        dict
            Points before and after (in the lists), goes_on, pairs born and lost at folds and at
            pitchforks, unexplained_before and unexplained_after (points), unlisted_before and
            unlisted_after (points that were met and that are not in the lists), not_proved (fates
            other than unexplained ones that have an end without a proof). after = before + 2 born -
            2 lost, but for the points unexplained and unlisted.
        """
        failed = [fate for fate in self.fates if fate.kind == UNEXPLAINED]
        told = [fate for fate in self.fates if fate.kind != UNEXPLAINED]
        return {
            "before": len(self.before),
            "after": len(self.after),
            "goes_on": self.count(GOES_ON),
            "born_at_folds": self.count(BORN_AT_FOLD),
            "born_at_pitchforks": self.count(BORN_AT_PITCHFORK),
            "lost_at_folds": self.count(LOST_AT_FOLD),
            "lost_at_pitchforks": self.count(LOST_AT_PITCHFORK),
            "unexplained_before": sum(len(fate.before) for fate in failed),
            "unexplained_after": sum(len(fate.after) for fate in failed),
            "unlisted_before": sum(fate.before.count(UNLISTED) for fate in told),
            "unlisted_after": sum(fate.after.count(UNLISTED) for fate in told),
            "not_proved": sum(not fate.proved for fate in told),
        }

    @property
    def statement(self) -> str:
        """What goes on, what is born and lost, and what is not explained, in words."""
        said = self.summary()
        born = said["born_at_folds"], said["born_at_pitchforks"]
        lost = said["lost_at_folds"], said["lost_at_pitchforks"]
        parts = [
            f"{said['before']} fixed points before, {said['after']} after: {said['goes_on']} go "
            f"on, {sum(born)} pairs are born ({born[0]} at folds, {born[1]} at pitchforks), "
            f"{sum(lost)} are lost ({lost[0]} at folds, {lost[1]} at pitchforks)."
        ]
        failed = said["unexplained_before"] + said["unexplained_after"]
        missed = said["unlisted_before"] + said["unlisted_after"]
        if failed:
            parts.append(f"Unexplained: {failed} points.")
        if missed:
            parts.append(f"Met on the way and not in the lists: {missed} points.")
        if said["not_proved"]:
            parts.append(f"{said['not_proved']} fates have an end that is not proved.")
        return " ".join(parts)

    def table(self) -> pd.DataFrame:
        """A row for each fate.

        Returns
        -------
        pandas.DataFrame
            With the columns kind, before, after, share, proved and why.
        """
        columns = ["kind", "before", "after", "share", "proved", "why"]
        return pd.DataFrame([fate.row() for fate in self.fates], columns=columns)


@one_blas_thread
@takes(
    before=instance_of(FixedPoints, hint=POINTS),
    after=instance_of(FixedPoints, hint=POINTS),
)
def weight_continuation(before: FixedPoints, after: FixedPoints) -> WeightContinuation:
    """What becomes of fixed points as the weights of one network turn into those of another.

    Parameters
    ----------
    before, after : FixedPoints
        Those of two networks of rates or of currents, of one size, activation and leak, under the
        same constant input.

    Returns
    -------
    WeightContinuation
        Which point goes on as which, and which are born or lost in pairs.

    Raises
    ------
    InvalidSetting
        Where the two networks are not alike.

    Notes
    -----
    The weights go along the straight line W(s) = (1 - s) W_before + s W_after, and so do those of
    inputs and readout and the biases (of low rank or with constraints: the matrices that these
    make). Each point before is followed from s = 0, each point after that none of these came to
    from s = 1, by pseudo-arclength continuation through folds [1]_. At a fold two points meet and
    vanish; where all maps on the line are odd, two points h and -h meet at a pitchfork, in the
    origin. What happens on this line need not have happened in training, which took another way
    between the two networks.

    What is at the two ends is certified (`FixedPoints.certified`), and a curve must keep its
    degree: the sign of det(I - DF), proved at both ends, is the same at the ends of a curve that
    goes on, and opposite at the two points that meet at a fold; that of the origin turns at each
    pitchfork. The way between is followed in floating point, not proved. Where it could not be
    followed, or two ways contradict one another, the points are unexplained, and `Fate.why` says
    why. Points that are born and lost again in between, joined to none at either end, are not seen.

    References
    ----------
    .. [1] Keller (1977), in Applications of Bifurcation Theory (ed. Rabinowitz), 359.
    """
    line = WeightsBetween.of(before, after)
    lists = (_Known(line.at(0.0), as_rates(before)), _Known(line.at(1.0), as_rates(after)))
    ways = _followed(line, lists, [Node(0, point) for point in range(len(before))])
    reached = {way.end for way in without_contradictions(ways).values()}
    others = [node for point in range(len(after)) if (node := Node(1, point)) not in reached]
    ways |= _followed(line, lists, others)
    found = leading(without_contradictions(ways))
    return WeightContinuation(before, after, [_fate(line, way) for way in found])


class _Known:
    """The fixed points of the network at one end, with what is proved of them."""

    def __init__(self, step: Any, states: np.ndarray) -> None:
        self.step = step
        self.points: list[Point] = spread(lambda state: proved_point(step, state), states)

    def index(self, point: Point) -> int:
        """Which of them this is; -1 where it is none."""
        return next((i for i, own in enumerate(self.points) if same(own, point)), UNLISTED)

    def mirror(self, index: int) -> int:
        """Which of them is -h."""
        return self.index(_image(self.points[index]))


def _followed(
    line: WeightsBetween, lists: tuple[_Known, _Known], nodes: Sequence[Node]
) -> dict[Node, Way]:
    """The way from each of these nodes; where all is odd that of -h is the mirror image of h's."""
    images = {}
    if line.odd:
        images = {node: Node(node.side, lists[node.side].mirror(node.point)) for node in nodes}
    own = [node for node in nodes if not (images.get(node) in nodes and images[node] < node)]

    def way(node: Node) -> Way:
        return _way(line, lists, node)

    found = dict(zip(own, spread(way, own), strict=True))
    for node in nodes:
        if node not in found:
            found[node] = _mirrored(found[images[node]], node, lists)
    return {node: found[node] for node in nodes}


def _way(line: WeightsBetween, lists: tuple[_Known, _Known], start: Node) -> Way:
    """The curve from a node, and where it ends."""
    point = lists[start.side].points[start.point]
    curve = Curve(line, point.state, float(start.side)).follow()
    if curve.end == LOST:
        share = curve.parameters[-1]
        return _failed(start, curve, f"it could not be followed beyond share {share:.6g}")
    side = int(curve.end == MAXIMUM)
    last = proved_point(lists[side].step, curve.states[-1])
    end = Node(side, lists[side].index(last))
    mirrored = line.odd and side == start.side and same(_image(last), point)
    why = _problem(line, (point, last), (start, end), mirrored)
    if mirrored and not why:
        curve = _through_pitchfork(line, curve)
        why = "" if curve.end != LOST else "it turns where the origin has no pitchfork"
    if why:
        return _failed(start, curve, why)
    certified = point.certificate.exists and last.certificate.exists
    proved = certified and _degrees(point, last) != 0
    return Way(start, end, curve.parameters, curve.states, curve.folds, mirrored, proved)


def _problem(
    line: WeightsBetween, points: tuple[Point, Point], nodes: tuple[Node, Node], mirrored: bool
) -> str:
    """Why a curve with these two ends was not followed as it should; "" where nothing speaks
    against it."""
    first, last = points
    start, end = nodes
    if end.point == UNLISTED and not last.certificate.exists:
        return "it ends in a state that is not proved to be a fixed point"
    if end == start:
        return "it comes back to where it began"
    expected = -1 if start.side == end.side and not mirrored else 1
    if line.odd and same(_image(first), first):  # the origin: its degree turns at each pitchfork
        expected = (-1) ** len(line.pitchforks)
    if _degrees(first, last) == -expected:
        return "the degrees at its ends are not those of one curve: it meets another, or was left"
    return ""


def _degrees(first: Point, last: Point) -> int:
    """Whether the degrees of two points are the same (1) or opposite (-1); 0 where one is not
    proved."""
    return first.certificate.orientation * last.certificate.orientation


def _image(point: Point) -> Point:
    """The mirror image -h."""
    return replace(point, state=-point.state)


def _through_pitchfork(line: WeightsBetween, curve: FollowedCurve) -> FollowedCurve:
    """A curve from h to -h with its turn in the origin at the exact share; "lost" where the origin
    has no pitchfork there.

    Where two curves cross, Newton's method comes to either, so that the turn is found but roughly.
    """
    sizes = np.abs(curve.states[curve.folds]).max(axis=1, initial=0.0)
    shares = line.pitchforks
    if not len(sizes) or not len(shares):
        return replace(curve, end=LOST)
    turn = curve.folds[int(sizes.argmin())]
    nearest = shares[int(np.abs(shares - curve.parameters[turn]).argmin())]
    if abs(nearest - curve.parameters[turn]) > ROUGHLY:
        return replace(curve, end=LOST)
    states, parameters = curve.states.copy(), curve.parameters.copy()
    states[turn], parameters[turn] = 0.0, nearest
    return replace(curve, states=states, parameters=parameters)


def _failed(start: Node, curve: FollowedCurve, why: str) -> Way:
    return Way(start, None, curve.parameters, curve.states, curve.folds, why=why)


def _mirrored(way: Way, start: Node, lists: tuple[_Known, _Known]) -> Way:
    """The mirror image of a way, from -h."""
    end = way.end
    if end is not None and end.point != UNLISTED:
        end = Node(end.side, lists[end.side].mirror(end.point))
    return replace(way, start=start, end=end, states=-way.states)


def _fate(line: WeightsBetween, way: Way) -> Fate:
    if way.end is not None and way.start.side > way.end.side:  # told from before to after
        way = replace(
            way,
            start=way.end,
            end=way.start,
            shares=way.shares[::-1],
            states=way.states[::-1],
            folds=len(way.shares) - 1 - way.folds[::-1],
        )
    nodes = [way.start] if way.end is None else [way.start, way.end]
    kind = kind_of(way)
    states, outputs = line.read(way.states, way.shares)
    return Fate(
        kind=kind,
        before=tuple(node.point for node in nodes if node.side == 0),
        after=tuple(node.point for node in nodes if node.side == 1),
        share=_share(kind, way),
        proved=way.proved,
        why=way.why,
        shares=way.shares,
        outputs=outputs,
        folds=way.folds,
        ends=states[[0, -1]],
    )


def _share(kind: str, way: Way) -> float:
    """Where a pair is born or lost: at the outermost turn of its curve."""
    if kind in (GOES_ON, UNEXPLAINED):
        return float("nan")
    return float(way.shares.max() if way.start.side == 0 else way.shares.min())
