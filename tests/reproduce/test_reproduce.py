"""The page of the reproduction: the paper's figures by its numbers, beside its network."""

from __future__ import annotations

import pytest

import attractory as at
from attractory.report import study, write
from attractory.reproduce import reproduce
from attractory.reproduce._page import CREDIT, NUMBERED, paper_sections


@pytest.fixture(scope="module")
def run():
    task = at.tasks.FlipFlop.paper(score_last_step=False)
    rule = at.rules.BPTT(steps=3, batch=4, optimizer="adam")
    return at.train(task, at.models.RateRNN(units=10), rule, progress=False)


@pytest.mark.usefixtures("undrawn")
def test_the_figures_have_the_numbers_of_the_paper(run, tmp_path):
    results = study(run, n=8)
    page = write(run, tmp_path / "report.html", results, paper_sections(), CREDIT)
    names = {file.stem for file in (tmp_path / "figures").iterdir()}
    assert names == {
        "figure1_flip_flop",
        "figure2_network",
        "figure3_trials",
        "figure4_connectivity",
        "figure5_spectra",
        "figure6_state_space",
        "figure7_state_spaces",
        "learning_curve",
        "robustness",
        "spectral_radius",
    }
    (learning,) = (each for each in paper_sections() if each.title == "Learning")
    curve = learning.figures(results)["learning_curve"].draw()
    shown = [text.get_text() for legend in curve.legends for text in legend.get_texts()]
    assert "published network, 0.0133" in shown
    assert "follow C. Jarne (2024), Front. Syst. Neurosci. 18:1269190." in page.read_text()


def test_the_sections_are_those_of_every_page():
    usual = at.report.sections()
    assert [each.title for each in paper_sections()] == [each.title for each in usual]
    assert [each.template for each in paper_sections()] == [each.template for each in usual]


def test_every_numbered_figure_is_one_of_the_page(run):
    assert set(NUMBERED) <= set(at.report.drawings(study(run, n=8)))


def test_an_unknown_preset_is_refused(tmp_path):
    with pytest.raises(at.InvalidSetting, match="preset = 'quick' is not allowed"):
        reproduce("quick", path=tmp_path)
