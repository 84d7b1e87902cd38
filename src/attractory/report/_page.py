"""The page: one HTML file that holds everything and needs nothing from outside."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from attractory import figures
from attractory._errors import InvalidSetting
from attractory._files import write_text
from attractory.report._sections import of_source, sections
from attractory.report._study import Study, study
from attractory.runs import Run


def write(run: Run, path: str | Path | None = None, results: Study | None = None) -> Path:
    """Write a run's page, and its figures (PNG and SVG) into a folder `figures` beside it.

    path: the file; `report.html` in the run's folder when None. results: a `Study` of the run when
    there is one already; otherwise it is made. Returns the path. The page works offline.
    """
    if path is None:
        if run.path is None:
            raise InvalidSetting("path = None is not allowed: this run has no folder; name a file")
        path = run.path / "report.html"
    results = study(run) if results is None else results
    page = Path(path)
    drawings = results.draw()
    images = {}
    for name, draw in drawings.items():
        saved = figures.save(draw(), page.parent / "figures", name)
        images[name] = next(file for file in saved if file.suffix == ".svg").read_bytes()
    return write_text(page, _html(results, images))


def _html(results: Study, images: dict[str, bytes]) -> str:
    from plotly.offline import get_plotlyjs

    html = (
        _templates()
        .get_template("page.html")
        .render(
            title=_title(results.run),
            lead=_lead(results.run),
            sections=sections(results, images),
            plotly=Markup(get_plotlyjs()),
        )
    )
    # half of a surrogate pair, as JSON can have it, is no letter that a file could hold
    return html.encode("utf-8", "backslashreplace").decode()


@cache
def _templates() -> Environment:
    """The one way in which text gets into the page: every value is escaped but our own figures."""
    return Environment(
        loader=PackageLoader("attractory.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _title(run: Run) -> str:
    count = len(run.networks)
    what = "one network" if count == 1 else f"{count} networks"
    return f"{run.task.name}: {what} of {run.networks[0].units} units"


def _lead(run: Run) -> str:
    if run.source is not None:
        return f"Imported from {of_source(run, 'file')} and analysed on the task."
    if not len(run.history):
        return "Networks without a training history, analysed on the task."
    steps = int(run.history["step"].max())
    batch = run.rule.batch if run.rule is not None else 0
    by = f" by {run.rule.in_words}" if run.rule is not None else ""
    seconds = float(run.history["seconds"].max())
    return (
        f"Trained{by}: {steps} updates of {batch} trials "
        f"({steps * batch:,} trials a network) in {seconds:.0f}\u00a0s, seed {run.seed}."
    )
