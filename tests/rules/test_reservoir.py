"""The reservoir rule: its readouts and errors are those of least squares on all points by hand."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from few import few

import attractory as at
from attractory.report.sections._learning import Learning
from attractory.rules._float64 import from_bits
from attractory.rules._moments import moments
from attractory.training import Population
from attractory.training._arguments import checked_arguments

# two channels that begin to count at different times: the mask is not the same for both
TASK = at.tasks.FlipFlop(bits=2, steps=60, first_onset=(5, 15), pulse=4, delay=4)
MODEL = at.models.RateRNN(units=12, recurrent_gain=0.8, output_init="normal")
RULE = at.rules.Reservoir(steps=6, batch=4, folds=3, washout=7, ridges=(1e-6, 1e-3, 1e-1))
SEED = 3


class ByHand:
    """Least squares on rows of points, in float64."""

    def __init__(self, model, rule, network):
        population = Population(TASK, rule.adapt(model), rule, 1, SEED)
        self.rule, self.bias = rule, model.output_bias
        self.parts = []
        for step in range(rule.n_steps):
            trials = self.trials(population, step)
            states = network.simulate(trials[0]).states
            self.parts.append([states, *trials[1:]])

    @staticmethod
    def trials(population, step):
        key = jax.random.fold_in(population.keys.trials[0], step)
        batch = TASK.batch(at.tasks.trial_keys(key, jnp.arange(RULE.batch)))
        return [np.asarray(array, np.float64) for array in (batch.inputs, *batch[1:3])]

    def rows(self, steps, output, washout=RULE.washout):
        """States, targets and weights of the points of some updates."""
        chosen = [[array[:, washout:] for array in self.parts[step]] for step in steps]
        states = np.concatenate([part[0].reshape(-1, 12) for part in chosen]).astype(float)
        targets, mask = (
            np.concatenate([part[i][..., output].ravel() for part in chosen]) for i in (1, 2)
        )
        return states, targets, mask

    def solved(self, steps, output, ridge):
        """The weights and the bias, by the singular values of all rows and those of the ridge."""
        states, targets, mask = self.rows(steps, output)
        mean = np.average(states, axis=0, weights=mask) if self.bias else np.zeros(12)
        variance = np.sum(mask[:, None] * (states - mean) ** 2) / 12
        columns = np.hstack([states, np.ones((len(states), 1))]) if self.bias else states
        small = np.sqrt(ridge * variance) * np.eye(12, columns.shape[1])
        left = np.vstack([np.sqrt(mask)[:, None] * columns, small])
        right = np.concatenate([np.sqrt(mask) * targets, np.zeros(12)])
        found = np.linalg.lstsq(left, right, rcond=None)[0]
        return found[:12], found[12] if self.bias else 0.0

    def error(self, ridge, output):
        """Mean squared error on the parts that were left out."""
        total = counted = 0.0
        steps = np.arange(self.rule.n_steps)
        for part in range(self.rule.folds):
            left = steps % self.rule.folds == part
            weights, bias = self.solved(steps[~left], output, ridge)
            states, targets, mask = self.rows(steps[left], output)
            total += np.sum(mask * (states @ weights + bias - targets) ** 2)
            counted += mask.sum()
        return total / counted


@pytest.fixture(scope="module", params=[True, False], ids=["bias", "no bias"])
def trained(request):
    model = MODEL.replace(output_bias=request.param)
    run = at.train(TASK, model, RULE, seed=SEED, progress=False)
    return run, ByHand(model, RULE, run.networks[0])


def test_the_readout_is_that_of_least_squares_on_all_points(trained):
    run, by_hand = trained
    weights = run.networks[0].weights
    for output, ridge in enumerate(run.rule_report["chosen_ridge"][0]):
        into, bias = by_hand.solved(range(RULE.steps), output, float(ridge))
        np.testing.assert_allclose(weights["output_weights"][output], into, rtol=1e-4, atol=1e-5)
        if "output_bias" in weights:
            assert weights["output_bias"][output] == pytest.approx(bias, rel=1e-4, abs=1e-5)


def test_errors_are_those_of_parts_left_out_by_hand_and_the_least_is_chosen(trained):
    run, by_hand = trained
    report = run.rule_report
    for i, ridge in enumerate(report["ridges"][0]):
        for output in range(2):
            expected = by_hand.error(float(ridge), output)
            assert report["errors"][0, i, output] == pytest.approx(expected, rel=1e-4)
    least = report["ridges"][0][report["errors"][0].argmin(axis=0)]
    np.testing.assert_array_equal(report["chosen_ridge"][0], least)


def test_standard_deviations_are_the_singular_values_of_the_states(trained):
    run, by_hand = trained
    rows = [by_hand.rows(range(RULE.steps), output) for output in range(2)]
    states, mask = (np.concatenate([row[i] for row in rows]) for i in (0, 2))
    left = np.sqrt(mask)[:, None] * (states - np.average(states, axis=0, weights=mask))
    expected = np.linalg.svd(left, compute_uv=False) / np.sqrt(mask.sum())
    np.testing.assert_allclose(
        run.rule_report["standard_deviations"][0], expected, rtol=1e-4, atol=1e-7
    )


def test_the_loss_is_that_of_trials_that_the_readout_was_not_solved_on(trained):
    """Of all steps that the mask counts, those of the washout too."""
    run, by_hand = trained
    errors, counted = 0.0, 0.0
    for output in range(2):
        weights, bias = by_hand.solved([0, 1], output, RULE.running_ridge)
        states, targets, mask = by_hand.rows([2], output, washout=0)
        errors += np.sum(mask * (states @ weights + bias - targets) ** 2)
        counted += mask.sum()
    assert run.history["loss"].iloc[2] == pytest.approx(errors / counted, rel=1e-4)


def test_a_bias_that_is_not_trained_stays_and_the_weights_make_the_best_of_it():
    model = MODEL.replace(trainable=("output_weights",))
    begun = model.build(2, 2, seed=0)
    begun.weights["output_bias"] = np.array([0.5, -1.0], np.float32)
    run = at.train(TASK, model, RULE, start=begun, seed=SEED, progress=False)
    np.testing.assert_array_equal(run.networks[0].output_bias, [0.5, -1.0])
    by_hand = ByHand(model.replace(output_bias=False), RULE, run.networks[0])
    for part in by_hand.parts:
        part[1] = part[1] - np.array([0.5, -1.0])
    for output, ridge in enumerate(run.rule_report["chosen_ridge"][0]):
        into = by_hand.solved(range(RULE.steps), output, float(ridge))[0]
        found = run.networks[0].output_weights[output]
        np.testing.assert_allclose(found, into, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("alike", [True, False])
def test_moments_are_float64_sums(alike):
    """A direction of the states a millionth as large as the others, on top of a large mean."""
    rng = np.random.default_rng(0)
    states = rng.normal(size=(3, 50, 4)).astype(np.float32)
    states[..., 3] = states[..., 2] + np.float32(1e-6) * states[..., 3]
    states += 3
    targets = rng.normal(size=(3, 50, 2)).astype(np.float32)
    mask = rng.integers(0, 2, (3, 50, 2)).astype(np.float32)
    if alike:
        mask[..., 1] = mask[..., 0]
    bits = moments(*map(jnp.asarray, (states, targets, mask)))
    with jax.enable_x64(True):
        found = np.asarray(from_bits(bits))
    for output in range(2):
        columns = np.concatenate(
            [states, np.ones((3, 50, 1)), targets[..., output : output + 1]], axis=2
        ).reshape(150, 6)
        expected = (mask[..., output].reshape(150, 1) * columns).T @ columns
        np.testing.assert_allclose(found[output], expected, rtol=1e-13)


def test_an_output_that_never_counts_gets_no_weights_and_does_not_disturb_the_other():
    class Half(at.tasks.FlipFlop):
        name = "half_a_flipflop"

        def trial(self, key):
            made = super().trial(key)
            mask = jnp.ones_like(made.targets).at[:, 1].set(0)
            return made._replace(mask=mask)

    task = Half(**{name: getattr(TASK, name) for name in type(TASK).model_fields})
    run = at.train(task, MODEL, RULE, progress=False)
    found = run.networks[0].output_weights
    assert np.abs(found[0]).max() > 0.1
    np.testing.assert_array_equal(found[1], 0)


def test_the_report_comes_back_with_the_run(trained, tmp_path):
    run = dataclasses.replace(trained[0])
    run.save(tmp_path / "run")
    back = at.load(tmp_path / "run")
    assert set(back.rule_report) == set(run.rule_report)
    for name, array in run.rule_report.items():
        np.testing.assert_array_equal(back.rule_report[name], array)
    back.save()  # into the folder that has one
    assert set(at.load(tmp_path / "run").rule_report) == set(run.rule_report)
    file = tmp_path / "run" / "rule_report.safetensors"
    file.write_bytes(file.read_bytes()[:-4])
    with pytest.raises(at.FileProblem, match=r"rule_report\.safetensors: damaged"):
        at.load(tmp_path / "run")


def test_without_a_model_it_trains_an_echo_state_network():
    model = checked_arguments(TASK, None, RULE, 1, 0)[0]
    recurrent = model.build(2, 2).recurrent_weights
    assert model.units == 400
    assert np.mean(recurrent != 0) == pytest.approx(0.1, abs=0.01)
    assert np.abs(np.linalg.eigvals(recurrent)).max() == pytest.approx(0.95, rel=1e-3)
    assert model.tau == at.recipe(TASK).model.tau
    gated = at.models.GRU(units=3)
    assert RULE.usual_model(gated) is gated


@pytest.mark.parametrize(
    "model",
    few(
        {
            "GRU": at.models.GRU(units=5),
            "CurrentRNN": at.models.CurrentRNN(units=5, recurrent_noise=0.1),
            "Stacked": at.models.Stacked(
                layers=(at.models.RateRNN(units=4), at.models.RateRNN(units=5))
            ),
        },
        quick=["CurrentRNN"],
    ),
)
def test_every_cell_keeps_all_but_its_readout(model):
    rule = RULE.replace(steps=3)
    run = at.train(TASK, model, rule, progress=False)
    start = Population(TASK, rule.adapt(model), rule, 1, 0).initial_state().weights
    for name, before in start.items():
        same = np.array_equal(run.networks[0].weights[name], before[0])
        assert same == (name not in ("output_weights", "output_bias"))


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({"ridges": ()}, "one or more different numbers, none below 0"),
        ({"ridges": (1.0, 1.0)}, "one or more different numbers"),
        ({"ridges": (-1.0,)}, "none below 0"),
        ({"folds": 7}, "folds = 7 is not allowed: at most the 6 updates"),
        ({"folds": 1}, "folds = 1 is not allowed: should be greater than or equal to 2"),
        ({"trials": 24, "epochs": 2}, "epochs = 2 is not allowed: 1, since trials that came again"),
    ],
)
def test_settings_that_make_no_rule_are_told(settings, complaint):
    with pytest.raises(at.InvalidSetting, match=complaint):
        RULE.replace(**settings)


@pytest.mark.parametrize(
    ("model", "complaint"),
    [
        ({"trainable": ("recurrent_weights",)}, "contradicts the rule Reservoir, which trains"),
        (
            {"constraints": at.models.Constraints(excitatory=0.5, excitatory_readout=True)},
            "constraints.excitatory_readout = True contradicts the rule Reservoir",
        ),
        (
            {"constraints": at.models.Constraints(areas=(6, 6), output_areas=(1,))},
            r"constraints.output_areas = \(1,\) contradicts the rule Reservoir",
        ),
    ],
)
def test_models_that_it_cannot_train_are_told(model, complaint):
    activation = {"activation": "relu"} if "constraints" in model else {}
    with pytest.raises(at.InvalidSetting, match=complaint):
        at.train(TASK, MODEL.replace(**model, **activation), RULE, progress=False)


def test_a_washout_as_long_as_a_trial_is_refused():
    with pytest.raises(at.InvalidSetting, match="washout = 60 is not allowed: less than the 60"):
        at.train(TASK, MODEL, RULE.replace(washout=60), progress=False)


def test_the_page_draws_what_it_reports(trained):
    drawings = Learning().figures(SimpleNamespace(run=trained[0]))
    drawing = drawings["ridge_readout"]
    assert drawing.caption.startswith("Cross-validated error of the readout by its ridge")
    errors = drawing.draw().axes[0].lines[0].get_ydata()
    np.testing.assert_allclose(errors[::-1], trained[0].rule_report["errors"][0].mean(axis=1))


def test_the_spectral_radius_of_weights_that_stay_is_not_followed(trained):
    assert trained[0].history["spectral_radius"].isna().all()
