"""Runs that an earlier version wrote (`stored/`): loaded, found again, gone on with."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

import attractory as at

STORED = Path(__file__).parent / "stored"
TASK = at.tasks.FlipFlop(bits=1, steps=60, first_onset=(5, 15), pulse=4, delay=4)
RULE = at.rules.BPTT(steps=12, batch=4, validation=4, check_every=4)
RUNS = {
    "rates": {"model": at.models.RateRNN(units=3), "nets": 2, "seed": 5},
    "currents": {"model": at.models.CurrentRNN(units=3, tau=2.0), "nets": 1, "seed": 5},
    "interrupted": {"model": at.models.RateRNN(units=3), "nets": 2, "seed": 6},
}


@pytest.fixture
def stored(tmp_path):
    """Copies, which a test may write to."""
    return {name: shutil.copytree(STORED / name, tmp_path / name) for name in RUNS}


def trained(name, path=None):
    asked = RUNS[name]
    return at.train(
        TASK,
        asked["model"],
        RULE,
        nets=asked["nets"],
        seed=asked["seed"],
        path=path,
        progress=False,
    )


@pytest.mark.parametrize("name", ["rates", "currents"])
def test_a_finished_run_loads_and_is_found_by_the_same_call(name, stored, monkeypatch):
    run = at.load(stored[name])
    assert len(run.networks) == RUNS[name]["nets"]
    assert run.rule == RULE
    assert run.history["gradient_norm"].notna().all()
    assert run.history.groupby("net")["step"].max().tolist() == [12] * len(run.networks)
    fresh = trained(name)  # other processors may round otherwise
    for old, new in zip(run.networks, fresh.networks, strict=True):
        for weights in old.weights:
            np.testing.assert_allclose(old.weights[weights], new.weights[weights], atol=1e-4)
    from attractory.training import Population

    monkeypatch.setattr(Population, "update", None)  # nothing is trained
    again = trained(name, stored[name])
    np.testing.assert_array_equal(
        again.networks[0].weights["recurrent_weights"],
        run.networks[0].weights["recurrent_weights"],
    )


def test_an_interrupted_run_goes_on(stored):
    run = trained("interrupted", stored["interrupted"])
    whole = trained("interrupted")
    assert run.history["step"].max() == 12
    np.testing.assert_allclose(run.history["loss"], whole.history["loss"], rtol=1e-3)
    for old, new in zip(run.networks, whole.networks, strict=True):
        for weights in old.weights:
            np.testing.assert_allclose(old.weights[weights], new.weights[weights], atol=1e-4)


def test_it_is_analysed(stored):
    points = at.analysis.fixed_points(at.load(stored["currents"]), n_starts=32)
    assert points.certified.all()
    assert (stored["currents"] / "results").exists()
