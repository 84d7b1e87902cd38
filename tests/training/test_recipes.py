"""The recipes reach what they promise, on the paper's own network and task (slow)."""

from __future__ import annotations

import numpy as np
import pytest

import attractory as at


@pytest.mark.slow
def test_near_orthogonal_reaches_the_published_error_and_keeps_the_spectrum():
    """Two networks: MSE at most the author's 0.0133, 99.9 % of signs, 65 % near the circle."""
    task = at.tasks.FlipFlop.paper(score_last_step=False)
    run = at.train(
        task, at.models.RateRNN(), at.rules.BPTT.near_orthogonal(), nets=2, seed=11, progress=False
    )
    scores = at.evaluate(run.networks, task, n=512, seed=99)
    assert (scores.mse <= 0.0133).all()
    assert (scores.accuracy >= 0.999).all()
    for network in run.networks:
        spectrum = at.analysis.spectrum(network)
        assert spectrum.on_circle >= 0.65
        assert 0 < len(spectrum.outliers) < 200
        cube = at.analysis.hypercube(at.analysis.state_space(network, task.walk()))
        assert cube.r_squared > 0.95
        assert cube.one_bit_apart == 1.0


@pytest.mark.slow
def test_a_run_of_the_paper_network_is_bit_identical_after_an_interruption(tmp_path):
    """At full size, with Muon, the pull and two networks: stop after 6 of 12 updates, go on."""
    from attractory.training._population import Population

    task = at.tasks.FlipFlop.paper(score_last_step=False)
    rule = at.rules.BPTT.near_orthogonal(steps=12, validation=16, check_every=4)
    whole = at.train(task, at.models.RateRNN(), rule, nets=2, progress=False)

    import signal

    update, calls = Population.update, []

    def interrupted(*arguments):
        calls.append(None)
        if len(calls) == 6:
            signal.raise_signal(signal.SIGINT)
        return update(*arguments)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Population, "update", interrupted)
        with pytest.raises(KeyboardInterrupt):
            at.train(task, at.models.RateRNN(), rule, nets=2, path=tmp_path / "r", progress=False)
    run = at.train(task, at.models.RateRNN(), rule, nets=2, path=tmp_path / "r", progress=False)
    for one, other in zip(run.networks, whole.networks, strict=True):
        np.testing.assert_array_equal(one.recurrent_weights, other.recurrent_weights)
        np.testing.assert_array_equal(one.output_weights, other.output_weights)
