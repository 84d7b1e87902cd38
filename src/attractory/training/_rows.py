"""How each network stands: its row of `Run.status`, and the events in it."""

from __future__ import annotations

from typing import Any

import numpy as np

from attractory.training._course import Ended

Row = dict[str, Any]
DIVERGED = "diverged"
MOST_RETRIES = 3


def first_rows(nets: int, seed: int, first: int = 0) -> list[Row]:
    """The rows before the first update. first: the index of the first network."""
    return [
        {"net": net, "seed": [seed, first + net], "status": "training", "step": 0, "events": []}
        for net in range(nets)
    ]


def answers(
    on_divergence: str, diverged: np.ndarray, losses: np.ndarray, rows: list[Row]
) -> tuple[np.ndarray, np.ndarray]:
    """Which networks stop, and which go back to try again, as the rule says; arrays (net,)."""
    if on_divergence == "continue":
        stop = diverged & ~np.isfinite(losses)
    elif on_divergence == "stop":
        stop = diverged
    else:
        spent = np.array([divergences(row) >= MOST_RETRIES for row in rows])
        stop = diverged & spent
    retry = diverged & ~stop if on_divergence == "retry" else np.zeros_like(stop)
    return stop, retry


def note_divergences(
    rows: list[Row],
    step: int,
    losses: np.ndarray,
    diverged: np.ndarray,
    stop: np.ndarray,
    retry: np.ndarray,
) -> list[str]:
    """Which networks have diverged, and what was done; arrays (net,). A line for each."""
    lines = []
    for net in np.flatnonzero(diverged):
        action = "stopped" if stop[net] else "half the rate" if retry[net] else "continued"
        loss = float(losses[net])
        _note(rows[net], step, loss, DIVERGED, action)
        if not retry[net]:
            rows[net].update(status=DIVERGED, step=step)
        lines.append(f"network {net} diverged at step {step} (loss {loss:.3g}): {action}")
    return lines


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
