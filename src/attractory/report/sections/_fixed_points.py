"""The fixed points of the networks, and how they hang together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attractory import figures
from attractory.analysis import Connections
from attractory.report._dynamics import Dynamics
from attractory.report._section import Content, Drawing, Section, section
from attractory.report._tables import columns, of_all_networks
from attractory.report._turning import in_three_dimensions, turned

if TYPE_CHECKING:
    from attractory.report._study import Study

TABLES = {
    "fixed_points": "Every fixed point",
    "connections": "What each saddle leads to",
    "oscillations": "Attractors that move",
    "slow_points": "Slow points (minima of the speed that are no zeros)",
    "driven_points": "Fixed points under input",
    "folds": "Where states vanish under growing input",
    "modes": "Slowest modes of the stable points, and what each takes in from the inputs",
    "disturbances": "Smallest disturbances found that leave a stable point",
}
BRANCHES = 2  # continuations that are drawn; all are in the table


@section
class FixedPoints(Section):
    """Per network: the numbers, in words what is known of the list, and all of it in tables."""

    title = "Fixed points"
    order = 70
    template = "fixed_points.html"

    def figures(self, study: Study) -> dict[str, Drawing]:
        if study.dynamics is None:
            return {}
        first = study.dynamics[0]
        made = _of_points(study, first)
        if first.continuations:
            made["continuation"] = Drawing(
                "Read-out of the stable points of network 0 as a constant input grows: solid until "
                "the fold, where the point meets another one and vanishes; dashed: past it; bar: "
                "where it could not be followed further.",
                lambda: figures.continuation(first.continuations[:BRANCHES]),
            )
        return made

    def content(self, study: Study) -> Content | None:
        if study.dynamics is None:
            return None
        return {
            "table": columns(study.network_table(), "points"),
            "said": [each.points.statement for each in study.dynamics],
            "turning": _turning(study, study.dynamics),
            "folded": of_all_networks(TABLES, [each.tables() for each in study.dynamics]),
        }


def _of_points(study: Study, first: Dynamics) -> dict[str, Drawing]:
    """Of network 0, where its connections are known."""
    points, joined = first.points, first.connections
    if joined is None:
        return {}
    made: dict[str, Drawing] = {}
    if in_three_dimensions(study):
        trials = "the test walk" if study.task.memory_bits else "the trials above"
        made["fixed_points"] = Drawing(
            f"Fixed points of network 0 in the state space of {trials}, by their number of "
            "unstable dimensions, with unstable directions and ways from saddles to attractors.",
            lambda: figures.fixed_points(points, study.spaces[0], joined),
        )
    made["connections"] = Drawing(
        f"Which attractors of network 0 are joined by a saddle{_of_saddles(joined)}.",
        lambda: figures.connections(joined),
    )
    made["jacobian_spectra"] = Drawing(
        "Eigenvalues of the Jacobian at the fixed points of network 0, by the number of unstable "
        "dimensions, with the unit circle.",
        lambda: figures.jacobian_spectra(points),
    )
    return made


def _of_saddles(joined: Connections) -> str:
    """What kind of saddles it is that join attractors: the ends of the way through each."""
    kinds = sorted({int(k) for k in joined.points.n_unstable[joined.edges[:, 0]]})
    if not kinds:
        return ""
    many = "s" if kinds != [1] else ""
    said = f" with {' or '.join(map(str, kinds))} unstable dimension{many}"
    # the way is along a real eigenvalue; what else is unstable turns around it
    return said + (", one of them along the way and the others turning around it" if many else "")


def _turning(study: Study, found: list[Dynamics]) -> tuple[Content, ...]:
    joints = [each.connections for each in found if each.connections is not None]
    if len(joints) < len(found) or not in_three_dimensions(study):
        return ()
    drawing = figures.fixed_points_3d([each.points for each in found], study.spaces, joints)
    return (turned(drawing, "turn-points", "The fixed points to turn, zoom and read."),)
