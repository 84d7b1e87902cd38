"""What is measured on the weights of a run's networks: it needs no task."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from attractory import analysis
from attractory._cores import spread
from attractory._errors import InvalidSetting
from attractory.runs import Run, of_network


@dataclass(frozen=True)
class OfWeights:
    """connectivity and audit where the model has the matrix for them; omitted: what is missing."""

    spectra: list[analysis.Spectrum]
    connectivity: list[analysis.Connectivity]
    audit: analysis.Audit | None
    omitted: tuple[str, ...]


def of_weights(run: Run) -> OfWeights:
    """All networks of a run: kept, or computed and kept now."""
    omitted: list[str] = []
    connectivity: list[analysis.Connectivity] = []
    audit = None
    nets = range(len(run.networks))
    try:
        connectivity = [of_network(run, net, analysis.connectivity) for net in nets]
    except InvalidSetting as reason:
        omitted.append(f"No connectivity is shown: {reason}.")
    try:
        audit = run.results.of("audit", {}, lambda: analysis.audit(run), None)
    except InvalidSetting as reason:
        omitted.append(f"No audit of the weights is made: {reason}.")
    spectra = spread(partial(of_network, run, analysis=analysis.spectrum), nets)
    return OfWeights(spectra, connectivity, audit, tuple(omitted))
