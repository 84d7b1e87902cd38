"""What is known of a run's networks in a process that does not know their task."""

from __future__ import annotations

from functools import partial
from typing import Any

from attractory import analysis
from attractory._cores import spread
from attractory.runs import Run, of_network


def weights_alone(
    run: Run,
    connectivity: list[analysis.Connectivity],
    audit: analysis.Audit | None,
    omitted: tuple[str, ...],
) -> dict[str, Any]:
    """The fields of a study without a trial: what was measured on the weights, and spectra."""
    nets = range(len(run.networks))
    return {
        "scores": None,
        "scores_with_last_step": None,
        "levels": None,
        "curves": [],
        "connectivity": connectivity,
        "spectra": spread(partial(of_network, run, analysis=analysis.spectrum), nets),
        "probe": None,
        "trajectory": None,
        "spaces": [],
        "principal_spaces": [],
        "cubes": None,
        "audit": audit,
        "omitted": omitted,
    }
