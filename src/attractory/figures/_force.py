"""How FORCE learning went."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure

from attractory._errors import InvalidSetting
from attractory.figures._drawn import drawn
from attractory.figures._training import (
    Panel,
    check_history,
    columns_of_the_rule,
    draw_history,
    usual_panel,
)

OWN = (
    Panel(("error_before_change", "error_after_change"), "Error, root mean square (a.u.)"),
    Panel(("weight_change",), "Norm of a change of the weights (a.u.)"),
    Panel(("inverse_correlation_trace",), "Trace of P (a.u.⁻²)"),
)
OF_FORCE = [column for panel in OWN for column in panel.columns]
LINES = ("B: before a change", "B: after it")


@drawn
def force_learning(
    history: pd.DataFrame,
    target_mse: float | None = None,
    target_label: str = "target",
    loss: str = "mean squared error (a.u.²)",
) -> Figure:
    """Loss (A), errors at the changes of the weights (B), their size (C), and the trace of P (D).

    Parameters
    ----------
    history : pandas.DataFrame
        That of a run by the rule `FORCE` or `FullFORCE`.
    target_mse : float, optional
        Where a horizontal line is drawn in the panel of the loss.
    target_label : str
        Names that line.
    loss : str
        What was trained, with its unit, for the axis.

    Returns
    -------
    matplotlib.figure.Figure
        Four panels, and one for each further column of the rule's own; without those for which the
        history has no numbers.

    Raises
    ------
    InvalidSetting
        For the history of another rule, which has numbers for none of them.

    Notes
    -----
    B: where the errors before and after a change are still apart, learning goes on; where they
    meet, the weights stand still or P is used up. D: P begins at the unit matrix over alpha, and
    gets smaller along each direction of the rates that comes. Lines as in `learning_curve`.
    """
    check_history(history)
    own = columns_of_the_rule(history)
    panels = [panel for panel in OWN if set(panel.columns) <= set(own)]
    if not panels:
        raise InvalidSetting(
            f"history has none of the columns {', '.join(OF_FORCE)}; needed: that of a run by the "
            "rule FORCE or FullFORCE"
        )
    drawn_here = {column for panel in panels for column in panel.columns}
    others = [usual_panel(column) for column in own if column not in drawn_here]
    shown = [Panel(("loss",), f"Loss, {loss}"), *panels, *others]
    return draw_history(history, shown, target_mse, target_label, LINES)
