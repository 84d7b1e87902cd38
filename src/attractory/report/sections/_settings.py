"""All that was asked, on what it ran, and what happened on the way."""

from __future__ import annotations

import platform
from typing import TYPE_CHECKING, Any

from attractory._errors import one_line
from attractory.report._section import Content, Section, section
from attractory.runs import Run, package_versions

if TYPE_CHECKING:
    from attractory.report._study import Study


@section
class WhatWasRun(Section):
    """Seeds, every setting of task, model and rule, versions, and events of the training."""

    title = "What was run"
    order = 100
    template = "settings.html"

    def content(self, study: Study) -> Content:
        return {"rows": _rows(study.run), "events": _events(study.run)}


def of_source(run: Run, key: str) -> str:
    """One thing that is known of where imported networks come from."""
    source = run.source
    return one_line(str(source.get(key, "unknown") if isinstance(source, dict) else source))


def _rows(run: Run) -> list[tuple[str, Any]]:
    rows: list[tuple[str, Any]] = [("seed", run.seed), ("networks", len(run.networks))]
    if run.source is not None:
        rows = [("file", of_source(run, "file")), ("SHA-256", of_source(run, "sha256"))]
    for kind in ("task", "model", "rule"):
        described = run.config[kind]
        if described is None:
            continue
        rows.append((kind, described["name"]))
        rows += [(f"{kind}.{name}", value) for name, value in described["settings"].items()]
    rows += [(f"curriculum.{i}", _stage(each)) for i, each in enumerate(run.curriculum, 1)]
    rows += [("machine", f"{platform.system()} {platform.machine()}")]
    return rows + list(package_versions().items())


def _stage(stage: dict[str, Any]) -> str:
    """A stage before the task: its task, and when networks left it."""
    task, score = stage["task"], stage["score"]
    settings = ", ".join(f"{name} = {value}" for name, value in task["settings"].items())
    until = "" if score is None else f", or until {score:g} of the trials are correct"
    return one_line(f"{task['name']} ({settings}): {stage['steps']} updates{until}")


def _events(run: Run) -> list[str]:
    """A sentence an event; what is no event of ours is shown as it is."""
    said = []
    for net, row in enumerate(run.status):
        events = row.get("events") or []
        for event in events if isinstance(events, list) else [events]:
            said.append(one_line(f"network {row.get('net', net)}: {_told(event)}"))
    return said


def _told(event: Any) -> str:
    if not isinstance(event, dict):
        return str(event)
    known = {**dict.fromkeys(("what", "step", "loss", "action"), "?"), **event}
    return "{what} at step {step} (loss {loss}): {action}".format_map(known)
