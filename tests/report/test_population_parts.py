"""Robustness and learning on the page of a population, and on pages of their own."""

from __future__ import annotations

import html
import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import xarray
from contracts.examples_of_figures import learned

import attractory as at
from attractory.evaluation import RobustnessCurve
from attractory.population import Battery, _battery, _through_learning
from attractory.report import population_study, write_learning, write_population, write_robustness
from attractory.report.population._story_of_parts import where_they_fail
from attractory.runs import Check, _results

TASK = at.tasks.FlipFlop(bits=1, steps=60, first_onset=(5, 15), pulse=4, delay=4)
AXES = {"pruned_weights": (0.0, 0.5), "lesioned_excitatory": (0.5,)}
UNKEPT = 7  # the seed of the run that kept no checks
ASKED = {"metric": "spectra", "names": "accuracy", "trials": 8, "progress": False}


def run_of(units, seed=0):
    model = at.models.RateRNN(units=units)
    networks = [model.build(1, 1, seed=seed + net) for net in (0, 1)]
    return at.Run(TASK, model, networks, seed=seed)


@pytest.fixture(scope="module")
def patched():
    """Two axes with usual values; runs whose last networks came from others, two steps before."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_battery, "axes_of_batteries", lambda task: AXES)
        patch.setattr(at.Run, "checks", checks)
        yield


def checks(run):
    if run.seed == UNKEPT:
        raise at.InvalidSetting("no weights of checks")
    earlier = tuple(run.model.build(1, 1, seed=seed) for seed in (8, 9))
    return Check(1, earlier), Check(3, tuple(run.networks))


@pytest.fixture(scope="module")
def runs(patched, tmp_path_factory):
    made = {"small": run_of(5), "other one": run_of(6), "unkept": run_of(6, UNKEPT)}
    for name, run in made.items():
        run.save(tmp_path_factory.mktemp("runs") / name)
    return made


@pytest.fixture(scope="module")
def results(runs):
    return population_study(runs, battery=True, learning=True, **ASKED)


def text_of(page):
    return html.unescape(re.sub(r"base64,[^\"]*", "", page.read_text()))


@pytest.mark.usefixtures("undrawn")
def test_the_page_has_both_with_their_numbers(results, runs, tmp_path):
    page = text_of(write_population(results, tmp_path / "population.html"))
    headings = re.findall(r"<h2>(.*?)</h2>", page)
    assert headings[-4:] == ["Battery", "Through learning", "Definitions", "What was compared"]
    assert "<dt>How robust are they?</dt>" in page
    assert "<dt>What happens through learning?</dt>" in page
    tried = at.population.battery(runs, trials=8, progress=False)
    pd.testing.assert_frame_equal(results.battery.table(), tried.table())
    assert "Not tried is lesioned_excitatory: " in page
    for value in tried.means().query("axis == 'pruned_weights'")["mean"]:
        assert f">{value:.4f}</td>" in page
    assert list(results.learning) == ["small", "other one"]
    assert "Nothing through learning of unkept: no weights of checks." in page
    known = at.population.through_learning(runs["small"], "accuracy", metric="spectra", trials=8)
    assert f">{known['accuracy'][0].mean():.4f}</td>" in page
    assert (tmp_path / "figures" / "through_learning-1.svg").exists()
    assert (tmp_path / "figures" / "battery.svg").exists()


def test_both_are_left_as_csv_and_netcdf(results, tmp_path):
    results.save(tmp_path)
    scores = pd.read_csv(tmp_path / "robustness.csv")
    np.testing.assert_allclose(scores["mse"], results.battery.table()["mse"])
    assert len(pd.read_csv(tmp_path / "robustness_crossings.csv")) == 6
    by_step = pd.read_csv(tmp_path / "learning.csv")
    assert by_step.groupby("run").size().to_dict() == {"small": 8, "other one": 8}
    with xarray.open_dataset(tmp_path / "learning.nc", engine="scipy") as known:
        here = known["accuracy"].sel(run="other one", step=3)
        np.testing.assert_allclose(here, results.learning["other one"]["accuracy"][-1])
    with xarray.open_dataset(tmp_path / "robustness.nc", engine="scipy") as known:
        here = known["pruned_weights_accuracy"].sel(net="unkept 1")
        np.testing.assert_allclose(here, results.battery["pruned_weights"].accuracy[5])


def test_what_was_computed_is_found_again_in_other_groups(results, runs, monkeypatch):
    def refuse(*arguments, **settings):
        raise AssertionError("computed again")

    _results._memory.clear()
    monkeypatch.setattr(_battery, "robustness", refuse)
    monkeypatch.setattr(_through_learning, "measure", refuse)
    loaded = {name: at.load(run.path) for name, run in runs.items()}
    # the axis that these networks do not have is asked for anew
    known = {"pruned_weights": AXES["pruned_weights"]}
    monkeypatch.setattr(_battery, "axes_of_batteries", lambda task: known)
    again = population_study(loaded, by="units", battery=True, learning=True, **ASKED)
    assert again.battery.groups == ("5 units", "6 units")
    np.testing.assert_array_equal(
        again.battery["pruned_weights"].mse, results.battery["pruned_weights"].mse
    )
    for name, learning in results.learning.items():
        np.testing.assert_array_equal(again.learning[name].values, learning.values)


def test_without_kept_checks_learning_cannot_be_asked_for(runs):
    with pytest.raises(at.InvalidSetting, match=r"learning = True .*unkept: no weights of checks"):
        population_study({"unkept": runs["unkept"]}, learning=True, **ASKED)
    networks = runs["small"].networks
    with pytest.raises(at.InvalidSetting, match="learning = True is not allowed: there is no run"):
        population_study(networks, learning=True, task=TASK, **ASKED)


@pytest.mark.usefixtures("undrawn")
def test_a_battery_has_a_page_of_its_own(runs, tmp_path):
    tried = at.population.battery(runs["small"], trials=8, progress=False)
    page = text_of(write_robustness(tried, tmp_path / "out" / "robustness.html"))
    assert "<h1>How robust are 2 networks?</h1>" in page
    assert re.findall(r"<h2>(.*?)</h2>", page) == ["Battery"]
    assert where_they_fail(tried) in page
    assert '<td data-name="group">' not in page
    saved = pd.read_csv(tmp_path / "out" / "robustness_thresholds.csv")
    assert saved["axis"].tolist() == tried.thresholds()["axis"].tolist()


@pytest.mark.usefixtures("undrawn")
def test_where_half_fail_in_words(tmp_path):
    values = np.array([0.0, 1.0])
    falls, holds, fails = np.array([[1.0, 0.5]]), np.ones((1, 2)), np.zeros((1, 2))
    curves = tuple(
        RobustnessCurve(name, values, 0.0, *[shares] * 3)
        for name, shares in (("held_longer", falls), ("noise", holds), ("pulse", fails))
    )
    whole = Battery(curves, np.array([0]), ("a",), "correct", 0.75, 0.5, {}, (), 4, 1, 0)
    assert where_they_fail(whole) == (
        "Half of the networks are below 75 % of the trials correct at held longer (larger) 0.5. "
        "More than half never fall below 75 % of the trials correct on noise (larger). "
        "More than half are below 75 % of the trials correct from the start on pulse (larger)."
    )
    alone = replace(whole, curves=curves[2:])
    assert where_they_fail(alone).endswith(
        "75 % of the trials correct from the start, on every axis."
    )
    words = replace(whole, curves=(replace(curves[0], values=((1, 2), (2, 3))),))
    assert "no axis are numbers" in where_they_fail(words)
    page = write_robustness(words, tmp_path / "robustness.html").read_text()
    assert where_they_fail(words) in page


@pytest.mark.usefixtures("undrawn")
def test_learning_has_a_page_of_its_own(tmp_path):
    learning, points = learned()
    page = text_of(write_learning(learning, tmp_path / "learning.html", points))
    assert "<h1>How 2 networks learned</h1>" in page
    assert re.findall(r"<h2>(.*?)</h2>", page) == ["Through learning", "Fixed points"]
    assert f"{len(points.points[0])} at step 0 and {len(points.points[-1])} at step 200" in page
    assert len(page) < 100_000  # without the library of figures that turn
    fates = pd.read_csv(tmp_path / "fixed_points_fates.csv")
    assert len(fates) == len(points.fates_table())
    assert set(pd.read_csv(tmp_path / "learning.csv")) == set(learning.table())
    alone = text_of(write_learning(learning, tmp_path / "alone.html"))
    assert "Fixed points" not in alone
