"""Every network: a row of numbers, and its own pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from attractory import figures
from attractory.report._section import OF_A_POPULATION, Content, Drawing, Section, section
from attractory.report.population._portraits import Portrait

if TYPE_CHECKING:
    from attractory.report.population._study import PopulationStudy

SPECTRUM = "Eigenvalues of its {of}, and the unit circle."
SPACE = (
    "What it does in one trial (A), and its states in their three leading principal components "
    "(B; grey lines: {trials})."
)


@section
class Networks(Section):
    """A table that can be sorted; each network's eigenvalues and states behind its name."""

    title = "Networks"
    page = OF_A_POPULATION
    order = 10
    template = "networks.html"

    def content(self, study: PopulationStudy) -> Content:
        panels = {
            f"network {label}": _drawings(portrait, f"network-{i}")
            for i, (label, portrait) in enumerate(zip(study.labels, study.portraits, strict=True))
        }
        return {"table": study.table().apply(_counts), "panels": panels}


def _counts(column: pd.Series) -> pd.Series:
    """Numbers that are all whole, as such: how many there are of something."""
    if column.dtype != float or not (known := column.dropna()).size or (known % 1).any():
        return column
    return column.map(lambda value: value if np.isnan(value) else int(value)).astype(object)


def _drawings(portrait: Portrait, name: str) -> dict[str, Drawing]:
    """The pictures of one network, by the names of their files."""
    made: dict[str, Drawing] = {}
    spectrum, space = portrait.spectrum, portrait.space
    if space is not None:
        count = len(space.coordinates)
        caption = SPACE.format(trials="one trial" if count == 1 else f"{count} trials")
        made[f"{name}-states"] = Drawing(
            caption, lambda: figures.state_space(space, portrait.trajectory, portrait.trials)
        )
    if spectrum is not None:
        caption = SPECTRUM.format(of=spectrum.of)
        made[f"{name}-spectrum"] = Drawing(caption, lambda: figures.spectrum(spectrum))
    return made
