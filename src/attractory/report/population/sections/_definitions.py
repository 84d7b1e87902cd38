"""What the measures are, and where they come from."""

from __future__ import annotations

from attractory.report._section import OF_A_POPULATION, Content, Section, section
from attractory.report.population._study import PopulationStudy, definitions


@section
class Definitions(Section):
    """Unit, meaning and source of every measure."""

    title = "Definitions"
    page = OF_A_POPULATION
    order = 90

    def content(self, study: PopulationStudy) -> Content:
        trials = study.measures.trials
        text = f"Measures in trials are of {trials} trials, the same for all networks."
        table = definitions(study)
        table["source"] = table["source"].str.replace("`", "")  # marks of code in docstrings
        return {"text": [text] if trials else [], "table": table}
