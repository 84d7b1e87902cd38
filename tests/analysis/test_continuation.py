"""Branches of fixed points under growing input, folds, and pulses that flip."""

from __future__ import annotations

import numpy as np
import pytest
from analysis.planted import planted_bits
from scipy import optimize

from attractory import InvalidSetting, analysis

FOLD = 2 * np.sqrt(0.5) - np.arctanh(np.sqrt(0.5))  # of a = tanh(2a + x): slope 2(1 - a²) = 1


@pytest.fixture(scope="module")
def one_bit():
    return analysis.fixed_points(planted_bits(1, size=3), n_starts=32)


def test_a_bit_vanishes_at_the_fold_solved_by_hand(one_bit):
    low, high = np.argsort(one_bit.outputs[one_bit.stable, 0])
    found = analysis.continuation(one_bit, [1.0])
    branches = {branch.start: branch for branch in found.branches}
    gone = branches[int(one_bit.stable[low])]
    assert gone.fold == pytest.approx(FOLD, abs=1e-7)
    assert gone.end == "origin"
    assert one_bit.n_unstable[gone.partner] == 1
    assert gone.outputs[gone.folds[0], 0] == pytest.approx(-np.sqrt(0.5), abs=1e-4)
    stays = branches[int(one_bit.stable[high])]
    assert stays.fold == np.inf
    assert stays.end == "maximum"
    assert stays.amplitudes[-1] == 1.0
    last = optimize.brentq(lambda a: np.tanh(2 * a + 1) - a, 0.5, 1)
    assert stays.outputs[-1, 0] == pytest.approx(last, abs=1e-10)


def test_every_place_on_a_branch_is_a_fixed_point_under_its_input(one_bit):
    for branch in analysis.continuation(one_bit, [1.0]).branches:
        for amplitude, state in zip(branch.amplitudes, branch.states, strict=True):
            step = one_bit.step.with_inputs([amplitude])
            assert np.abs(state - step(state[None])[0]).max() < 1e-9


def test_table_has_a_row_for_each_start(one_bit):
    table = analysis.continuation(one_bit, [1.0], starts=[2, 0]).table()
    assert table["point"].tolist() == [2, 0]


def test_the_smallest_pulse_that_flips_is_that_of_a_plain_loop(one_bit):
    width = 5
    low = int(one_bit.stable[np.argmin(one_bit.outputs[one_bit.stable, 0])])

    def flipped(height: float) -> bool:
        a = one_bit.outputs[low, 0]
        for t in range(2000):
            a = np.tanh(2 * a + (height if t < width else 0))
        return a > 0

    inside, outside = 0.0, 2.0
    for _ in range(40):
        middle = (inside + outside) / 2
        inside, outside = (inside, middle) if flipped(middle) else (middle, outside)
    table = analysis.pulse_thresholds(one_bit, [1.0], width).set_index("point")
    assert table.loc[low, "threshold"] == pytest.approx(outside, abs=2.0 / 4096 + 1e-9)
    assert one_bit.outputs[table.loc[low, "end"], 0] > 0
    other = next(i for i in one_bit.stable if i != low)
    assert table.loc[other, "threshold"] == np.inf
    assert outside > FOLD  # a pulse that ends must be larger than an input that stays


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda p: analysis.continuation(p, [1.0, 0.0]), "pattern"),
        (lambda p: analysis.continuation(p, [0.0]), "pattern is 0"),
        (lambda p: analysis.continuation(p, [np.nan]), "pattern"),
        (lambda p: analysis.continuation(p, [1.0], maximum=0), "maximum = 0"),
        (lambda p: analysis.continuation(p, [1.0], starts=[9]), "starts: 9"),
        (lambda p: analysis.pulse_thresholds(p, [1.0], 0), "duration = 0"),
    ],
)
def test_bad_input(one_bit, call, match):
    with pytest.raises(InvalidSetting, match=match):
        call(one_bit)


def test_points_found_under_an_input_cannot_be_continued_from_none(one_bit):
    driven = analysis.fixed_points(planted_bits(1, size=3), [0.1], n_starts=16)
    with pytest.raises(InvalidSetting, match="without input"):
        analysis.continuation(driven, [1.0])
