"""How training went."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attractory import figures
from attractory.report._section import Drawing, Section, section
from attractory.rules import Rule, squared_error

if TYPE_CHECKING:
    from attractory.report._study import Study


@section
class Learning(Section):
    """Loss and spectral radius against the update, and what the rule reports.

    What of it the run has.

    target: a mean squared error that the loss is seen beside, and its name.
    """

    title = "Learning"
    order = 30
    target: tuple[float, str] | None = None

    def figures(self, study: Study) -> dict[str, Drawing]:
        history, report = study.run.history, study.run.rule_report
        made: dict[str, Drawing] = {}
        if len(history):
            shown = {**loss_in_words(study.run.rule), **self._beside(study.run.rule)}
            made["learning_curve"] = Drawing(
                "Loss of each network during training, and what else its rule reports.",
                lambda: figures.learning_curve(history, **shown),
            )
        if "spectral_radius" in history and history["spectral_radius"].notna().any():
            made["spectral_radius"] = Drawing(
                "Spectral radius of the recurrent weights of each network during training.",
                lambda: figures.spectral_radius(history),
            )
        rule = study.run.rule
        if rule is not None and rule.picture is not None and report:
            draw = getattr(figures, rule.picture)
            made[rule.picture] = Drawing(draw.__doc__.splitlines()[0], lambda: draw(report))
        return made

    def _beside(self, rule: Rule | None) -> dict[str, Any]:
        """The target, beside a loss that can be compared with it."""
        if self.target is None or loss_in_words(rule):
            return {}
        target, label = self.target
        return {"target_mse": target, "target_label": label}


def loss_in_words(rule: Rule | None) -> dict[str, str]:
    """What the axis of the loss is called where the rule trains another one than the usual."""
    if rule is None:
        return {}
    if type(rule).error is not Rule.error:
        return {"loss": f"as {type(rule).__name__} defines it"}
    if rule.loss_function is squared_error:
        return {}
    function = rule.loss_function
    name = getattr(function, "__name__", type(function).__name__)
    return {"loss": name.replace("_", " ")}
