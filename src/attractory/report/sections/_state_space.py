"""Where the states of the networks are, and whether the memories make a cube there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from attractory import figures
from attractory.report._cubes import cube_row
from attractory.report._section import Content, Drawing, Section, section
from attractory.report._turning import in_three_dimensions, turned

if TYPE_CHECKING:
    from attractory.report._study import Study

OF_A_MEMORY = (
    "The test walk through all memory states: what network 0 is given, asked and says, and its "
    "states in the three leading dimensions.",
    "The same walk seen in the state space of each network.",
)
OF_ANY_TASK = (
    "The first of the trials in which states are shown: what network 0 is given, asked and says; "
    "and its states in all of them, in the three leading dimensions.",
    "The same trials seen in the state space of each network.",
)


@section
class StateSpace(Section):
    """The states in the leading dimensions; of a memory also the cube."""

    title = "State space"
    order = 60
    template = "state_space.html"

    def figures(self, study: Study) -> dict[str, Drawing]:
        trajectory, probe = study.trajectory, study.probe
        if trajectory is None or probe is None or not in_three_dimensions(study):
            return {}
        cube = study.cubes[0] if study.cubes else None
        first, all_networks = OF_A_MEMORY if study.task.memory_bits else OF_ANY_TASK
        return {
            "state_space": Drawing(
                first,
                lambda: figures.state_space(study.spaces[0], trajectory, probe, cube),
            ),
            "state_spaces": Drawing(
                all_networks, lambda: figures.state_spaces(study.spaces, study.cubes)
            ),
        }

    def content(self, study: Study) -> Content | None:
        if not study.spaces:
            return None
        return {
            "turning": _turning(study),
            "table": _components(study),
            "cube": study.cubes is not None,
            "folded": _neighbours(study),
        }


def _turning(study: Study) -> tuple[Content, ...]:
    if not in_three_dimensions(study):
        return ()
    drawing = figures.state_space_3d(study.spaces, study.cubes)
    caption = "The state space to turn (drag), zoom (wheel) and read (hover)."
    return (turned(drawing, "turn", caption),)


def _components(study: Study) -> pd.DataFrame:
    """A row a network: how much its leading components hold, and the numbers of its cube."""
    rows = []
    for net, spaces in enumerate(zip(study.spaces, study.principal_spaces, strict=True)):
        row: dict[str, Any] = {"net": net}
        for space in spaces:
            for i, share in enumerate(space.explained_variance, start=1):
                row[f"{space.method.upper()} {i}"] = f"{100 * share:.1f} %"
        if study.cubes is not None:
            row |= cube_row(study.cubes[net])
        rows.append(row)
    if study.untrained_cube is not None:
        nothing = dict.fromkeys(rows[0], "–")
        rows.append({**nothing, "net": "untrained", **cube_row(study.untrained_cube)})
    return pd.DataFrame(rows)


def _neighbours(study: Study) -> list[tuple[str, pd.DataFrame]]:
    """Which memories are next to which, in each network."""
    if study.cubes is None:
        return []
    pairs = []
    for net, cube in enumerate(study.cubes):
        named = [f"{cube.names[a]} / {cube.names[b]}" for a, b in cube.neighbours]
        pairs.append({"net": net, "neighbours": ", ".join(named)})
    return [("Neighbours among the memories", pd.DataFrame(pairs))]
