"""One simulation for all that is measured; networks in any form; noise from the seed."""

from __future__ import annotations

import numpy as np
import pytest

import attractory as at
from attractory.evaluation import Responses, by_condition, psychometric, responses
from attractory.models import Network, RateRNN

TASK = at.tasks.ContextDecision(dt=50, fixation=50, stimulus=200, delay=50, coherences=(6.4, 50))
MODEL = RateRNN(units=8)
NETS = [MODEL.build(TASK.n_inputs, TASK.n_outputs, seed=seed) for seed in (0, 1)]
RUN = at.Run(TASK, MODEL, NETS, [{"net": i, "status": "finished"} for i in (0, 1)])
FLIP = at.tasks.FlipFlop(bits=1, steps=90, first_onset=(5, 20), pulse=5, delay=5)
NOISY = RateRNN(units=6, recurrent_noise=0.3).build(1, 1, seed=2)


@pytest.fixture
def simulated(monkeypatch):
    """How many networks were simulated, by their number of trials."""
    counts, respond = [], Network.respond

    def counted(self, inputs, *rest, **named):
        counts.append(len(inputs))
        return respond(self, inputs, *rest, **named)

    monkeypatch.setattr(Network, "respond", counted)
    return counts


def test_everything_from_responses_is_what_it_is_from_networks_and_simulated_once(simulated):
    answers = responses(NETS, TASK, n=70, seed=3)
    scores, curve = at.evaluate(answers), psychometric(answers, by="context")
    table = by_condition(answers, by=["context", "relevant"])
    assert simulated == [70, 70]
    alone = at.evaluate(NETS, TASK, n=70, seed=3)
    for name, values in vars(alone).items():
        np.testing.assert_array_equal(getattr(scores, name), values)
    assert table.equals(by_condition(NETS, TASK, ["context", "relevant"], n=70, seed=3))
    assert curve.table().equals(psychometric(NETS, TASK, n=70, seed=3, by="context").table())
    assert answers.outputs.shape == (2, 70, TASK.n_steps, TASK.n_outputs)
    for net, outputs in zip(NETS, answers.outputs, strict=True):
        np.testing.assert_array_equal(outputs, net.respond(TASK.sample(70, seed=3).inputs))


def test_a_table_of_responses_has_a_row_a_network_and_trial():
    answers = responses(NETS, TASK, n=20)
    table = answers.table()
    assert table["net"].tolist() == [0] * 20 + [1] * 20
    assert table.groupby("net")["correct"].mean().tolist() == at.evaluate(answers).correct.tolist()
    assert set(answers.trials.conditions) <= set(table)


@pytest.mark.parametrize("given", [NETS, tuple(NETS), RUN])
def test_networks_come_as_a_sequence_or_a_run(given):
    expected = at.evaluate(NETS, TASK, n=20)
    np.testing.assert_array_equal(at.evaluate(given, TASK, n=20).mse, expected.mse)
    assert by_condition(given, TASK, "context", n=20)["net"].nunique() == 2
    assert len(psychometric(given, TASK, n=20).fits) == 2
    curve = at.robustness(given, TASK, vary="sigma", values=[0.5, 1.0], n=10)
    assert curve.mse.shape == (2, 2)


def test_a_run_brings_its_task_and_one_network_drops_the_axis():
    np.testing.assert_array_equal(at.evaluate(RUN, n=20).mse, at.evaluate(NETS, TASK, n=20).mse)
    assert by_condition(RUN, by="context", n=20).equals(by_condition(NETS, TASK, "context", n=20))
    assert at.robustness(RUN, vary="sigma", values=[1.0], n=10).mse.shape == (2, 1)
    one = responses(NETS[0], TASK, n=20)
    assert one.outputs.shape == (20, TASK.n_steps, TASK.n_outputs)
    assert at.evaluate(one).mse.shape == ()
    assert at.robustness(one, vary="sigma", values=[0.5], n=10).mse.shape == (1,)


def test_trials_alone_are_judged_by_the_usual_criterion():
    trials = FLIP.sample(30, seed=4)
    net = RateRNN(units=6).build(1, 1)
    by_trials = at.evaluate(responses(net, trials))
    by_task = at.evaluate(net, FLIP, n=30, seed=4)
    assert (by_trials.mse, by_trials.correct) == (by_task.mse, by_task.correct)


def test_the_point_of_training_is_not_simulated_again(simulated):
    answers = responses(NETS, TASK, n=64, seed=5)
    at.evaluate(answers)
    curve = at.robustness(answers, vary="sigma", values=[0.5, 1.0, 2.0], n=64)
    assert simulated == [64] * (2 + 4)
    plain = at.robustness(NETS, TASK, vary="sigma", values=[0.5, 1.0, 2.0], n=64, seed=5)
    np.testing.assert_allclose(curve.mse, plain.mse, rtol=1e-6)
    np.testing.assert_allclose(curve.accuracy, plain.accuracy)


def test_outputs_beyond_what_is_kept_are_simulated_again_and_are_the_same(simulated, monkeypatch):
    whole = responses(NETS, TASK, n=8)
    expected = [outputs.copy() for outputs in whole]
    monkeypatch.setattr("attractory.evaluation._responses.KEPT", expected[0].nbytes)
    answers = responses(NETS, TASK, n=8)
    for _ in range(2):
        for outputs, wanted in zip(answers, expected, strict=True):
            np.testing.assert_array_equal(outputs, wanted)
    assert len(simulated) == 2 + 3  # the first network is kept


def noisy_numbers(seed):
    """Of everything that a network's noise reaches; the trials are the same throughout."""
    trials = FLIP.replace(noise=0.0).sample(12)
    answers = Responses(FLIP, trials, (NOISY,), seed)
    space = at.analysis.state_space(NOISY, trials, seed=seed)
    return [at.evaluate(answers).mse.item(), float(space.explained_variance[0])]


def test_the_seed_reaches_the_networks_own_noise():
    assert noisy_numbers(1) == noisy_numbers(1)
    for one, other in zip(noisy_numbers(1), noisy_numbers(2), strict=True):
        assert one != other
    quiet = FLIP.replace(noise=0.0, first_onset=(5, 5), skip_first=0, bits=1)
    for measure in (
        lambda seed: at.evaluate(NOISY, quiet, n=8, seed=seed).mse.item(),
        lambda seed: at.robustness(NOISY, quiet, values=[0.0], n=8, seed=seed).mse.item(),
    ):
        assert measure(1) == measure(1) != measure(2)


def test_scores_and_state_spaces_of_a_seed_have_the_same_noise():
    trials = FLIP.sample(12, seed=7)
    seed = at.tasks.noise_seed(7)
    path = NOISY.simulate(trials.inputs, seed, precision="float64")
    space = at.analysis.state_space(NOISY, trials, seed=7)
    again = at.analysis.state_space(path, trials)
    np.testing.assert_array_equal(space.coordinates, again.coordinates)
    np.testing.assert_array_equal(
        responses(NOISY, FLIP, n=12, seed=7).outputs, NOISY.respond(trials.inputs, seed)
    )


def test_noise_seeds_are_seeds_and_far_from_those_of_the_trials():
    seeds = [at.tasks.noise_seed(seed) for seed in (0, 1, 2, 2**62)]
    assert len({*seeds, 0, 1, 2, 2**62}) == 8
    assert all(at.tasks.random_key(seed) is not None for seed in seeds)
    with pytest.raises(at.InvalidSetting, match="seed = -1"):
        at.tasks.noise_seed(-1)


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (lambda: at.evaluate(NETS), "task = None is not allowed: a Task is needed"),
        (lambda: at.evaluate(responses(NETS, TASK, n=2), FLIP), "responses are judged by a task"),
        (lambda: responses(NETS, FLIP), "network 0 has n_inputs = 7.* flipflop has 1"),
        (lambda: responses(NETS, FLIP.sample(2)), "network 0 has n_inputs = 7, the trials have 1"),
        (
            lambda: at.analysis.state_space(NOISY.simulate(FLIP.sample(3).inputs), FLIP.sample(2)),
            r"a trajectory of \(3, 90\).* the trials are \(2, 90\)",
        ),
    ],
)
def test_a_callers_mistake_is_one_line(call, expected):
    with pytest.raises(at.InvalidSetting, match=expected) as caught:
        call()
    assert "\n" not in str(caught.value)
