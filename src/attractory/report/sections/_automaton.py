"""The networks as the machine of their task."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attractory import analysis, figures
from attractory.report._section import Content, Drawing, Section, section
from attractory.report._tables import columns, of_all_networks

if TYPE_CHECKING:
    from attractory.report._study import Study

TABLES = {
    "states": "How long each state holds",
    "failing": "Transitions that fail (T0, or in a sample of T1)",
}


@section
class Automaton(Section):
    """What each input makes of each state, by level of evidence."""

    title = "Automaton"
    order = 80
    template = "automaton.html"

    def figures(self, study: Study) -> dict[str, Drawing]:
        machines = _machines(study)
        if not machines:
            return {}
        caption = (
            "Network 0 as a machine: what each input makes of each state, by the margin of the "
            "read-out at the end of the block, and how long each state holds in silence."
        )
        return {"automaton": Drawing(caption, lambda: figures.automaton(machines[0]))}

    def content(self, study: Study) -> Content | None:
        machines = _machines(study)
        if not machines:
            return None
        tables = [
            {"states": each.states(), "failing": each.failing.drop(columns="correct")}
            for each in machines
        ]
        return {
            "table": columns(study.network_table(), "automaton"),
            "said": [each.statement for each in machines],
            "folded": of_all_networks(TABLES, tables),
        }


def _machines(study: Study) -> list[analysis.Automaton]:
    found = [each.automaton for each in study.dynamics or ()]
    return [machine for machine in found if machine is not None]
