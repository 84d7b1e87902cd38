"""What the recurrent weights are like."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from attractory import figures
from attractory.report._section import Content, Drawing, Section, section
from attractory.report._tables import columns

if TYPE_CHECKING:
    from attractory.report._study import Study

CONNECTIVITY = (
    "Recurrent weights of network 0{of_gate} (rows: to, columns: from), their distribution, and "
    "the eigenvalues with the unit circle."
)
SPECTRA = "Eigenvalues of the recurrent weights of each network."
SPECTRA_AT_ZERO = (
    "Eigenvalues of the Jacobian of one step at the state 0, without input, of each network: the "
    "model has no single square matrix of recurrent weights."
)


@section
class Weights(Section):
    """Connectivity, eigenvalues, and the audit of the constraints."""

    title = "Weights"
    order = 50

    def figures(self, study: Study) -> dict[str, Drawing]:
        made: dict[str, Drawing] = {}
        if study.connectivity:
            gate = study.connectivity[0].gate
            caption = CONNECTIVITY.format(of_gate=f", those of its {gate}" if gate else "")
            made["connectivity"] = Drawing(
                caption, lambda: figures.connectivity(study.connectivity[0], study.spectra[0])
            )
        of_weights = not study.spectra[0].of.startswith("Jacobian")
        made["spectra"] = Drawing(
            SPECTRA if of_weights else SPECTRA_AT_ZERO, lambda: figures.spectrum(study.spectra)
        )
        return made

    def content(self, study: Study) -> Content:
        text = list(study.omitted)
        folded: list[tuple[str, pd.DataFrame]] = []
        if study.connectivity:
            connectivity = pd.DataFrame([each.summary() for each in study.connectivity])
            connectivity.insert(0, "net", range(len(connectivity)))
            folded.append(("Connectivity statistics", connectivity))
        if study.audit is not None:
            text.append(study.audit.statement)
            folded.append(("Audit of the weights", study.audit.table()))
        spectra = columns(study.network_table(), "spectrum")
        return {"text": text, "table": spectra, "folded": folded}
