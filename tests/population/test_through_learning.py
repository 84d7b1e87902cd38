"""Measures and distances at kept steps of training, beside those of each network alone."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

import attractory as at
from attractory.population import Learning, _through_learning, measure, through_learning
from attractory.runs import _results

FLIP = at.tasks.FlipFlop(bits=1, steps=60, first_onset=(5, 15), pulse=4, delay=4)
RULE = at.rules.BPTT(steps=5, batch=8, optimizer="adam", check_every=2, keep_checks=True)


def bit(gain):
    return at.models.RateRNN.from_weights([[gain, 0.0], [0.0, 0.2]], [[1.5], [1.0]], [[1.0, 0.0]])


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    path = tmp_path_factory.mktemp("runs") / "run"
    model = at.models.RateRNN(units=4)
    return at.train(FLIP, model, RULE, nets=2, seed=0, path=path, progress=False)


def test_checks_are_the_networks_of_their_steps(run):
    """A training that ends at step 4 has the weights that the longer one has there."""
    checks = run.checks()
    assert [check.step for check in checks] == [2, 4, 5]
    again = at.load(run.path).checks()
    for net, network in enumerate(run.networks):
        for name, weights in network.weights.items():
            np.testing.assert_array_equal(checks[-1].networks[net].weights[name], weights)
            np.testing.assert_array_equal(again[-1].networks[net].weights[name], weights)
    assert checks[0].networks[0].model == run.networks[0].model


def test_damaged_weights_of_a_check_are_one_line(run, tmp_path):
    shutil.copytree(run.path, tmp_path / "run")
    file = tmp_path / "run" / "checkpoints" / "weights-02.safetensors"
    file.write_bytes(file.read_bytes()[:-1] + b"x")
    with pytest.raises(at.FileProblem, match=r"weights-02.safetensors: damaged"):
        at.load(tmp_path / "run").checks()


@pytest.mark.parametrize("kept", [False, True])
def test_a_run_without_checks_says_what_keeps_them(tmp_path, kept):
    path = None if kept else tmp_path / "run"
    rule = RULE.replace(steps=1, keep_checks=kept)
    made = at.train(FLIP, at.models.RateRNN(units=2), rule, path=path, progress=False)
    with pytest.raises(at.InvalidSetting, match="keep_checks=True") as caught:
        through_learning(made, progress=False)
    assert "\n" not in str(caught.value)


def test_measures_are_those_of_each_network_alone(run):
    names = ["accuracy", "spectral_radius", "n_fixed_points"]
    found = through_learning(run, names, trials=16, seed=3, progress=False)
    for at_step, check in enumerate(run.checks()):
        alone = measure(check.networks, names, FLIP, 16, seed=3)
        np.testing.assert_array_equal(found.values[at_step], alone.values)
    table = found.table()
    assert list(table.columns) == ["net", "step", "measure", "value", "unit"]
    row = table[(table.net == 1) & (table.step == 4) & (table.measure == "spectral_radius")]
    assert row["value"].item() == found["spectral_radius"][1, 1]


def test_what_is_stopped_goes_on_at_the_step_that_is_left(run, tmp_path, monkeypatch):
    shutil.copytree(run.path, tmp_path / "run")
    measured, compared = [], []

    def counted(networks, *rest, **settings):
        measured.append(len(measured))
        if measured == [0, 1]:
            raise KeyboardInterrupt
        return measure(networks, *rest, **settings)

    distance = at.population.find_distance("procrustes")
    prepared = type(distance).prepared
    monkeypatch.setattr(_through_learning, "measure", counted)
    monkeypatch.setattr(
        type(distance), "prepared", lambda *of: compared.append(of) or prepared(*of)
    )
    asked = {"measures": ["accuracy", "n_outside"], "metric": "procrustes", "trials": 8}
    with pytest.raises(KeyboardInterrupt):
        through_learning(at.load(tmp_path / "run"), **asked, progress=False)
    found = []
    for _ in range(2):
        _results._memory.clear()  # as in a new process
        found.append(through_learning(at.load(tmp_path / "run"), **asked, progress=False))
    assert len(measured) == 2 + 2  # of three steps the first was done
    assert len(compared) == 2 * (3 + 1)  # each network at three steps, and at the last one
    alone = through_learning([tuple(check) for check in run.checks()], task=FLIP, **asked)
    for each in found:
        assert each.table().equals(alone.table())


def test_the_numbers_have_their_names_in_xarray(run):
    found = through_learning(run, ["accuracy", "n_outside"], metric="spectra", trials=8)
    named = found.to_xarray()
    assert dict(named.sizes) == {"step": 3, "net": 2}
    assert float(named["n_outside"].sel(step=4, net="1")) == found["n_outside"][1, 1]
    np.testing.assert_array_equal(named["distance_to_last_step"], found.to_last)
    assert named["accuracy"].attrs == {"unit": "share", "larger": found.larger["accuracy"]}
    ends = found.first_and_last().set_index("measure").loc["accuracy"]
    assert ends["first"] == pytest.approx(found["accuracy"][0].mean())


def test_the_step_at_which_an_eigenvalue_has_left_the_circle():
    gains = [0.5, 1.5, 0.9, 1.2, 1.3]  # it leaves, comes back, and leaves for good
    found = through_learning([(i, [bit(g), bit(0.5)]) for i, g in enumerate(gains)])
    np.testing.assert_array_equal(found["n_outside"][:, 0], [0, 1, 0, 1, 1])
    np.testing.assert_array_equal(found.reached("n_outside", 1), [3, np.nan])
    np.testing.assert_array_equal(found.reached("spectral_radius", 1.35, falling=True), [2, 0])


def test_distances_to_the_last_step_are_those_of_the_pair():
    nets = [bit(0.5), bit(1.0), bit(1.5)]
    found = through_learning(list(enumerate(nets)), "spectral_radius", metric="spectra")
    for i, net in enumerate(nets):
        beside = at.population.compare([net, nets[-1]], "spectra", nulls=False, progress=False)
        assert found.to_last[i, 0] == beside.matrix[0, 1]
    assert (found.table()["measure"] == "spectra to the last step").sum() == 3
    in_trials = through_learning(
        list(enumerate(nets)), "accuracy", FLIP, metric="procrustes", trials=8
    )
    assert in_trials.to_last[-1, 0] == pytest.approx(0, abs=1e-6)
    assert (in_trials.to_last[:-1] > 1e-3).all()


def test_it_is_saved_loaded_and_shown(tmp_path):
    found = through_learning([(0, bit(0.5)), (10, bit(1.5))], metric="spectra")
    back = Learning.load(found.save(tmp_path / "learning.safetensors"))
    np.testing.assert_array_equal(back.values, found.values)
    assert back.table().equals(found.table())
    assert found.summary()["spectral_radius, last"] == pytest.approx(1.5)
    assert "2 steps, 0 to 10" in found.statement
    assert len(repr(found)) < 1500


@pytest.mark.parametrize(
    ("networks", "match"),
    [
        (bit(1.0), "a Run, or pairs"),
        ([(0, bit(1.0))], "at least two"),
        ([(1, bit(1.0)), (0, bit(1.0))], "must rise"),
        ([("a", bit(1.0)), (0, bit(1.0))], r"networks\[0\]\[0\] = 'a'"),
        ([bit(1.0), bit(1.0)], r"networks\[0\] = .* a pair"),
        ([(0, bit(1.0)), (1, [bit(1.0)] * 2)], "the same ones"),
    ],
)
def test_bad_input_is_one_line(networks, match):
    with pytest.raises(at.InvalidSetting, match=match) as caught:
        through_learning(networks)
    assert "\n" not in str(caught.value)
