"""The documentation runs: every Python block of a page, in order, in one namespace."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import attractory as at

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted(
    page
    for page in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]
    if "```python" in page.read_text(encoding="utf-8")
)


def run_blocks(page):
    """Every Python block of a page, in order, in one namespace; yields it after each block."""
    namespace: dict[str, object] = {"__name__": "docs"}
    for block in re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.S):
        exec(compile(block, page.name, "exec", dont_inherit=True), namespace)
        yield namespace


# their programs take longest to compile, and what they call has tests of its own; `make docs`
# runs them
LONG = (
    "cells-and-constraints", "curriculum", "force", "how-learned", "local-rules", "populations",
    "populations-distances", "populations-robustness", "reservoir", "rules", "song", "sweeps",
    "task-geometry", "tasks", "through-learning", "tune",
)  # fmt: skip


@pytest.mark.parametrize(
    "page",
    [
        pytest.param(page, id=page.name, marks=pytest.mark.slow if page.stem in LONG else ())
        for page in PAGES[1:]
    ],
)
def test_python_blocks_run(page, tmp_path, monkeypatch, registries):
    monkeypatch.chdir(tmp_path)
    assert list(run_blocks(page))


def test_the_readmes_examples_learn_what_they_say(tmp_path, monkeypatch, registries):
    monkeypatch.chdir(tmp_path)
    ran = run_blocks(PAGES[0])
    first = next(ran)
    assert (first["scores"].correct > 0.99).all()
    assert first["scores"].mse.max() < 0.01
    assert at.analysis.hypercube(first["space"]).r_squared > 0.98
    assert len(first["points"]) == 9
    assert first["points"].certified.all()
    assert sorted(first["points"].n_unstable > 0) == [False] * 4 + [True] * 5
    *_, last = ran
    assert at.evaluate(last["run"], n=256).correct.min() > 0.95
    assert at.analysis.audit(last["run"]).violations == 0


@pytest.mark.parametrize("page", [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))],
                         ids=lambda page: page.name)  # fmt: skip
def test_links_and_pictures_are_there(page):
    for target in re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8")):
        if not target.startswith("http"):
            assert (page.parent / target).exists(), target
