"""What the networks were asked, and what they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from matplotlib.figure import Figure

from attractory import figures
from attractory.report._section import Content, Drawing, Section, section

if TYPE_CHECKING:
    from attractory.report._study import Study

TRIALS = 3
PICTURES = {
    "flip_flop": "What one bit of the memory does: a positive pulse sets it, a negative "
    "pulse resets it, and without a pulse it stays as it is.",
}


@section
class TaskAndNetwork(Section):
    """A picture of the task where it has one, the network, and a few trials."""

    title = "Task and network"
    order = 20

    def figures(self, study: Study) -> dict[str, Drawing]:
        task, network = study.task, study.run.networks[0]
        made: dict[str, Drawing] = {}
        picture, scores = task.picture, study.scores
        if picture is not None:
            caption = PICTURES.get(picture, "What the task asks.")
            made[picture] = Drawing(caption, lambda: getattr(figures, picture)(task))
        made["network"] = Drawing(
            "The network: inputs, recurrent units, linear readout.",
            lambda: figures.network(network),
        )
        if scores is not None:
            made["trials"] = Drawing(
                "Three random trials of the task: inputs with their noise, and the targets.",
                lambda: _trials(study, scores.n),
            )
        return made

    def content(self, study: Study) -> Content:
        task = study.task
        if not task.missing:
            return {}
        return {"text": [f"Trials, scores and states are left out: {task.missing}."]}


def _trials(study: Study, n: int) -> Figure:
    """n: as many as were scored, for which the generator is compiled already."""
    return figures.trials(study.task.sample(n, seed=study.run.seed), min(TRIALS, n))
