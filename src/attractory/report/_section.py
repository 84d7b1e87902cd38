"""What a section of the page is, and how the page knows of it: one class, one decorator."""

from __future__ import annotations

import re
from abc import ABC
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from matplotlib.figure import Figure

from attractory._errors import InvalidSetting, shown
from attractory._registry import Registry

Content = dict[str, Any]
# what the plain template shows beside the figures; a section says what it has of it
NOTHING: Content = {"text": (), "turning": (), "table": None, "folded": (), "panels": {}}
# the pages that there are
OF_A_RUN, OF_A_POPULATION, OF_A_SWEEP, OF_A_TUNING = "run", "population", "sweep", "tuning"


class Drawing(NamedTuple):
    """A figure of the page.

    Parameters
    ----------
    caption : str
        What stands under it.
    draw : callable
        The function that draws it when asked, without arguments.
    """

    caption: str
    draw: Callable[[], Figure]


class Section(ABC):
    """A part of a page: what it draws, tabulates and says of a study.

    Attributes
    ----------
    page : str
        Which page it is part of: "run" (of a `Study`), "population" (of a `PopulationStudy`),
        "sweep" (of an `at.sweeps.StudiedSweep`) or "tuning" (of an `at.sweeps.StudiedTuning`).
    title : str
        Its heading, and its name in the registry; of a subclass without one, the name of the class
        in words.
    order : float
        Sections stand from the lowest to the highest; the package's own are at 10, 20, … 100, one
        that does not say comes before the last of them.
    template : str
        Of its words, a file in `report/templates`; the usual one shows what `content` says.

    Examples
    --------
    ::

        @at.report.section
        class Readout(at.report.Section):
            title = "Readout"

            def figures(self, study):
                return {"readout": at.report.Drawing("The readout.", lambda: my_figure(study))}

            def content(self, study):
                return {"text": ["What the readout is."], "table": my_frame(study)}
    """

    title: str
    page: str = OF_A_RUN
    order: float = 95
    template: str = "section.html"

    def __init_subclass__(cls, **given: Any) -> None:
        super().__init_subclass__(**given)
        if not hasattr(cls, "title"):
            cls.title = re.sub(r"(?<!^)(?=[A-Z])", " ", cls.__name__).capitalize()

    def figures(self, study: Any) -> dict[str, Drawing]:
        """Its figures.

        Parameters
        ----------
        study : object
            What the page is about, as `page` says it.

        Returns
        -------
        dict of str to Drawing
            By the name of their files, in the order in which they stand; none: {}.
        """
        return {}

    def content(self, study: Any) -> Content | None:
        """What it has beside its figures, for its template.

        Parameters
        ----------
        study : object
            What the page is about, as `page` says it.

        Returns
        -------
        dict or None
            None: it has no place on this page. The usual template shows: text (a sequence of
            paragraphs), table (a DataFrame), folded (a sequence of pairs of a title and a
            DataFrame), and panels (dicts of `Drawing` by file name, by the title that each opens
            under), each of which may be left out. A section that has neither figures nor content
            is left out, too.
        """
        return {}


_registry: Registry[Section] = Registry(
    "section",
    Section,
    "attractory.report",
    name_of=lambda kind: kind.title,
    decorator="attractory.report.section",
)


def section(kind: type[Section]) -> type[Section]:
    """Make a section part of every page of its kind from here on; a decorator at its class.

    Parameters
    ----------
    kind : type
        A subclass of `Section`.

    Returns
    -------
    type
        The same class.

    Raises
    ------
    InvalidSetting
        For what is no `Section`, and for the title of another one.
    """
    return _registry.register(kind)


def sections(page: str = OF_A_RUN) -> list[Section]:
    """Every section there is of a page.

    Parameters
    ----------
    page : str
        "run", "population", "sweep" or "tuning".

    Returns
    -------
    list of Section
        In the order of the page; those of the package for sweeps and tunings are among them once
        `attractory.sweeps.page` is imported.
    """
    made = [kind() for kind in _registry.parts.values() if kind.page == page]
    return sorted(made, key=lambda each: each.order)  # equal ones as they were registered


class Shown(NamedTuple):
    """A section that has something to show of a study."""

    section: Section
    figures: dict[str, Drawing]
    content: Content


def shown_sections(study: Any, all_sections: Sequence[Section]) -> list[Shown]:
    """Those of the sections that have something to show of a study, in their order.

    Raises InvalidSetting where two of them draw a figure of the same name: one would replace the
    other in the folder.
    """
    made = []
    owners: dict[str, str] = {}
    for each in all_sections:
        content = each.content(study)
        if content is None:
            continue
        figures = each.figures(study)
        for name in figures:
            first = owners.setdefault(name, each.title)
            if first != each.title:
                raise InvalidSetting(
                    f"figures of section {shown(each.title)} has a figure {shown(name)}, as "
                    f"section {shown(first)} has; name it otherwise"
                )
        if figures or content:
            made.append(Shown(each, figures, {**NOTHING, **content}))
    return made


def drawings(study: Any) -> dict[str, Callable[[], Figure]]:
    """The figures of every section of a run's page.

    Parameters
    ----------
    study : Study
        The study that they show.

    Returns
    -------
    dict of str to callable
        By file name; each is drawn when it is called.
    """
    return {
        name: drawing.draw
        for each in shown_sections(study, sections())
        for name, drawing in each.figures.items()
    }
