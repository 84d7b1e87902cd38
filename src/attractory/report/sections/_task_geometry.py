"""What the states carry of the task, and which moments of the evidence move the choice."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attractory import figures
from attractory.report._geometry import CONTEXT, Codes, Geometry, axes_table, codes_tables
from attractory.report._section import Content, Drawing, Section, section

if TYPE_CHECKING:
    from attractory.report._study import Study

TITLES = {
    "demixed_pca": "Demixed components of network 0",
    "coding_axes": "Decoding from network 0 in each epoch",
    "dissimilarities": "Dissimilarities in network 0",
}


@section
class TaskGeometry(Section):
    """Averages, axes of task variables, selectivity, demixed components, decoding, kernels."""

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
            made["text"] += _said(found.networks[0].codes)
            tables = codes_tables(found.networks[0].codes)
            made["folded"] += [(TITLES[name], each) for name, each in tables.items()]
        if found.kernels is not None:
            made["folded"].append(("Psychophysical kernels", found.kernels.table()))
        return made


def _said(codes: Codes | None) -> list[str]:
    """What is known of how network 0 codes its variables, in words."""
    results = () if codes is None else (codes.demixed, codes.coding, codes.apart)
    return [f"Network 0: {found.statement}" for found in results if found is not None]


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
    return made | _of_codes(first.codes)


def _of_codes(codes: Codes | None) -> dict[str, Drawing]:
    """The figures of how network 0 codes its variables."""
    made = {}
    demixed, coding, apart = (
        (None, None, None) if codes is None else (codes.demixed, codes.coding, codes.apart)
    )
    if demixed is not None:
        made["demixed_pca"] = Drawing(
            "Demixed principal components of network 0: averages of the conditions along their "
            "decoders, what each component explains, and angles between them.",
            lambda: figures.demixed_pca(demixed),
        )
    if coding is not None:
        made["coding_axes"] = Drawing(
            "How well the variables are decoded from network 0 in each epoch, in other trials and "
            "in other epochs, and angles between the subspaces that code them.",
            lambda: figures.coding_axes(coding),
        )
    if apart is not None:
        made["dissimilarities"] = Drawing(
            "How far apart the mean states of conditions are in each epoch of network 0, and which "
            "variable that follows.",
            lambda: figures.dissimilarities(apart),
        )
    return made
