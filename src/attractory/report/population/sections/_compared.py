"""Which runs the networks are of, with what settings they were compared, what was left out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from attractory.report._section import OF_A_POPULATION, Content, Section, section
from attractory.report.population._story import left_out
from attractory.runs import Run, package_versions

if TYPE_CHECKING:
    from attractory.report.population._study import PopulationStudy


@section
class WhatWasCompared(Section):
    """A row a run; seeds, and what there is no number of."""

    title = "What was compared"
    page = OF_A_POPULATION
    order = 100

    def content(self, study: PopulationStudy) -> Content:
        rows = [_row(name, run) for name, run in study.runs.items()]
        drawn = "Trials, noise, nulls and permutations are drawn from the seed"
        versions = ", ".join(f"{name} {version}" for name, version in package_versions().items())
        return {
            "text": [
                f"{drawn} {study.measures.seed}.",
                *left_out(study),
                f"Made with {versions}.",
            ],
            "table": pd.DataFrame(rows) if rows else None,
        }


def _row(name: str, run: Run) -> dict[str, Any]:
    diverged = sum(row.get("status") == "diverged" for row in run.status)
    return {
        "run": name or (run.path.name if run.path is not None else "in memory"),
        "networks": len(run.networks),
        "diverged": diverged,
        "task": run.task.name,
        "model": type(run.model).__name__,
        "units": run.networks[0].units,
        "rule": "none" if run.rule is None else type(run.rule).__name__,
        "seed": run.seed,
    }
