"""What the states carry of the task, and which moments of the evidence move the choice."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attractory import figures
from attractory.report._geometry import CONTEXT, Geometry, axes_table
from attractory.report._section import Content, Drawing, Section, section

if TYPE_CHECKING:
    from attractory.report._study import Study


@section
class TaskGeometry(Section):
    """Averages by condition, axes of the task's variables, selectivity, psychophysical kernels."""

    title = "Task geometry"
    order = 65

    def figures(self, study: Study) -> dict[str, Drawing]:
        found = study.geometry
        if found is None:
            return {}
        made = _of_network(found.networks[0]) if found.networks else {}
        kernels = found.kernels
        if kernels is not None:
            made["psychophysical_kernel"] = Drawing(
                "Which moments of the evidence move the choice: its noise in trials in which the "
                "first option was chosen, minus that in the others, among trials of equal "
                "evidence; bands: ± standard error. These are the trials of the scores; "
                "at.evaluation.psychophysical_kernel(run, n=4096) takes more.",
                lambda: figures.psychophysical_kernel(kernels),
            )
        return made

    def content(self, study: Study) -> Content | None:
        found = study.geometry
        if found is None:
            return None
        said = [
            f"Network {net}: {each.axes.statement} {each.selectivity.statement}"
            for net, each in enumerate(found.networks)
        ]
        made: Content = {"text": [*said, *filter(None, [found.left_out])], "folded": []}
        if found.networks:
            table = axes_table(found.networks)
            angles = [name for name in table if str(name).startswith("angle to ")]
            made["table"] = table.drop(columns=angles)
            of_axes = ("Angles between the axes (degrees)", table[["net", "variable", *angles]])
            made["folded"].append(of_axes)
        if found.kernels is not None:
            made["folded"].append(("Psychophysical kernels", found.kernels.table()))
        return made


def _of_network(first: Geometry) -> dict[str, Drawing]:
    """The figures of network 0."""
    averages = first.averages[0]
    made = {
        "condition_averages": Drawing(
            f"The units of network 0 whose averages differ most by {' and '.join(averages.by)}; "
            "bands: ± standard error.",
            lambda: figures.condition_averages(averages),
        )
    }
    columns = CONTEXT if CONTEXT in averages.by else None
    if len(first.axes.variables) > 1:
        made["task_axes"] = Drawing(
            "Averages of network 0 along the axes of the task's variables (targeted "
            "dimensionality reduction); a line is a condition, from the circle on, a dot a step.",
            lambda: figures.task_axes(first.axes, first.averages, columns=columns),
        )
    made["selectivity"] = Drawing(
        "What each unit of network 0 follows (A), and how much of its variance that explains (B).",
        lambda: figures.selectivity(first.selectivity),
    )
    return made
