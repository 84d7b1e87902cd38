"""The pages of a sweep and of a tuning: one HTML file, beside it tables and figures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from attractory._files import write_text
from attractory.report._page import write_page
from attractory.report._section import OF_A_SWEEP, OF_A_TUNING, sections, shown_sections
from attractory.sweeps._studied import StudiedSweep, StudiedTuning
from attractory.sweeps.page._story_of_sweep import story_of_sweep
from attractory.sweeps.page._story_of_tuning import story_of_tuning

PAGE, TABLE, POINTS = "report.html", "table.csv", "points.csv"


def write_sweep(study: StudiedSweep, path: Path) -> Path:
    """Write the page of a sweep, its table and its points (CSV), and a folder `figures`."""
    tables = {TABLE: study.table}
    if study.score is not None:
        tables[POINTS] = study.tried.points(study.score)
    title = f"Sweep {study.name}: {len(study.tried)} networks"
    return _write(path, title, study, OF_A_SWEEP, story_of_sweep(study), tables)


def write_tuning(study: StudiedTuning, path: Path) -> Path:
    """Write the page of a tuning, its table (CSV), and a folder `figures`."""
    title = f"Tuning {study.name}: {len(study.tried)} trials"
    tables = {TABLE: study.table}
    return _write(path, title, study, OF_A_TUNING, story_of_tuning(study), tables)


def _write(
    path: Path, title: str, study: Any, kind: str, told: Any, tables: dict[str, pd.DataFrame]
) -> Path:
    for name, table in tables.items():
        write_text(path.parent / name, table.to_csv(index=False))
    return write_page(path, title, told, shown_sections(study, sections(kind)), "")
