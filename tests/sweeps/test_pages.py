"""The pages of sweeps and tunings say what their tables say, also where there is little to say."""

from __future__ import annotations

import html
import re

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sweeps.made_studies import LINE, TASK, made_sweep, made_tuning, retrained

import attractory as at
from attractory.report._section import sections, shown_sections

pytest.importorskip("optuna")


def text_of(page):
    """What a reader sees of it: no figures, one space between words."""
    content = page.read_text(encoding="utf-8")
    assert "<b>" not in content.split("<main>")[1]  # a line of an error is text
    body = re.sub(r"<style>.*?</style>|<[^>]*>", " ", content, flags=re.S)
    return re.sub(r"\s+", " ", html.unescape(body))


def said(study, page):
    """The words of the sections by their titles, without drawing anything."""
    from attractory.sweeps import page as _  # noqa: F401  which makes them known

    return {
        each.section.title: " ".join(each.content["text"])
        for each in shown_sections(study, sections(page))
    }


@pytest.fixture(scope="module")
def sweep(tmp_path_factory):
    return made_sweep(tmp_path_factory.mktemp("sweeps") / "rates")


@pytest.fixture(scope="module")
def tuning(tmp_path_factory):
    """Two dozen complete trials, of which the last is the best; two that failed, one pruned."""
    trials = [("complete", [1 - 0.01 * i]) for i in range(24)]
    # the last loss of a pruned trial, which Optuna takes for its value, is none
    trials[4:4] = [("fail", None), ("pruned", [0.01]), ("fail", None)]
    made = made_tuning(tmp_path_factory.mktemp("tunings") / "gains", trials)
    retrained(made, {26: [0.8, 0.9]}, "mse")
    return at.open_tuning(made.path)


@pytest.fixture(scope="module")
def page(sweep):
    return sweep.report(sweep.path.parent / "elsewhere" / "page.html")


def test_the_page_of_a_sweep_says_what_its_table_says(sweep, page):
    text = text_of(page)
    table = sweep.table()
    done = table[table["status"] == "done"]
    points = done.groupby(["rule.learning_rate", "model.activation"])["correct"]
    (rate, word), best = points.mean().idxmax(), points.mean().max()
    assert "Sweep rates: 24 networks" in text
    assert "rule.learning_rate (0.001, 0.01, 0.1); model.activation (tanh, relu). 6 points" in text
    assert "12 runs: 1 waiting, 9 done, 2 failed. This page is of what was done" in text
    assert f"Of 5 points the highest mean correct {100 * best:.1f} %" in text
    assert f"rule.learning_rate = {rate:g}, model.activation = {word}" in text
    assert "2 runs failed." in text
    assert f"2 failed 9, 10 {LINE}" in text
    assert "node0 (5 runs), node1 (4 runs)" in text
    assert "18 s in all, median 2 s a run" in text
    assert str(sweep.path) not in text
    figures = {file.stem for file in (page.parent / "figures").iterdir()}
    assert figures == {"fields", "pair"}


def test_tables_stand_beside_the_page(sweep, page):
    pd.testing.assert_frame_equal(pd.read_csv(page.parent / "table.csv"), sweep.table())
    points = pd.read_csv(page.parent / "points.csv")
    table = sweep.table()
    for row in points[points["networks"] > 1].to_dict("records"):
        same = table[
            (table["rule.learning_rate"] == row["rule.learning_rate"])
            & (table["model.activation"] == row["model.activation"])
        ]["correct"].dropna()
        assert row["networks"] == len(same)
        ends = stats.t.interval(0.95, len(same) - 1, same.mean(), stats.sem(same))
        assert [row["mean"], row["low"], row["high"]] == pytest.approx(
            [same.mean(), *np.clip(ends, 0, 1)]
        )


def test_what_varied_is_told_apart_from_the_seed(tmp_path):
    vary = {
        "grid": {"rule.optimizer": ["adam", "sgd"], "rule.clip": [1.0, None], "seed": [0, 1, 2]},
        "when": [{"has": {"rule.optimizer": "sgd"}, "grid": {"model.units": [8, 12]}}],
    }
    tried = made_sweep(tmp_path / "when", vary).tried()
    assert tried.fields == ("rule.optimizer", "rule.clip", "model.units")
    assert set(tried.rows["rule.clip"]) == {"1.0", "none"}  # no number among numbers is a word
    units = tried.rows["model.units"]
    assert units.isna().equals(tried.rows["rule.optimizer"] == "adam")
    assert set(units.dropna()) == {8.0, 12.0}
    assert tried.scores == ("correct", "accuracy", "mse", "distance", "loss")
    assert tried.directions["loss"] == "minimize"
    assert len(tried.points()) == 6


def test_of_seeds_alone_there_is_one_point(tmp_path):
    made = made_sweep(tmp_path / "seeds", {"grid": {"seed": range(6)}}, left=0)
    told = said(made._studied(), "sweep")
    assert list(told) == ["Each field", "Points", "Failed runs", "Provenance of runs"]
    assert told["Each field"].startswith("No setting varies")
    assert len(made.tried().points()) == 1


def test_a_sweep_of_which_nothing_is_done_has_a_page(tmp_path):
    made = made_sweep(tmp_path / "new", left=12)
    assert made.report() == made.path / "report.html"
    text = text_of(made.path / "report.html")
    assert "12 runs: 10 waiting, 2 failed" in text
    assert text.count("Not known: no network has a score yet.") == 1
    assert "Failed runs" in text


def test_networks_that_diverged_are_counted(tmp_path):
    made = made_sweep(tmp_path / "wild")
    first = made._jobs[0][0]
    made._store.notes[first.key]["networks"][0] |= {"outcome": "diverged", "correct": np.nan}
    study = made._studied()
    assert study.tried.states["diverged"] == 1
    assert "1 network diverged" in said(study, "sweep")["Failed runs"]
    assert study.tried.points()["networks"].sum() == 17


def test_the_page_of_a_tuning_says_what_its_table_says(tuning):
    text = text_of(tuning.report())
    best = tuning.best.iloc[0]
    assert "Tuning gains: 27 trials" in text
    assert "rule.learning_rate (0.0001 to 0.1, logarithmic)" in text
    assert "for the lowest mse on the task flipflop." in text
    assert "27 trials: 24 complete, 1 pruned, 2 failed." in text
    assert f"Trial 26: rule.learning_rate = {best['rule.learning_rate']:.4g}" in text
    assert "mse 0.77 on the trials it was chosen by; 0.85 with 2 fresh seeds on fresh" in text
    assert "standard error 0.05." in text
    assert f"2 failed 4, 6 {LINE}" in text
    assert "the best 3 trials are from those of all 24" in text
    assert "so few that the order is a hint" in text
    usual = at.recipe(TASK)
    assert f"recipe has rule.learning_rate = {usual.rule.learning_rate:.4g}" in text
    assert f"model.activation = {usual.model.activation}" in text
    figures = {file.stem for file in (tuning.path / "figures").iterdir()}
    assert figures == {"history", "importance", "slices-mse", "contour-mse"}


def test_what_was_tried_is_the_table(tuning):
    tried, table = tuning.tried(), tuning.table()
    assert tried.fields == tuning.fields
    assert tried.logarithmic == ("rule.learning_rate",)
    assert tried.directions == {"mse": "minimize"}
    np.testing.assert_array_equal(tried.rows["mse"], table["mse"])
    assert np.isnan(table["mse"][4:7]).all()
    assert (table["mse"].count(), table["mse"].min()) == (24, pytest.approx(0.77))
    np.testing.assert_array_equal(tried.rows["number"], table["trial"])
    assert tried.front.tolist() == tuning.best_trials
    shares = tuning.importance().set_index("field")["importance"].to_dict()
    assert tried.importance == {"mse": shares}


@pytest.fixture(scope="module")
def front(tmp_path_factory):
    """Three objectives of a dozen trials."""
    rng = np.random.default_rng(1)
    trials = [("complete", rng.random(3).round(1).tolist()) for _ in range(12)]
    objective = ["mse", "correct", {"name": "spectral_radius", "direction": "minimize"}]
    return made_tuning(tmp_path_factory.mktemp("tunings") / "front", trials, objective=objective)


def test_the_front_of_several_objectives_is_optuna_s(front):
    assert 1 < len(front.best_trials) < 12
    assert front.tried().front.tolist() == sorted(front.best_trials)


@pytest.mark.slow
def test_of_several_objectives_each_has_its_figures(front):
    text = text_of(front.report())
    assert f"{len(front.best_trials)} trials of 12 on the Pareto front" in text
    names = {file.stem for file in (front.path / "figures").iterdir()}
    pairs = {"front-mse-correct", "front-mse-spectral_radius", "front-correct-spectral_radius"}
    each = {f"{kind}-{name}" for kind in ("slices", "contour") for name in front.objectives}
    assert names == {"history", "importance", *pairs, *each}


@pytest.mark.parametrize(
    ("trials", "missing"),
    [
        ([], {"Best trials", "History", "Slices", "Provenance of trials", "Failed trials"}),
        ([("pruned", None)], {"Best trials", "History", "Slices", "Failed trials"}),
        ([("complete", [0.5])], {"Failed trials"}),
        ([("complete", [0.5])] * 3, {"Failed trials"}),
    ],
    ids=["none", "pruned", "one", "equal"],
)
def test_of_few_trials_what_is_not_known_is_said(tmp_path, trials, missing):
    made = made_tuning(tmp_path, trials)
    study = made._studied()
    told = said(study, "tuning")
    assert not set(told) & missing
    assert (
        told["Importance"] == "For mse not known: it takes two complete trials that differ in it."
    )
    assert told["Contour"].startswith("Too few complete trials")
    assert study.tried.importance == {}
    with pytest.raises(at.InvalidSetting, match=r"2 complete trials or more|have one mse"):
        made.importance()


def test_a_tuning_of_which_nothing_is_done_has_a_page(tmp_path):
    text = text_of(made_tuning(tmp_path, []).report())
    assert "None has begun." in text
    assert "Not known: no trial is complete." in text


def test_a_task_that_is_not_known_here_has_no_recipe(tuning):
    other = at.open_tuning(tuning.path)
    other._described = {**other._described, "task": {"name": "nowhere", "settings": {}}}
    assert other._studied().recipe == {}


def test_a_trial_that_has_no_values_yet_is_counted_and_drawn_nowhere(tmp_path):
    from attractory.sweeps._tuning_store import opened

    made_tuning(tmp_path, [("complete", [0.1 * i]) for i in range(5)])
    opened(tmp_path, None)[1].ask()
    made = at.open_tuning(tmp_path)
    tried = made.tried()
    assert tried.states == {"complete": 5, "running": 1}
    assert np.isnan(tried.rows["model.recurrent_gain"].iloc[-1])
    assert tried.rows["model.activation"].iloc[-1] == ""
    assert set(tried.levels("model.activation").names) <= {"tanh", "relu"}
    assert "6 trials: 5 complete, 1 running." in made.statement.replace(";", ".")
    figure = at.figures.tuning_contour(tried, fields=["model.activation", "model.recurrent_gain"])
    assert len(figure.axes[0].collections[-1].get_offsets()) == 5


def test_a_users_own_section_stands_in_the_page_of_a_sweep(sweep, registries):
    @at.report.section
    class Fastest(at.report.Section):
        page = "sweep"

        def content(self, study):
            return {"text": [f"The fastest run took {min(study.provenance.seconds):g} s."]}

    told = said(sweep._studied(), "sweep")
    assert told["Fastest"] == "The fastest run took 2 s."
    assert list(told)[-2:] == ["Fastest", "Provenance of runs"]
