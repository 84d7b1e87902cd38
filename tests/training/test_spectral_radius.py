"""The spectral radius in the history is that of the weights at that moment."""

from __future__ import annotations

import numpy as np
import pytest
from runs.first_version import as_first_version

import attractory as at
from attractory.training._history import History

TASK = at.tasks.FlipFlop(bits=1, steps=60, first_onset=(5, 20), pulse=5, delay=5)


def test_the_last_radius_is_that_of_the_trained_weights():
    rule = at.rules.BPTT(steps=7, batch=4, check_every=3, optimizer="sgd")
    run = at.train(TASK, at.models.RateRNN(units=9), rule, nets=2, progress=False)
    measured = run.history[run.history["spectral_radius"].notna()]
    for net, network in enumerate(run.networks):
        rows = measured[measured["net"] == net]
        assert rows["step"].tolist() == [1, 3, 6, 7]
        radius = np.abs(np.linalg.eigvals(network.recurrent_weights.astype(float))).max()
        assert rows["spectral_radius"].iloc[-1] == pytest.approx(radius, rel=1e-12)


def test_gated_networks_have_none():
    rule = at.rules.BPTT(steps=2, batch=4, optimizer="sgd")
    run = at.train(TASK, at.models.GRU(units=4), rule, progress=False)
    assert run.history["spectral_radius"].isna().all()


def test_a_run_from_before_there_was_one_still_loads(tmp_path):
    rule = at.rules.BPTT(steps=2, batch=4, optimizer="sgd")
    run = at.train(TASK, at.models.RateRNN(units=4), rule, path=tmp_path, progress=False)
    as_first_version(tmp_path)
    run.history.drop(columns="spectral_radius").to_csv(tmp_path / "history.csv", index=False)
    assert at.load(tmp_path).history["spectral_radius"].isna().all()


def test_a_checkpoint_from_before_there_was_one_still_loads():
    history = History(2)
    history.add(np.ones(2, bool), {"loss": np.ones(2), "gradient_norm": np.ones(2)}, 0.1)
    arrays = history.arrays()
    del arrays["spectral_radius"]
    again = History.from_arrays(arrays, 2, "a checkpoint")
    assert again.table()["spectral_radius"].isna().all()
    again.add(np.ones(2, bool), {"loss": np.ones(2), "gradient_norm": np.ones(2)}, 0.1)
    again.radius(np.array([1.0, 2.0]))
    assert again.table()["spectral_radius"].tolist()[1::2] == [1.0, 2.0]
