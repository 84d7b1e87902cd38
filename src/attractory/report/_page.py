"""The page: one HTML file that holds everything and needs nothing from outside."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from attractory import figures
from attractory._arguments import instance_of, optional, takes
from attractory._errors import InvalidSetting
from attractory._files import a_path, write_text
from attractory.models import networks_of
from attractory.report._section import Drawing, Section, Shown, shown_sections
from attractory.report._section import sections as all_sections
from attractory.report._story import Told, story
from attractory.report._study import Study, study
from attractory.report._tables import WRAPPED, tables
from attractory.runs import Run
from attractory.tasks import Task, as_task


@takes(
    results=optional(instance_of(Study, hint="at.report.study(run)")),
    task=optional(as_task),
    path=optional(a_path),
)
def write(
    run: Run,
    path: str | Path | None = None,
    results: Study | None = None,
    sections: Sequence[Section] | None = None,
    credit: str = "",
    task: Task | None = None,
) -> Path:
    """Write a run's page, and its figures (PNG and SVG) into a folder `figures` beside it.

    Parameters
    ----------
    run : Run, Network or sequence of Network
        What the page is about. Networks in memory need a task and a path.
    path : str or Path, optional
        The file; `report.html` in the run's folder when None.
    results : Study, optional
        A study of the run when there is one already; otherwise it is made.
    sections : sequence of Section, optional
        Those that may stand in the page, in order; when None all that are registered (see
        `at.report.section`).
    credit : str
        A sentence for the foot of the page, such as whose work it follows.
    task : Task, optional
        Of networks that are no run: what they are analysed on (also its name, or its class).

    Returns
    -------
    Path
        The page, which works offline.

    Raises
    ------
    InvalidSetting
        For a run without a folder where no file is named, for networks without a task, and for two
        sections with a figure of one name.
    """
    run = _run_of(run, task)
    if path is None:
        if run.path is None:
            raise InvalidSetting("path = None is not allowed: this run has no folder; name a file")
        path = run.path / "report.html"
    results = study(run) if results is None else results
    shown = shown_sections(results, all_sections() if sections is None else sections)
    return write_page(Path(path), _title(results.run), story(results), shown, credit)


def _run_of(given: Any, task: Task | None) -> Run:
    """The run, or the networks in memory as one."""
    if not isinstance(given, Run):
        networks = networks_of(given, "run")
        if task is None:
            raise InvalidSetting(
                "task = None: networks that are no run need a task: "
                "at.report.write(networks, path, task=task)"
            )
        return Run.of(networks, task)
    if task is not None and task != given.task:
        raise InvalidSetting(
            f"task = {task.name}: the run has a task of its own, {given.task.name}; leave it out, "
            "or give at.Run.of(run, task)"
        )
    return given


def write_page(
    path: Path, title: str, told: Sequence[Told], shown: Sequence[Shown], credit: str
) -> Path:
    """Write a page, and its figures into a folder `figures` beside it."""
    from plotly.offline import get_plotlyjs

    drawn = [_on_page(each, path.parent / "figures") for each in shown]
    turning = any(each["turning"] for each in drawn)
    html = (
        _templates()
        .get_template("page.html")
        .render(
            title=title,
            story=told,
            sections=drawn,
            credit=credit,
            plotly=Markup(get_plotlyjs()) if turning else "",
        )
    )
    # half of a surrogate pair, as JSON can have it, is no letter that a file could hold
    return write_text(path, html.encode("utf-8", "backslashreplace").decode())


def _on_page(shown: Shown, folder: Path) -> dict[str, Any]:
    """A section as its template takes it; its figures are drawn, and written into the folder."""
    section, content = shown.section, shown.content
    slug = section.title.lower().replace(" ", "-")
    panels = [
        {"title": title, "slug": f"{slug}-{i}", "images": _images(drawings, folder)}
        for i, (title, drawings) in enumerate(content["panels"].items())
    ]
    return {
        **content,
        "title": section.title,
        "slug": slug,
        "template": section.template,
        "images": _images(shown.figures, folder),
        "panels": panels,
    }


def _images(drawings: Mapping[str, Drawing], folder: Path) -> list[dict[str, Any]]:
    return [_image(name, drawing, folder) for name, drawing in drawings.items()]


def _image(name: str, drawing: Drawing, folder: Path) -> dict[str, Any]:
    """A figure as the page shows it: as wide as it is printed, so that all letters are alike."""
    figure = drawing.draw()
    saved = figures.save(figure, folder, name)
    svg = next(file for file in saved if file.suffix == ".svg").read_bytes()
    return {
        "caption": drawing.caption,
        "inches": f"{figure.get_figwidth():.3f}",
        "data": base64.b64encode(svg).decode(),
    }


@cache
def _templates() -> Environment:
    """The one way in which text gets into the page: every value is escaped but our own figures."""
    made = Environment(
        loader=PackageLoader("attractory.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["as_text"] = tables
    made.globals["wrapped"] = WRAPPED
    return made


def _title(run: Run) -> str:
    count = len(run.networks)
    what = "one network" if count == 1 else f"{count} networks"
    return f"{run.task.name}: {what} of {run.networks[0].units} units"
