"""Figures draw results: they step no network, sample no task and analyse nothing."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest

import attractory as at

FILES = sorted(Path(at.figures.__file__).parent.glob("*.py"))
CALLS = re.compile(
    r"\.(simulate|sample|respond|run|step|jacobians|jacobian_with|pull_back|follow)\("
    r"|(?<![\w.])step\("
    r"|analysis\.\w+\("
)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_no_figure_computes_what_it_shows(file):
    text = file.read_text(encoding="utf-8")
    assert CALLS.findall(text) == []
    imported = re.search(r"^from attractory\.analysis import (.*)$", text, re.M)
    names = imported[1].split(", ") if imported else []
    for name in names:  # the kinds of results, none of the functions that make them
        assert inspect.isclass(getattr(at.analysis, name)), name
