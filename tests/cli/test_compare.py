"""`attractory compare`: what it prints, leaves behind, and refuses."""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd
import pytest

import attractory as at

TASK = at.tasks.FlipFlop(bits=1, steps=60, first_onset=(5, 15), pulse=4, delay=4)


@pytest.fixture
def compare(in_process):
    return partial(in_process, "compare")


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Folders of runs: two of one task, one of another, one of a single network."""
    place = tmp_path_factory.mktemp("runs")
    longer = TASK.replace(steps=80)
    for name, units, task, nets in (
        ("one", 5, TASK, 2), ("two", 6, TASK, 2), ("longer", 6, longer, 2), ("single", 5, TASK, 1)
    ):  # fmt: skip
        model = at.models.RateRNN(units=units)
        networks = [model.build(1, 1, seed=seed) for seed in range(nets)]
        at.Run(task, model, networks, rule=at.rules.BPTT()).save(place / name)
    return place


@pytest.mark.usefixtures("undrawn")
def test_runs_are_compared_on_a_page_with_tables(folders, compare, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    asked = ["--metric", "behaviour", "--by", "units", "--measure", "spectral_radius"]
    status, output, errors = compare(folders / "one", folders / "two", *asked, "--trials", 16)
    assert status == 0, errors
    assert "4 networks in 2 groups." in output
    assert "the median behaviour distance" in " ".join(output.split())
    assert "report: runs/compare/population.html" in output
    runs = {name: at.load(folders / name) for name in ("one", "two")}
    known = at.population.measure(runs, "spectral_radius", progress=False)
    table = pd.read_csv("runs/compare/networks.csv")
    np.testing.assert_allclose(table["spectral_radius"], known["spectral_radius"])
    assert table["group"].tolist() == ["5 units"] * 2 + ["6 units"] * 2
    apart = at.population.compare(runs, "behaviour", trials=16, nulls=False, progress=False)
    np.testing.assert_allclose(pd.read_csv("runs/compare/distances.csv")["distance"], apart.pairs)


@pytest.mark.usefixtures("undrawn")
def test_the_page_of_one_run_lies_in_its_folder(folders, compare):
    status, output, _ = compare(folders / "one", "--metric", "spectra", "--measure", "n_outside")
    assert status == 0
    assert "Groups of networks are not compared: they are of one run." in output
    assert (folders / "one" / "compare" / "population.html").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["single"], "there is one to compare; at least two are needed"),
        (["one", "longer"], "one is of FlipFlop"),
        (["one", "longer"], "longer is of FlipFlop"),
        (["one", "one"], "RUN one, one: a run is given twice"),
        (["one", "--metric", "procrusts"], "did you mean 'procrustes'?"),
        (["one", "--by", "rul"], "by = 'rul' is not allowed; allowed: "),
        (["one", "--measure", "accurcy"], "did you mean 'accuracy'?"),
        (["one", "--trials", "1"], "trials = 1 is not allowed"),
        ([], "Missing argument"),
    ],
)
def test_mistakes_are_one_line(arguments, message, folders, compare, monkeypatch):
    monkeypatch.chdir(folders)
    status, _, errors = compare(*arguments)
    assert status == 2
    assert message in errors
    assert errors.count("\n") == 1, errors
