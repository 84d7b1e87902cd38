"""The page of many networks: one HTML file, beside it their tables and figures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from attractory._arguments import a_name, instance_of, takes
from attractory._files import a_path
from attractory.report._page import write_page
from attractory.report._section import OF_A_POPULATION, Section, shown_sections
from attractory.report._section import sections as all_sections
from attractory.report.population._story import story
from attractory.report.population._study import PopulationStudy


@takes(
    results=instance_of(PopulationStudy, hint="at.report.population_study(networks)"),
    path=a_path,
    credit=a_name,
)
def write_population(
    results: PopulationStudy,
    path: str | Path,
    sections: Sequence[Section] | None = None,
    credit: str = "",
) -> Path:
    """Write the page of many networks, and its figures (PNG and SVG) into a folder beside it.

    Parameters
    ----------
    results : PopulationStudy
        What `population_study` made of them.
    path : str or Path
        The file.
    sections : sequence of Section, optional
        Those that may stand in the page, in order; when None all that are registered for it.
    credit : str
        A sentence for the foot of the page, such as whose work it follows.

    Returns
    -------
    Path
        The page, which works offline.

    Examples
    --------
    >>> results = at.report.population_study({"bptt": run, "force": other})  # doctest: +SKIP
    >>> at.report.write_population(results, "runs/compare/population.html")  # doctest: +SKIP
    """
    known = all_sections(OF_A_POPULATION) if sections is None else sections
    shown = shown_sections(results, known)
    title = f"{len(results.labels)} networks compared"
    return write_page(Path(path), title, story(results), shown, credit)
