"""The page: one HTML file that holds everything and needs nothing from outside."""

from __future__ import annotations

import base64
from collections.abc import Sequence
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
from attractory.report._story import story
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
    page = Path(path)
    shown = [_on_page(each, page.parent / "figures") for each in shown_sections(results, sections)]
    return write_text(page, _html(results, shown, credit))


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


def _on_page(shown: Shown, folder: Path) -> dict[str, Any]:
    """A section as its template takes it; its figures are drawn, and written into the folder."""
    title = shown.section.title
    return {
        "title": title,
        "slug": title.lower().replace(" ", "-"),
        "template": shown.section.template,
        "images": [_image(name, drawing, folder) for name, drawing in shown.figures.items()],
        **shown.content,
    }


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


def _html(results: Study, shown: list[dict[str, Any]], credit: str) -> str:
    from plotly.offline import get_plotlyjs

    html = (
        _templates()
        .get_template("page.html")
        .render(
            title=_title(results.run),
            story=story(results),
            sections=shown,
            credit=credit,
            plotly=Markup(get_plotlyjs()),
        )
    )
    # half of a surrogate pair, as JSON can have it, is no letter that a file could hold
    return html.encode("utf-8", "backslashreplace").decode()


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
