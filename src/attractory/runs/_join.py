"""Parts of a population that were trained apart, as one run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from attractory._errors import InvalidSetting, shown
from attractory._files import json_digest
from attractory._settings import as_json

if TYPE_CHECKING:
    from attractory.runs import Run

_OF_A_PART = ("nets", "first")  # in what parts of one population may differ


def joined(runs: Sequence[Run]) -> Run:
    """As `Run.join` says."""
    parts = sorted(runs, key=lambda run: run.first)
    if not parts:
        raise InvalidSetting("runs = [] is not allowed: one run or more are needed")
    _check_one_population(parts)
    return replace(
        parts[0],
        networks=[network for run in parts for network in run.networks],
        status=_rows(parts),
        history=_histories(parts),
        path=None,
        imports=list({each["name"]: each for run in parts for each in run.imports}.values()),
        rule_report={
            name: np.concatenate([run.rule_report[name] for run in parts])
            for name in parts[0].rule_report
        },
    )


def _check_one_population(parts: list[Run]) -> None:
    """InvalidSetting where runs are not of one population, or indices are missing or twice."""
    following = parts[0].first
    for run in parts:
        place = f"{run.first} to {run.first + len(run.networks) - 1}"
        if _identity(run) != _identity(parts[0]):
            raise InvalidSetting(
                f"runs: networks {place} are of another task, model, rule or seed than networks "
                f"{parts[0].first} and on; parts of one population differ in their indices alone"
            )
        if run.start is not None or run.source is not None:
            raise InvalidSetting(
                f"runs: {shown(str(run.path or 'a run in memory'))} began with given networks or "
                "was imported; parts are trained from the seed alone"
            )
        if run.first != following:
            raise InvalidSetting(
                f"runs: networks {place} follow on network {following - 1}; indices must follow on "
                "each other, each once"
            )
        following += len(run.networks)


def _identity(run: Run) -> str:
    """What parts of one population have in common."""
    return json_digest(as_json({n: v for n, v in run.config.items() if n not in _OF_A_PART}))


def _rows(parts: list[Run]) -> list[dict[str, Any]]:
    """The rows of all networks, counted from 0."""
    rows = [row for run in parts for row in run.status]
    return [{**row, "net": net} for net, row in enumerate(rows)]


def _histories(parts: list[Run]) -> pd.DataFrame:
    """The histories one after the other, their networks counted on."""
    tables, before = [], 0
    for run in parts:
        tables.append(run.history.assign(net=run.history["net"] + before))
        before += len(run.networks)
    return pd.concat(tables, ignore_index=True)
