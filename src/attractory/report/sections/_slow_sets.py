"""The slow sets of the networks, and what moves them along these."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from attractory import analysis, figures
from attractory.report._geometry import GeometryStudy
from attractory.report._section import Content, Drawing, Section, section
from attractory.report._slow import (
    SlowStates,
    main_table,
    selection_table,
    sets_table,
    wider_table,
)
from attractory.report._turning import in_three_dimensions

if TYPE_CHECKING:
    from attractory.report._study import Study


@section
class SlowSets(Section):
    """Under each constant input of the task: the slow sets, and which evidence they keep."""

    title = "Slow sets and selection"
    order = 75
    template = "slow_sets.html"

    def figures(self, study: Study) -> dict[str, Drawing]:
        if study.slow is None or not study.slow.networks:
            return {}
        made: dict[str, Drawing] = {}
        first = study.slow.networks[0]
        sets = {each.input.name: each.sets for each in first if each.sets.sets}
        if sets and in_three_dimensions(study):
            points = {each.input.name: each.points for each in first if each.points is not None}
            also = " and fixed points" if points else ""
            made["slow_sets"] = Drawing(
                f"Slow states{also} of network 0 under each constant input, in the state space of "
                "the trials above.",
                lambda: figures.fixed_points(None, study.spaces[0], sets=sets, driven=points),
            )
        vectors = {each.input.name: each.selection for each in first if each.selection is not None}
        if vectors:
            made["selection_vectors"] = Drawing(
                "What moves network 0 along its slow sets. Left: the line's direction and the "
                "selection vector; arrows: how a change of the input moves the state, to one "
                "scale a panel. Right: how far along the line such a change reaches at first, and "
                "how much of that stays after all else has decayed.",
                lambda: figures.selection_vectors(vectors, study.spaces[0]),
            )
        angles = _angles(first, study.geometry)
        if angles:
            made["selection_angles"] = Drawing(
                "How the lines of network 0 (A) and its selection vectors (B) lie to the axes of "
                "the task's variables: a line beside the directions along which states carry "
                "them, a selection vector beside those that read them.",
                lambda: figures.selection_angles(angles),
            )
        return made

    def content(self, study: Study) -> Content | None:
        if study.slow is None:
            return None
        found = study.slow.networks
        if not found:
            return {"text": [study.slow.left_out], "said": []}
        first = found[0]
        folded = [
            ("Every slow set", sets_table(found)),
            ("What each change of the input does", selection_table(found)),
            ("How far network 0's sets reach, by what counts as slow", wider_table(first)),
        ]
        angles = _angles(first, study.geometry)
        if angles:
            tables = [each.table() for each in angles.values()]
            folded.append(("Network 0: angles with axes of task variables", pd.concat(tables)))
        return {
            "text": [study.slow.left_out] if study.slow.left_out else [],
            "table": main_table(found),
            "said": [(each.input.name, _said(each)) for each in first],
            "folded": [(title, frame) for title, frame in folded if len(frame)],
        }


def _angles(
    first: list[SlowStates], geometry: GeometryStudy | None
) -> dict[str, analysis.SelectionAngles]:
    """Of network 0 with the axes of its task's variables, by input; none where either is not."""
    if geometry is None or not geometry.networks:
        return {}
    axes = geometry.networks[0].axes
    found = {
        each.input.name: analysis.selection_angles(each.selection, axes)
        for each in first
        if each.selection is not None
    }
    return {name: each for name, each in found.items() if each.known.any()}


def _said(each: SlowStates) -> str:
    selection = each.selection
    if selection is None:
        return each.sets.statement
    # the input's name stands before it already
    told = selection.statement.removeprefix(f"{selection.name}: ")
    return f"{each.sets.statement} {told[:1].upper()}{told[1:]}"
