"""The page of many networks: its numbers are those of the results, its groups those asked for."""

from __future__ import annotations

import html
import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import xarray

import attractory as at
from attractory.population import _compare, _measuring
from attractory.report import population_study, write_population
from attractory.report.population._story import differences_in_words
from attractory.runs import _results

TASK = at.tasks.FlipFlop(bits=1, steps=60, first_onset=(5, 15), pulse=4, delay=4)
TITLES = [
    "Networks",
    "Measures",
    "Group differences",
    "Distances",
    "Map and clusters",
    "Definitions",
    "What was compared",
]
ASKED_FOR = ("Battery", "Through learning")
NAMES = ("accuracy", "spectral_radius", "learning_time")


def run_of(units, rule, gain=1.0):
    model = at.models.RateRNN(units=units, recurrent_gain=gain)
    networks = [model.build(1, 1, seed=seed) for seed in (0, 1)]
    return at.Run(TASK, model, networks, rule=rule)


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Two runs of two untrained networks, in folders."""
    folder = tmp_path_factory.mktemp("runs")
    made = {"weak": run_of(6, at.rules.BPTT()), "strong": run_of(8, at.rules.RFLO(), gain=1.6)}
    for name, run in made.items():
        run.save(folder / name)
    return made


@pytest.fixture(scope="module")
def results(runs):
    return population_study(runs, names=NAMES, trials=16, progress=False)


@pytest.fixture(scope="module")
def page(results, tmp_path_factory):
    """The text of the page, with all figures drawn."""
    path = tmp_path_factory.mktemp("page") / "population.html"
    write_population(results, path)
    assert len(list((path.parent / "figures").glob("network-?-s*.svg"))) == 8
    return path.read_text()


def titles(page):
    return [html.unescape(title) for title in re.findall(r"<h2>(.*?)</h2>", page)]


def test_the_numbers_are_those_of_measure_and_compare(runs, results):
    known = at.population.measure(runs, NAMES, trials=16, progress=False)
    apart = at.population.compare(runs, trials=16, progress=False)
    table = results.table()
    assert table["net"].tolist() == ["weak 0", "weak 1", "strong 0", "strong 1"]
    np.testing.assert_array_equal(table["spectral_radius"], known["spectral_radius"])
    np.testing.assert_array_equal(results.distances.matrix, apart.matrix)
    others = np.median(apart.matrix[2, [0, 1, 3]])
    assert table["median procrustes distance"][2] == pytest.approx(others)
    expected = known.compare().table()["p_holm"]
    np.testing.assert_array_equal(results.differences.table()["p_holm"], expected)


def test_the_page_has_every_network_measure_pair_and_null(results, page):
    assert titles(page) == TITLES
    text = html.unescape(re.sub(r"base64,[^\"]*", "", page))
    for i, label in enumerate(results.labels):
        assert f'<a href="#networks-{i}">{label}</a>' in text
        assert f'<details id="networks-{i}" name="networks"><summary>network {label}' in text
    for value in results.measures["spectral_radius"]:
        assert f">{value:.4f}</td>" in text
    for source in results.measures.sources.values():
        assert source.replace("`", "") in text
    for null in results.distances.nulls:
        assert f"<p>{null[0].upper()}{null[1:]}: " in text
    differences = results.differences
    found = f"{differences.low[1]:.3g} to {differences.high[1]:.3g}"
    assert differences.measure[1] == "spectral_radius"
    assert f'<td data-name="95 % interval">{found}</td>' in text
    assert text.count("weak \N{MINUS SIGN} strong</td>") >= 2 * len(NAMES)
    assert results.clusters.statement in text
    why = results.measures.reasons["learning_time"][0]
    assert f"No learning_time of 4 of 4 networks: {why}." in text


def test_groups_that_are_too_small_for_any_finding_are_called_so(results, page):
    """Of two and two networks there are six ways to split them, two as large as any."""
    assert "no p below 0.33, and 2 comparisons count" in page
    few, many = (
        replace(results.differences, p_holm=np.ones(3), n_first=sizes, n_second=sizes)
        for sizes in (np.full(3, 4), np.full(3, 5))
    )
    assert "no p below 0.029" in differences_in_words(few)  # 2 / 70, twice: 0.057
    assert "None could be found" not in differences_in_words(many)  # 2 / 252, twice: 0.016


def test_tables_are_left_as_csv_and_netcdf(results, tmp_path):
    results.save(tmp_path)
    table = pd.read_csv(tmp_path / "networks.csv")
    np.testing.assert_allclose(table["accuracy"], results.measures["accuracy"])
    matrix = pd.read_csv(tmp_path / "distance_matrix.csv", index_col="net")
    np.testing.assert_allclose(matrix, results.distances.matrix)
    assert len(pd.read_csv(tmp_path / "differences.csv")) == len(NAMES)
    with xarray.open_dataset(tmp_path / "population.nc", engine="scipy") as known:
        np.testing.assert_array_equal(known["distance"], results.distances.matrix)
        np.testing.assert_array_equal(known["place"], results.map.coordinates)
        assert known["net"].values.tolist() == list(results.labels)
        assert known["group"].values.tolist() == ["weak"] * 2 + ["strong"] * 2
        assert known["accuracy"].attrs["unit"] == "share"
        two = known["distance"].sel(net="weak 1", other="strong 0")
    assert float(two) == results.distances.frame().loc["weak 1", "strong 0"]


@pytest.mark.parametrize(
    ("by", "groups"), [("rule", ("BPTT", "RFLO")), ("units", ("6 units", "8 units"))]
)
def test_groups_are_those_asked_for(by, groups, runs, results):
    other = population_study(runs, by=by, names=NAMES, trials=16, progress=False)
    assert other.measures.groups == groups
    assert other.distances.groups == (groups[0],) * 2 + (groups[1],) * 2 == other.map.groups
    np.testing.assert_array_equal(other.differences.p, results.differences.p)


def test_what_was_computed_is_found_again(runs, results, monkeypatch):
    def refuse(*arguments, **settings):
        raise AssertionError("computed again")

    _results._memory.clear()
    loaded = {name: at.load(run.path) for name, run in runs.items()}
    monkeypatch.setattr(_measuring, "_rows", refuse)
    monkeypatch.setattr(_compare, "_all_prepared", refuse)
    again = population_study(loaded, by="rule", names=NAMES, trials=16, progress=False)
    np.testing.assert_array_equal(again.distances.matrix, results.distances.matrix)
    known = at.population.measure(loaded, NAMES, trials=16)  # a user's own call finds it, too
    np.testing.assert_array_equal(known.values, results.measures.values)
    with pytest.raises(AssertionError, match="computed again"):
        population_study({"weak": loaded["weak"]}, names=NAMES, trials=16, progress=False)


def test_what_a_users_function_gives_is_not_kept(runs, registries):
    given = []

    @at.population.measure_of("weights", larger="later", source="here")
    def how_often(network, context):
        given.append(network)
        return len(given)

    for names in ("how_often", None, None):
        own = population_study(runs, "spectra", names=names, trials=8, progress=False)
    assert own.measures["how_often"].tolist() == [9, 10, 11, 12]


@pytest.mark.usefixtures("undrawn")
def test_networks_that_diverged_are_left_out_and_named(runs, tmp_path):
    rows = [dict(row) for row in runs["strong"].status]
    rows[0]["status"] = "diverged"
    some = {**runs, "strong": replace(runs["strong"], status=rows, path=None)}
    found = population_study(some, "spectra", names="spectral_radius", progress=False)
    assert found.labels == ("weak 0", "weak 1", "strong")
    assert found.differences is None
    page = write_population(found, tmp_path / "population.html").read_text()
    assert "Networks that diverged in training: strong[0]." in page
    assert "group &#39;strong&#39; has 1 network; at least two are needed" in page
    assert "distances of 3 networks have no clusters" in page
    assert "Group differences" not in titles(page)


@pytest.mark.usefixtures("undrawn")
def test_networks_without_a_run_are_compared_too(tmp_path):
    networks = list(run_of(6, None).networks)
    found = population_study(networks, "spectra", names="spectral_radius", progress=False)
    assert found.labels == ("0", "1")
    assert found.omitted[0] == "Groups of networks are not compared: they are of one run."
    assert all(each.space is None and each.spectrum is not None for each in found.portraits)
    page = write_population(found, tmp_path / "population.html").read_text()
    assert "Not looked at: no measure of it was asked for" in page


@pytest.mark.usefixtures("undrawn")
def test_names_of_groups_stay_text(tmp_path):
    name = '"><script>window.ran=1</script>'
    groups = {name: list(run_of(6, None).networks), "{{ 7*7 }}": list(run_of(8, None).networks)}
    found = population_study(groups, "spectra", names="spectral_radius", progress=False)
    page = write_population(found, tmp_path / "population.html").read_text()
    assert "<script>window.ran" not in page
    assert page.count("&#34;&gt;&lt;script&gt;window.ran=1") > 4
    assert "{{ 7*7 }} 0</a>" in page


def test_runs_of_different_tasks_share_what_needs_none(runs):
    longer = replace(runs["strong"], task=TASK.replace(steps=80), path=None)
    both = {"weak": runs["weak"], "longer": longer}
    with pytest.raises(at.InvalidSetting, match=r"weak is of FlipFlop.*, longer is of FlipFlop"):
        population_study(both, progress=False)
    with pytest.raises(at.InvalidSetting, match="networks of one task"):
        population_study(both, "spectra", names="accuracy", progress=False)
    found = population_study(both, "spectra", progress=False)
    assert {at.population.find_measure(name).needs for name in found.measures.names} == {"weights"}
    first, *_, last = (portrait.trials for portrait in found.portraits)
    assert first is found.portraits[1].trials  # drawn once a task
    assert first is not last


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"metric": "procrusts"}, "did you mean 'procrustes'"),
        ({"by": "rul"}, "by = 'rul' is not allowed; allowed: .* did you mean 'rule'"),
        ({"names": "accurcy"}, "did you mean 'accuracy'"),
        ({"trials": 2}, "trials = 2 is not allowed"),
    ],
)
def test_mistakes_are_named(given, message, runs):
    with pytest.raises(at.InvalidSetting, match=message):
        population_study(runs, progress=False, **given)


def test_one_network_is_too_few(runs):
    with pytest.raises(at.InvalidSetting, match="there is one to compare"):
        population_study([runs["weak"].networks[0]], "spectra", progress=False)
    with pytest.raises(at.InvalidSetting, match=r"at\.report\.population_study"):
        write_population(runs["weak"], "nowhere.html")


@pytest.mark.usefixtures("registries", "undrawn")
def test_a_section_of_ones_own_stands_in_the_page_it_is_of(results, tmp_path):
    @at.report.section
    class Smallest(at.report.Section):
        page = "population"

        def content(self, study):
            return {"text": [f"{study.distances.pairs.min():.3f} is the smallest."]}

    text = write_population(results, tmp_path / "population.html").read_text()
    assert titles(text) == [*TITLES[:-1], "Smallest", TITLES[-1]]
    assert f"<p>{results.distances.pairs.min():.3f} is the smallest.</p>" in text
    assert "Smallest" not in [each.title for each in at.report.sections()]
    known = [each.title for each in at.report.sections("population")]
    assert [title for title in known if title not in ASKED_FOR] == titles(text)
