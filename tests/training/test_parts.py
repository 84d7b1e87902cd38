"""Networks by their indices, and parts joined to one population."""

from __future__ import annotations

import numpy as np
import pytest

import attractory as at

# those of training/test_start.py: their programs are compiled once in a test run
TASK = at.tasks.FlipFlop(bits=1, steps=60, first_onset=(5, 15), pulse=4, delay=4)
MODEL = at.models.RateRNN(units=8)
RULE = at.rules.BPTT(steps=6, batch=4, optimizer="sgd", learning_rate=0.05)


def trained(nets, seed=3, **more):
    return at.train(TASK, MODEL, RULE, nets=nets, seed=seed, progress=False, **more)


@pytest.fixture(scope="module")
def whole():
    return trained(4)


@pytest.fixture(scope="module")
def parts(tmp_path_factory):
    folder = tmp_path_factory.mktemp("parts") / "second"
    trained(range(2, 4), path=folder)
    return trained(range(2)), at.load(folder)


def test_networks_are_the_same_in_parts_and_in_one(whole, parts):
    joined = at.Run.join(parts[::-1])
    for one, other in zip(joined.networks, whole.networks, strict=True):
        for name in one.weights:
            np.testing.assert_array_equal(one.weights[name], other.weights[name])
    assert joined.config == whole.config
    assert joined.status == whole.status
    columns = [name for name in whole.history.columns if name != "seconds"]
    assert joined.history[columns].equals(whole.history[columns])


def test_a_part_says_which_networks_it_has(parts, tmp_path):
    assert parts[1].first == 2
    assert [row["seed"] for row in parts[1].status] == [[3, 2], [3, 3]]
    with pytest.raises(at.FileProblem, match="first is 2 there, None here"):
        trained(2, path=parts[1].path)


def test_a_joined_run_is_saved_and_goes_on_as_one(whole, parts, tmp_path):
    at.Run.join(parts).save(tmp_path / "joined")
    again = trained(4, path=tmp_path / "joined")  # the same run: it is loaded
    assert again.status == whole.status


@pytest.mark.parametrize(
    ("nets", "said"),
    [
        (range(0), "indices one after the other"),
        (range(0, 4, 2), "indices one after the other"),
        (range(-2, 1), "indices one after the other"),
    ],
)
def test_other_ranges_are_refused(nets, said):
    with pytest.raises(at.InvalidSetting, match=said):
        trained(nets)


def test_a_range_of_given_networks_is_refused(whole):
    with pytest.raises(at.InvalidSetting, match="not allowed with start"):
        trained(range(1, 3), start=whole.networks[0])


def test_only_parts_of_one_population_are_joined(parts):
    with pytest.raises(at.InvalidSetting, match="indices must follow"):
        at.Run.join([parts[0], parts[0]])
    with pytest.raises(at.InvalidSetting, match="of another task, model, rule or seed"):
        at.Run.join([parts[0], trained(range(2, 4), seed=4)])
    with pytest.raises(at.InvalidSetting, match="one run or more"):
        at.Run.join([])
