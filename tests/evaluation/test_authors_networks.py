"""The paper's author's own networks on her task: the numbers that the data's description states."""

from __future__ import annotations

import pytest

import attractory as at

TASK = at.tasks.FlipFlop.paper(score_last_step=False)


def scores(authors_data, file, n):
    return at.evaluate(at.load_keras(authors_data / file), TASK, n=n, seed=0)


def test_after_epoch_20_it_solves_the_task(authors_data):
    found = scores(authors_data, "ff_3b_weights-20.hdf5", 512)
    assert found.mse == pytest.approx(0.0133, abs=0.0007)
    assert found.accuracy == pytest.approx(0.9994, abs=0.0003)
    assert found.mse_by_output.mean() == pytest.approx(found.mse, rel=1e-5)


def test_after_epoch_1_it_solves_it_less_well(authors_data):
    found = scores(authors_data, "ff_3b_weights-01.hdf5", 512)
    assert found.mse == pytest.approx(0.0550, abs=0.003)
    assert found.accuracy == pytest.approx(0.9978, abs=0.0008)


def test_the_untrained_network_does_not(authors_data):
    found = scores(authors_data, "_N_00_initial.hdf5", 32)
    assert found.mse > 0.3
    assert found.accuracy < 0.8
