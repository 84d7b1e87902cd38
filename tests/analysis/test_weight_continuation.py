"""Fixed points followed through weights: births and losses that are solved by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import optimize

import attractory as at
from attractory import analysis
from attractory.analysis.dynamics import _curve
from attractory.analysis.dynamics._fates import Node, Way, leading, without_contradictions
from attractory.analysis.dynamics._step import network_step


def points(weights, bias=None, model=at.models.RateRNN, **settings):
    matrix = np.atleast_2d(weights)
    one = np.eye(len(matrix))[:, :1]
    net = model.from_weights(matrix, one, one.T, bias=bias, **settings)
    return analysis.fixed_points(net, n_starts=64)


def check_the_sum(found):
    """n_after = n_before + births - losses, where nothing is unexplained; each point once."""
    said = found.summary()
    for name in ("unexplained", "unlisted"):
        assert said[f"{name}_before"] == said[f"{name}_after"] == 0
    born = said["born_at_folds"] + said["born_at_pitchforks"]
    lost = said["lost_at_folds"] + said["lost_at_pitchforks"]
    assert said["after"] == said["before"] + 2 * born - 2 * lost
    for side in ("before", "after"):
        own = sorted(point for fate in found.fates for point in getattr(fate, side))
        assert own == list(range(said[side]))
    assert all(fate.proved for fate in found.fates)


@pytest.mark.parametrize("model", [at.models.RateRNN, at.models.CurrentRNN])
def test_a_pitchfork_is_where_the_weight_is_one(model):
    few, many = points(0.5, model=model), points(2.0, model=model)
    born = analysis.weight_continuation(few, many)
    check_the_sum(born)
    assert [fate.kind for fate in born.fates] == ["goes on", "born at a pitchfork"]
    assert born.fates[1].share == pytest.approx(1 / 3, abs=1e-12)  # 0.5 + 1.5 s = 1
    assert set(born.fates[1].after) == {0, 1}
    lost = analysis.weight_continuation(many, few)
    check_the_sum(lost)
    assert lost.count("lost at a pitchfork") == 1
    ends = [fate.share for fate in lost.fates if fate.kind == "lost at a pitchfork"]
    assert ends == pytest.approx([2 / 3], abs=1e-12)


def test_a_fold_is_where_the_slope_is_one():
    """h = tanh(2h + b) loses two points at 2 (1 - h²) = 1."""
    h = -np.sqrt(0.5)
    bias = np.arctanh(h) - 2 * h
    found = analysis.weight_continuation(points(2.0, [0.1]), points(2.0, [1.0]))
    check_the_sum(found)
    (gone,) = (fate for fate in found.fates if fate.kind == "lost at a fold")
    assert gone.share == pytest.approx((bias - 0.1) / 0.9, abs=1e-6)
    assert gone.outputs[gone.folds[0], 0] == pytest.approx(h, abs=1e-4)
    (stays,) = (fate for fate in found.fates if fate.kind == "goes on")
    last = optimize.brentq(lambda a: np.tanh(2 * a + 1) - a, 0.5, 1)
    assert stays.outputs[-1, 0] == pytest.approx(last, abs=1e-7)


def test_two_folds_on_one_curve_are_no_birth():
    """From below to above through the middle of an S: the lower point vanishes, and the upper one
    is born on the same curve."""
    found = analysis.weight_continuation(points(2.0, [-1.0]), points(2.0, [1.0]))
    check_the_sum(found)
    assert [fate.kind for fate in found.fates] == ["goes on"]
    assert len(found.fates[0].folds) == 2
    turns = found.fates[0].outputs[found.fates[0].folds, 0]
    np.testing.assert_allclose(turns, [-np.sqrt(0.5), np.sqrt(0.5)], atol=1e-4)


def test_an_imperfect_pitchfork_is_a_fold():
    found = analysis.weight_continuation(points(0.5, [0.1]), points(2.0, [0.1]))
    check_the_sum(found)
    assert sorted(fate.kind for fate in found.fates) == ["born at a fold", "goes on"]


def test_two_bits_that_touch_are_born_one_after_the_other():
    """Of 1 point 9 become: of two units almost apart, each bit at its pitchfork in the origin, the
    corners at folds."""

    def bits(first, second):
        return points([[first, 0.05], [0.03, second]])

    found = analysis.weight_continuation(bits(0.5, 0.5), bits(2.0, 1.5))
    check_the_sum(found)
    assert (len(found.before), len(found.after)) == (1, 9)
    assert found.count("born at a pitchfork") == found.count("born at a fold") == 2

    def determinant(share):
        return (0.5 - 1.5 * share) * (0.5 - share) - 0.05 * 0.03

    pitchforks = [optimize.brentq(determinant, low, low + 0.2) for low in (0.2, 0.4)]
    shares = sorted(fate.share for fate in found.fates if fate.kind == "born at a pitchfork")
    np.testing.assert_allclose(shares, pitchforks, atol=1e-9)


def test_what_meets_outside_of_the_origin_is_not_guessed():
    """Two units apart: the second bit divides the points of the first, too, where no turn and no
    sign tells which of them goes on."""
    found = analysis.weight_continuation(points(np.diag([0.5, 0.5])), points(np.diag([2.0, 1.5])))
    unexplained = [fate for fate in found.fates if fate.kind == "unexplained"]
    assert sorted(fate.after for fate in unexplained) == [(0,), (1,), (2,), (3,)]
    assert all("degrees" in fate.why for fate in unexplained)
    assert "Unexplained: 4 points" in found.statement
    assert found.summary()["unexplained_after"] == 4


def symmetric(seed, gain):
    """Seven units without oscillations, some way from any symmetry."""
    rng = np.random.default_rng(seed)
    drawn = rng.normal(size=(7, 7))
    return points(gain * (drawn + drawn.T) / np.sqrt(28), 0.05 * rng.normal(size=7))


@pytest.mark.parametrize(("first", "second"), [((0, 1.5), (0, 3.0)), ((0, 2.5), (1, 2.5))])
def test_births_and_losses_add_up_between_any_two(first, second):
    there = analysis.weight_continuation(symmetric(*first), symmetric(*second))
    back = analysis.weight_continuation(there.after, there.before)
    check_the_sum(there)
    check_the_sum(back)

    def turned(fate):
        return (fate.after, fate.before) if fate.kind == "goes on" else fate.before + fate.after

    assert {turned(fate) for fate in back.fates if fate.kind == "goes on"} == {
        (fate.before, fate.after) for fate in there.fates if fate.kind == "goes on"
    }
    assert there.count("born at a fold") == back.count("lost at a fold") > 0


def test_every_place_on_a_curve_is_a_fixed_point_of_the_network_there():
    """By weights that are mixed by hand; of a unit that is read out as it is."""
    found = analysis.weight_continuation(points(0.5, [0.1]), points(2.0, [0.3]))
    for fate in found.fates:
        for share, h in zip(fate.shares, fate.outputs[:, 0], strict=True):
            drive = (0.5 + 1.5 * share) * h + 0.1 + 0.2 * share
            assert np.tanh(drive) == pytest.approx(h, abs=1e-11)


def test_a_point_that_the_search_missed_is_met():
    few, all_points = points(2.0, [0.1]), points(1.9, [0.12])
    kept = np.array([0, 2])
    part = {
        name: getattr(few, name)[kept]
        for name in (
            "states", "residuals", "outputs", "certified", "radius", "unique_radius", "hits",
            "eigenvalues", "n_unstable", "decided", "kinked", "exact",
        )
    }  # fmt: skip
    found = analysis.weight_continuation(replace(few, **part), all_points)
    assert found.summary()["unlisted_before"] == 1
    (met,) = (fate for fate in found.fates if -1 in fate.before)
    assert met.proved
    np.testing.assert_allclose(met.ends[0], few.states[1], atol=1e-9)
    assert "not in the lists: 1 points" in found.statement


def test_a_curve_that_cannot_be_followed_is_unexplained(monkeypatch):
    monkeypatch.setattr(_curve, "MOST_STEPS", 2)
    found = analysis.weight_continuation(points(0.5), points(0.8))
    assert [fate.kind for fate in found.fates] == ["unexplained"] * 2
    assert [(fate.before, fate.after) for fate in found.fates] == [((0,), ()), ((), (0,))]
    assert all("could not be followed beyond share 0." in fate.why for fate in found.fates)


def way(start, end):
    """A curve between two points, (side, index), or one that leads nowhere."""
    nothing = np.zeros(0)
    last = None if end is None else Node(*end)
    return Way(Node(*start), last, nothing, nothing, nothing, why="" if end else "lost")


def fates_of(*ways):
    """The pairs of ends that are left, and those that lead nowhere."""
    found = leading(without_contradictions({each.start: each for each in ways}))
    good = {(each.start, each.end) for each in found if each.end is not None}
    return good, {each.start for each in found if each.end is None}


def test_curves_that_share_an_end_explain_nothing():
    """Two points that go on as one; one found from both its ends; one that ends apart."""
    good, bad = fates_of(
        way((0, 0), (1, 0)), way((0, 1), (1, 0)), way((0, 2), (0, 3)), way((0, 3), (0, 2)),
        way((0, 4), (1, -1)),
    )  # fmt: skip
    assert good == {((0, 2), (0, 3)), ((0, 4), (1, -1))}
    assert bad == {(0, 0), (0, 1)}
    good, bad = fates_of(way((0, 0), (0, 1)), way((0, 1), (1, 2)))  # not the same from both ends
    assert not good
    assert bad == {(0, 0), (0, 1)}


def test_a_point_whose_own_curve_was_lost_is_explained_from_the_other_end():
    good, bad = fates_of(way((0, 0), None), way((1, 3), (0, 0)), way((0, 1), None))
    assert good == {((1, 3), (0, 0))}
    assert bad == {(0, 1)}


def test_it_is_saved_loaded_and_shown(tmp_path):
    found = analysis.weight_continuation(points(0.5), points(2.0))
    back = analysis.WeightContinuation.load(found.save(tmp_path / "found.safetensors"))
    assert back.table().equals(found.table())
    assert back.statement == found.statement
    assert len(repr(found)) < 1500


def of_a_gated_network():
    """A list that says so; its points do not matter."""
    step = network_step(at.models.GRU(units=1).build(1, 1, seed=0), None)
    return replace(points(0.5), step=step)


@pytest.mark.parametrize(
    ("before", "after", "match"),
    [
        (lambda: points(0.5), lambda: points(np.eye(2) / 2), "shape"),
        (lambda: points(0.5), lambda: points(0.5, model=at.models.CurrentRNN), "must be alike"),
        (lambda: points(0.5), lambda: points(0.5, activation="sigmoid"), "activation"),
        (lambda: points(0.5), lambda: points(0.5, dt=1.0, tau=2.0), "leak"),
        (lambda: of_a_gated_network(), lambda: points(0.5), "before: its network has no rate form"),
        (lambda: 1, lambda: points(0.5), "before = 1"),
    ],
)  # fmt: skip
def test_bad_input_is_one_line(before, after, match):
    with pytest.raises(at.InvalidSetting, match=match) as caught:
        analysis.weight_continuation(before(), after())
    assert "\n" not in str(caught.value)
