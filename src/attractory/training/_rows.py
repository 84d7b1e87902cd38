"""How each network stands: its row of `Run.status`, and the events in it."""

from __future__ import annotations

from typing import Any

import numpy as np

from attractory.training._course import Ended

Row = dict[str, Any]
DIVERGED = "diverged"


def first_rows(nets: int, seed: int, first: int = 0) -> list[Row]:
    """The rows before the first update. first: the index of the first network."""
    return [
        {"net": net, "seed": [seed, first + net], "status": "training", "step": 0, "events": []}
        for net in range(nets)
    ]


def note_divergence(row: Row, step: int, loss: float, action: str) -> None:
    """That a network has diverged, and what was done; its status, unless it goes back."""
    _note(row, step, loss, DIVERGED, action)
    if action != "half the rate":
        row.update(status=DIVERGED, step=step)


def note_stage(row: Row, step: int, loss: float, end: Ended) -> None:
    """That a network has left a stage of a curriculum; an event, where the score was missed."""
    entry = {"stage": end.number, "step": step, "score": _number(end.score)}
    row["stages"] = [*row.get("stages", []), entry]
    if not end.reached:
        action = f"went on with score {end.score:.3g}, {end.stage.score:g} not reached"
        _note(row, step, loss, f"stage {end.number} ended", action)


def divergences(row: Row) -> int:
    """How often a network has diverged."""
    return sum(event["what"] == DIVERGED for event in row["events"])


def finish(rows: list[Row], active: np.ndarray, forgotten: np.ndarray, step: int) -> None:
    """The rows after the last update. forgotten (net,): which networks know nothing now."""
    for net, row in enumerate(rows):
        if row["status"] == "training" or (row["status"] == DIVERGED and active[net]):
            row["status"] = DIVERGED if forgotten[net] and divergences(row) else "finished"
            row["step"] = step


def _note(row: Row, step: int, loss: float, what: str, action: str) -> None:
    event = {"step": step, "loss": _number(loss), "what": what, "action": action}
    row["events"].append(event)


def _number(value: float | None) -> float | str | None:
    """As JSON holds it: text where it is not finite."""
    return value if value is None or np.isfinite(value) else str(value)
