"""What rules that solve for weights have in common: which models they can train."""

from __future__ import annotations

from attractory._errors import InvalidSetting
from attractory.models import Model


def check_readout(rule: str, model: Model) -> None:
    """InvalidSetting where a model's readout cannot be solved for.

    Parameters
    ----------
    rule : str
        The name of the rule.
    model : Model
        The model.
    """
    if not model.may_train("output_weights"):
        raise InvalidSetting(
            f"trainable = {model.trainable} contradicts the rule {rule}, which trains "
            f"'output_weights': it leaves {rule} nothing to train"
        )
    constraints = model.weight_constraints
    if constraints is None:
        return
    for field in ("excitatory_readout", "output_areas"):
        if value := getattr(constraints, field):
            raise InvalidSetting(
                f"constraints.{field} = {value} contradicts the rule {rule}: a readout that is "
                "solved for reads all units, with either sign; "
                f"allowed: constraints without {field}"
            )


def check_recurrent(rule: str, model: Model, names: tuple[str, ...]) -> None:
    """InvalidSetting where a model's recurrent weights cannot be solved for.

    Parameters
    ----------
    rule : str
        The name of the rule.
    model : Model
        The model.
    names : tuple of str
        The weights that the rule trains.
    """
    free = (
        model.recurrent_rank is None and model.weight_constraints is None and not model.has_feedback
    )
    if not (model.takes_feedback and free):
        raise InvalidSetting(
            f"model: {rule} cannot train this {type(model).__name__}; allowed: RateRNN, "
            "CurrentRNN, without a rank, constraints and feedback"
        )
    model.with_feedback()  # refuses what does not read out the rates that its units send
    for name in names:
        if not model.may_train(name):
            raise InvalidSetting(
                f"model: trainable = {model.trainable} leaves out {name!r}, which {rule} "
                f"trains; allowed: None, or with {' and '.join(map(repr, names))} in it"
            )


def solves_bias(model: Model) -> bool:
    """Whether there is a readout bias to be solved for.

    Parameters
    ----------
    model : Model
        The model.

    Returns
    -------
    bool
        Whether it has one that may be trained.
    """
    return model.output_bias and model.may_train("output_bias")
