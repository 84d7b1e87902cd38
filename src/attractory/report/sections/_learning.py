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
        rule, history, report = study.run.rule, study.run.history, study.run.rule_report
        made: dict[str, Drawing] = {}
        if len(history):
            shown = {**loss_in_words(rule), **self._beside(rule)}
            name = "learning_curve" if rule is None else rule.picture_of_history
            made[name] = _drawing(name, history, **shown)
        if "spectral_radius" in history and history["spectral_radius"].notna().any():
            made["spectral_radius"] = Drawing(
                "Spectral radius of the recurrent weights of each network during training.",
                lambda: figures.spectral_radius(history),
            )
        if rule is not None and rule.picture is not None and report:
            made[rule.picture] = _drawing(rule.picture, report)
        return made

    def _beside(self, rule: Rule | None) -> dict[str, Any]:
        """The target, beside a loss that can be compared with it."""
        if self.target is None or loss_in_words(rule):
            return {}
        target, label = self.target
        return {"target_mse": target, "target_label": label}


def _drawing(name: str, of: Any, **settings: Any) -> Drawing:
    """The figure of this name, with its first words as the caption."""
    draw = getattr(figures, name)
    return Drawing(draw.__doc__.splitlines()[0], lambda: draw(of, **settings))


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
