"""The slow sets of the networks, and what moves them along these."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attractory import figures
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
        return {
            "text": [study.slow.left_out] if study.slow.left_out else [],
            "table": main_table(found),
            "said": [(each.input.name, _said(each)) for each in first],
            "folded": [(title, frame) for title, frame in folded if len(frame)],
        }


def _said(each: SlowStates) -> str:
    selection = each.selection
    if selection is None:
        return each.sets.statement
    # the input's name stands before it already
    told = selection.statement.removeprefix(f"{selection.name}: ")
    return f"{each.sets.statement} {told[:1].upper()}{told[1:]}"
