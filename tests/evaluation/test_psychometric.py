"""Fits against choices simulated from known curves, an ideal observer, and a brute-force search."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

import attractory as at
from attractory._errors import InvalidSetting
from attractory.evaluation._psychometric import curve_of_outputs
from attractory.evaluation._psychometric_fit import fit_choices

LEVELS = np.array([-51.2, -25.6, -12.8, -6.4, 0, 6.4, 12.8, 25.6, 51.2])
DECISION = at.tasks.PerceptualDecision(dt=100, coherences=(0, 1, 2, 4, 8, 16))
SPREAD = 100 * np.sqrt(2) * DECISION.sigma / np.sqrt(DECISION.stimulus)  # of its ideal observer
CONTEXT = at.tasks.ContextDecision(dt=50, delay=50, coherences=(2, 5, 15))


def choices(bias, spread, lapse, n=20_000, levels=LEVELS):
    """Evidence and choices (1: first option) of a simulated subject."""
    rng = np.random.default_rng(7)
    evidence = rng.choice(levels, n)
    share = lapse + (1 - 2 * lapse) * norm.cdf(evidence, bias, spread)
    return evidence, (rng.random(n) < share).astype(float)


@pytest.mark.parametrize("truth", [(0, 8, 0.05), (-20, 10, 0.1), (30, 15, 0), (5, 40, 0)])
def test_the_fit_finds_the_curve_that_made_the_choices(truth):
    fit = fit_choices(*choices(*truth))
    assert fit.status == "fitted"
    assert fit.converged
    for found, true, error in zip(fit[:3], truth, fit[3:6], strict=True):
        error = 0.005 if np.isnan(error) else error  # a lapse at its limit has none
        assert abs(found - true) < 3.5 * error + 1e-3
        assert error < 1


def test_standard_errors_are_the_scatter_of_repeated_fits():
    rng = np.random.default_rng(3)
    evidence = np.repeat(LEVELS, 100)
    share = 0.05 + 0.9 * norm.cdf(evidence, 4, 10)
    fits = [fit_choices(evidence, (rng.random(900) < share).astype(float)) for _ in range(100)]
    for value, error in [("bias", "bias_error"), ("spread", "spread_error")]:
        scatter = np.std([getattr(fit, value) for fit in fits])
        stated = np.nanmean([getattr(fit, error) for fit in fits])
        assert stated == pytest.approx(scatter, rel=0.2)


def test_no_curve_on_a_grid_is_more_likely():
    evidence, first = choices(3, 12, 0.04, n=1000)
    fit = fit_choices(evidence, first)

    def likelihood(bias, spread, lapse):
        share = lapse + (1 - 2 * lapse) * norm.cdf(evidence, bias, spread)
        return np.log(np.where(first == 1, share, 1 - share)).sum()

    best = likelihood(*fit[:3])
    grid = [
        likelihood(bias, spread, lapse)
        for bias in np.linspace(-3, 9, 13)
        for spread in np.linspace(6, 20, 15)
        for lapse in np.linspace(0.001, 0.2, 11)
    ]
    assert best >= max(grid)
    assert best - max(grid) < 1


def test_perfect_choices_put_the_spread_at_its_lower_limit():
    evidence = np.repeat(LEVELS[LEVELS != 0], 100)
    fit = fit_choices(evidence, (evidence > 0).astype(float))
    assert fit.status == "steep"
    assert fit.converged
    assert fit.spread == pytest.approx(6.4 / 6)
    assert fit.bias == pytest.approx(0, abs=0.01)
    assert fit.lapse == pytest.approx(0, abs=1e-6)
    assert np.isnan([fit.bias_error, fit.spread_error, fit.lapse_error]).all()


def test_a_sharp_step_far_from_the_middle_is_found():
    evidence = np.repeat(LEVELS, 100)
    fit = fit_choices(evidence, (evidence > -51).astype(float))
    assert fit.status == "steep"
    assert -51.2 < fit.bias < -25.6


def test_lapses_of_a_sharp_network_that_guesses_in_10_per_cent_of_trials():
    fit = fit_choices(*choices(0, 0.01, 0.05))
    assert fit.status == "steep"
    assert fit.lapse == pytest.approx(0.05, abs=0.006)


def test_choices_against_the_evidence_are_flat():
    evidence = np.repeat(LEVELS, 100)
    fit = fit_choices(evidence, (evidence < 0).astype(float))
    assert fit.status == "flat"
    assert fit.spread == np.inf
    assert np.isnan(fit.bias)


@pytest.mark.parametrize(
    ("evidence", "first"),
    [(LEVELS, np.ones(9)), (LEVELS, np.zeros(9)), (np.ones(4), np.array([0, 1, 0, 1])),
     (np.array([]), np.array([]))],
)  # fmt: skip
def test_what_cannot_be_fitted_is_said(evidence, first):
    fit = fit_choices(evidence, first)
    assert (fit.status, fit.converged) == ("no fit", False)
    assert np.isnan(fit[:6]).all()


def test_two_levels_are_fitted_without_lapses():
    fit = fit_choices(*choices(1, 8, 0, levels=np.array([-8.0, 8.0])))
    assert fit.lapse == 0
    assert (fit.bias, fit.spread) == pytest.approx((1, 8), rel=0.2)


def test_the_ideal_observer_has_the_spread_that_theory_gives_it():
    trials = DECISION.sample(20_000, seed=1)
    outputs = DECISION.ideal_observer(trials.inputs)
    (fit,) = curve_of_outputs([outputs], DECISION, trials).fits
    assert fit.spread == pytest.approx(SPREAD, rel=0.05)
    assert fit.threshold == pytest.approx(0.6745 * SPREAD, rel=0.05)
    assert abs(fit.bias) < 3 * fit.bias_error
    assert fit.lapse < 0.005
    assert fit.undecided == 0
    assert fit.levels.tolist() == [-16, -8, -4, -2, -1, 0, 1, 2, 4, 8, 16]
    assert np.abs(fit.at(fit.levels) - fit.first).max() < 0.03
    shown = trials.conditions["coherence"] == 4
    assert fit.counts[8] == shown.sum()
    assert fit.first[8] == (outputs[shown, -1, 1] == 1).mean()


def integrator(gain=0.01):
    """A network that is the ideal observer of `DECISION`: it sums the stimuli's difference."""
    return at.models.RateRNN.from_weights(
        [[1.0]], [[0, gain, -gain]], [[0], [1], [-1]], activation="linear", dt=100, tau=100
    )


def test_a_network_that_integrates_is_ideal_and_one_that_is_reversed_is_flat():
    curve = at.evaluation.psychometric([integrator(), integrator(-0.01)], DECISION, n=4000)
    right, reversed_ = curve.fits
    assert right.spread == pytest.approx(SPREAD, rel=0.12)
    assert reversed_.status == "flat"
    share = reversed_.first @ reversed_.counts / reversed_.counts.sum()
    assert reversed_.at(np.array([-5, 5])) == pytest.approx([share, share])
    table = curve.table().set_index("net")
    assert table.loc[0, "threshold"] == right.threshold
    assert table.loc[1, "threshold"] == np.inf
    assert table["trials"].tolist() == [4000, 4000]
    assert curve.option == "first"


def test_a_network_that_keeps_fixating_has_no_curve():
    silent = at.models.RateRNN.from_weights(
        [[0.0]], [[1, 0, 0]], [[0], [0], [0]], output_bias=[1, 0, 0], dt=100, tau=100
    )
    curve = at.evaluation.psychometric(silent, DECISION, n=20)
    (fit,) = curve.fits
    assert (fit.undecided, fit.status, len(fit.levels)) == (1, "no fit", 0)
    assert curve.table().loc[0, "trials"] == 0


def test_a_curve_for_each_context_and_flat_over_what_does_not_count():
    trials = CONTEXT.sample(6000, seed=2)
    outputs = CONTEXT.ideal_observer(trials.inputs)
    curve = curve_of_outputs([outputs], CONTEXT, trials, by="context")
    assert (curve.evidence, curve.by) == ("relevant", "context")
    expected = 100 * np.sqrt(2) / np.sqrt(CONTEXT.stimulus)
    for context, fit in enumerate(curve.fits):
        assert fit.value == context
        assert fit.spread == pytest.approx(expected, rel=0.1)
        assert fit.counts.sum() == (trials.conditions["context"] == context).sum()
    assert curve.table()["context"].tolist() == [0, 1]
    (flat,) = curve_of_outputs([outputs], CONTEXT, trials, "irrelevant").fits
    assert flat.status == "flat" or flat.spread > 100


def test_evidence_with_many_values_is_shown_in_bins_and_fitted_as_it_is():
    rng = np.random.default_rng(0)
    trials = DECISION.sample(2000, seed=1)
    evidence = rng.normal(size=2000)
    trials.conditions["strength"] = evidence
    outputs = np.zeros((2000, DECISION.n_steps, 3))
    outputs[:, :, 1] = (evidence + 0.5 * rng.normal(size=2000) > 0.1)[:, None]
    outputs[:, :, 2] = 1 - outputs[:, :, 1]
    (fit,) = curve_of_outputs([outputs], DECISION, trials, "strength").fits
    assert fit.counts.tolist() == [250] * 8
    assert (fit.bias, fit.spread) == pytest.approx((0.1, 0.5), abs=0.06)


@pytest.mark.parametrize(
    ("task", "options", "expected"),
    [
        (at.tasks.Xor(), {}, "task 'xor' is not answered by choosing between options"),
        (CONTEXT, {"evidence": "coherence"}, "evidence = 'coherence' is no condition of context"),
        (CONTEXT, {"by": "contxt"}, "by = 'contxt' is no condition.*'context'"),
        (at.tasks.DualDelayedMatch(), {}, "states no evidence; name a condition as evidence: answ"),
    ],
)
def test_a_callers_mistake_is_one_line(task, options, expected):
    net = at.models.RateRNN(units=8).build(task.n_inputs, task.n_outputs)
    with pytest.raises(InvalidSetting, match=expected) as caught:
        at.evaluation.psychometric(net, task, n=4, **options)
    assert "\n" not in str(caught.value)
