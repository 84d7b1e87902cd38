"""The trials of Optuna's as tunings see them: how they stand, which count, what they try."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

LINE, PROCESS = "line", "process"  # what trials are noted with
STATES = ("complete", "pruned", "failed", "running", "waiting")
NAMES = {"COMPLETE": "complete", "PRUNED": "pruned", "FAIL": "failed", "RUNNING": "running",
          "WAITING": "waiting"}  # fmt: skip


def counted(trials: Iterable[Any]) -> list[Any]:
    """Those that count: without what waits, and what was cut off and is tried again.

    A trial that failed by its own fault has a line that says why.
    """
    kept = []
    for trial in trials:
        cut_off = trial.state.name == "FAIL" and LINE not in trial.user_attrs
        if not cut_off and trial.state.name != "WAITING":
            kept.append(trial)
    return kept


def values_of(trial: Any) -> dict[str, Any]:
    """The values of a trial, those that it is yet to begin with among them."""
    return {**trial.system_attrs.get("fixed_params", {}), **trial.params}
