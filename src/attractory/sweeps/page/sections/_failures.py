"""What failed, and why: failures of a sweep's runs and of a tuning's trials by their lines."""

from __future__ import annotations

import pandas as pd

from attractory.report._section import OF_A_SWEEP, OF_A_TUNING, Content, Section, section
from attractory.sweeps._studied import StudiedSweep, StudiedTuning
from attractory.sweeps.page._words import MOST_LINES, count_of, failures_by_line


@section
class FailedRuns(Section):
    """Runs that failed or were lost; networks that diverged."""

    title = "Failed runs"
    page = OF_A_SWEEP
    order = 90

    def content(self, study: StudiedSweep) -> Content | None:
        diverged = study.tried.states.get("diverged", 0)
        if not len(study.failures) and not diverged:
            return None
        made = _content(study.failures, "run")
        if diverged:
            said = f"{count_of(diverged, 'network')} diverged in training; their runs are done."
            made["text"] = [said, *made["text"]]
        return made


@section
class FailedTrials(Section):
    """Trials that failed."""

    title = "Failed trials"
    page = OF_A_TUNING
    order = 90

    def content(self, study: StudiedTuning) -> Content | None:
        failed = study.table[study.table["state"] == "failed"]
        return _content(failed, "trial") if len(failed) else None


def _content(failures: pd.DataFrame, number: str) -> Content:
    """A row for each line that is said."""
    if not len(failures):
        return {"text": []}
    found = failures_by_line(failures, number)
    left = len(found) - MOST_LINES
    more = f" The {MOST_LINES} most frequent lines stand here." if left > 0 else ""
    count = count_of(int(found["count"].sum()), number)
    text = f"{count} in all; those that left the same line stand together.{more}"
    return {"text": [text], "table": found.head(MOST_LINES)}
