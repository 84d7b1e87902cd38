"""A study simulates each network once on its scoring trials, and its noise follows the seed."""

from __future__ import annotations

import numpy as np

import attractory as at
from attractory.models import Network, RateRNN
from attractory.report import study

TASK = at.tasks.FlipFlop.paper(bits=1)


def run_of(model):
    networks = [model.build(1, 1, seed=seed) for seed in (0, 1)]
    status = [{"net": i, "seed": 0, "status": "finished", "step": 0} for i in (0, 1)]
    return at.Run(TASK, model, networks, status)


def test_the_scoring_trials_are_simulated_once_with_and_without_the_spoiled_step(monkeypatch):
    counts, respond = [], Network.respond

    def counted(self, inputs, *rest, **named):
        counts.append(len(inputs))
        return respond(self, inputs, *rest, **named)

    monkeypatch.setattr(Network, "respond", counted)
    run = run_of(RateRNN(units=6))
    results = study(run, n=64)
    points = sum(len(values) for values in TASK.conditions().values())
    trained = len(TASK.conditions())  # one point of each curve is the task as it is
    assert sorted(counts) == [16] * 2 * (points - trained) + [64] * 2
    spoiled = at.evaluate(run, TASK, n=64, seed=1_000_003)
    np.testing.assert_allclose(results.scores_with_last_step.mse, spoiled.mse, rtol=1e-6)
    plain = at.evaluate(run, TASK.replace(score_last_step=False), n=64, seed=1_000_003)
    np.testing.assert_array_equal(results.scores.mse, plain.mse)


def test_the_same_seed_gives_the_same_study_of_noisy_networks_and_another_other_noise():
    run = run_of(RateRNN(units=6, recurrent_noise=0.3))
    first, again, other = (study(run, n=8, seed=seed) for seed in (1, 1, 2))
    for read in (
        lambda results: results.scores.mse,
        lambda results: results.curves[0].mse,
        lambda results: results.trajectory.states,
        lambda results: results.spaces[0].coordinates,
        lambda results: results.principal_spaces[1].coordinates,
    ):
        np.testing.assert_array_equal(read(first), read(again))
        assert not np.array_equal(read(first), read(other))
