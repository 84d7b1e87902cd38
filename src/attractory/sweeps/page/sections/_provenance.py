"""Where runs and trials were made, and with what."""

from __future__ import annotations

import numpy as np

from attractory.report._section import OF_A_SWEEP, OF_A_TUNING, Content, Section, section
from attractory.sweeps._studied import Provenance, StudiedSweep, StudiedTuning
from attractory.sweeps.page._words import count_of

MOST_HOSTS = 8  # that are named


@section
class ProvenanceOfRuns(Section):
    """Versions, commits, machines, seconds, memory of a sweep's runs."""

    title = "Provenance of runs"
    page = OF_A_SWEEP
    order = 100
    template = "settings.html"

    def content(self, study: StudiedSweep) -> Content | None:
        return _content(study.provenance, "run")


@section
class ProvenanceOfTrials(Section):
    """The same of a tuning's trials."""

    title = "Provenance of trials"
    page = OF_A_TUNING
    order = 100
    template = "settings.html"

    def content(self, study: StudiedTuning) -> Content | None:
        return _content(study.provenance, "trial")


def _content(known: Provenance, thing: str) -> Content | None:
    if not known.seconds:
        return None
    rows = [("machines", _hosts(known, thing)), ("time", _seconds(known, thing))]
    if known.memory:
        rows.append(("most memory of a process", f"{known.memory / 2**20:.0f} MiB"))
    if known.commits:
        rows.append(("git commit", ", ".join(known.commits)))
    rows += [(name, ", ".join(found)) for name, found in known.versions.items()]
    spread = f", spread over all {len(known.seconds)}" if known.asked < len(known.seconds) else ""
    rows.append(("versions and commits from", f"{count_of(known.asked, thing)}{spread}"))
    return {"rows": rows, "events": []}


def _hosts(known: Provenance, thing: str) -> str:
    ordered = sorted(known.hosts.items(), key=lambda each: -each[1])
    named = [f"{host} ({count_of(count, thing)})" for host, count in ordered[:MOST_HOSTS]]
    left = len(ordered) - MOST_HOSTS
    return ", ".join(named) + (f" and {left} more" if left > 0 else "")


def _seconds(known: Provenance, thing: str) -> str:
    """Of one, and of all together."""
    total, median = float(np.sum(known.seconds)), float(np.median(known.seconds))
    return (
        f"{total:.4g} s in all, median {median:.3g} s a {thing}, longest {max(known.seconds):.3g} s"
    )
