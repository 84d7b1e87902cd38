"""What every registered distance between networks promises, a user's own too."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import combinations, permutations

import numpy as np
import pytest

import attractory as at
from attractory import population
from attractory._cores import one_blas_thread
from attractory.population import Subject, distance_names, find_distance

TASK = at.tasks.FlipFlop(bits=1, steps=60, first_onset=(5, 15), pulse=4, delay=4)
TRIALS = TASK.sample(12, seed=0)
MODEL = at.models.RateRNN(units=5, bias=True)
every = pytest.mark.parametrize("name", distance_names())
EXACT = 1e-8
SEARCHED = {"dsa": 1e-3}  # what is found by a search is found to so much


def in_other_order(net, order):
    """The same network with its units in another order."""
    weights = {name: np.asarray(array) for name, array in net.weights.items()}
    weights["recurrent_weights"] = weights["recurrent_weights"][np.ix_(order, order)]
    for name in ("input_weights", "bias"):
        weights[name] = weights[name][order]
    weights["output_weights"] = weights["output_weights"][:, order]
    return at.models.Network(net.model, weights)


@dataclass(frozen=True, repr=False, eq=False)
class Turned(Subject):
    """A network whose states are turned, however often it is simulated."""

    turn: np.ndarray = field(default_factory=lambda: np.eye(5))

    @cached_property
    def path(self):
        path = Subject.path.func(self)
        return replace(path, states=path.states @ self.turn.T)


def turned(subject, turn):
    return Turned(subject.network, subject.task, subject.trials, turn=turn)


def with_turned_weights(subject, turn):
    """The recurrent weights after a rotation: they have the same eigenvalues."""
    weights = {name: np.asarray(array, float) for name, array in subject.network.weights.items()}
    weights["recurrent_weights"] = turn @ weights["recurrent_weights"] @ turn.T
    return subject.with_network(at.models.Network(subject.network.model, weights))


@pytest.fixture(scope="module")
def subjects():
    """Six networks: weak ones with one fixed point, and strong ones with several."""
    nets = [MODEL.build(1, 1, seed=seed) for seed in range(6)]
    for i in (1, 3, 5):
        weights = {name: np.asarray(array) for name, array in nets[i].weights.items()}
        weights["recurrent_weights"] = 1.5 * np.eye(5, dtype=np.float32)
        weights["recurrent_weights"] += 0.3 * nets[i].recurrent_weights
        nets[i] = at.models.Network(MODEL, weights)
    return [Subject(net, TASK, TRIALS) for net in nets]


@pytest.fixture(scope="module")
def prepared(subjects):
    return {
        name: [find_distance(name).prepared(subject) for subject in subjects]
        for name in distance_names()
    }


@every
def test_a_distance_says_what_it_is(name):
    known = find_distance(name)
    assert known.name == name
    assert known.source
    assert known.unit
    assert "permutation" in known.invariances
    assert known.function.__doc__


@every
@one_blas_thread
def test_it_is_0_on_itself_and_the_same_in_either_order(name, prepared):
    known, nets = find_distance(name), prepared[name]
    between = [known.function(a, b) for a, b in combinations(nets, 2)]
    assert min(between) >= 0
    assert max(between) > 10 * EXACT  # or nothing would be told apart
    for net in nets:
        assert known.function(net, net) <= EXACT
    for value, (a, b) in zip(between, combinations(nets, 2), strict=True):
        assert known.function(b, a) == pytest.approx(value, abs=EXACT)


@every
@one_blas_thread
def test_the_order_of_the_units_is_no_matter(name, subjects, prepared):
    known = find_distance(name)
    order = np.array([3, 0, 4, 1, 2])
    for net in (0, 1):
        other = replace(subjects[net], network=in_other_order(subjects[net].network, order))
        moved = known.prepared(other)
        assert known.function(prepared[name][net], moved) <= EXACT
        for third in prepared[name][2:4]:
            before = known.function(prepared[name][net], third)
            near = pytest.approx(before, abs=SEARCHED.get(name, 1e-6))
            assert known.function(moved, third) == near


@every
@one_blas_thread
def test_a_rotation_and_a_scale_are_no_matter_where_it_says_so(name, subjects, prepared):
    known = find_distance(name)
    rng = np.random.default_rng(1)
    turn = np.linalg.qr(rng.normal(size=(5, 5)))[0]
    other = turned(subjects[0], turn)
    if known.needs == ("spectrum",):
        other = with_turned_weights(subjects[0], turn)
    larger = turned(subjects[0], 3.0 * np.eye(5))
    whole = prepared[name]
    for what, changed in [("rotation", other), ("scaling", larger)]:
        if what in known.invariances:
            moved = known.prepared(changed)
            assert known.function(whole[0], moved) <= EXACT, what
            before = known.function(whole[0], whole[3])
            near = pytest.approx(before, abs=SEARCHED.get(name, 1e-6))
            assert known.function(moved, whole[3]) == near, what


@every
def test_no_way_round_is_shorter_where_it_is_a_metric(name, prepared):
    known, nets = find_distance(name), prepared[name]
    if not known.is_metric:
        return
    for i, j, k in permutations(range(len(nets)), 3):
        direct = known.function(nets[i], nets[j])
        round_it = known.function(nets[i], nets[k]) + known.function(nets[k], nets[j])
        assert direct <= round_it + EXACT


@every
def test_it_is_compared_beside_its_nulls_and_kept(name, subjects, tmp_path):
    nets = [subject.network for subject in subjects[:4]]
    nets.append(in_other_order(nets[0], np.array([1, 2, 3, 4, 0])))
    found = population.compare(nets, name, TASK, trials=8, progress=False)
    assert found.matrix[0, 4] <= EXACT  # a copy
    np.testing.assert_array_equal(found.matrix, found.matrix.T)
    assert "untrained networks" in found.nulls
    assert all(np.isfinite(values).all() for values in found.nulls.values())
    again = population.Distances.load(found.save(tmp_path / "distances.safetensors"))
    np.testing.assert_array_equal(again.matrix, found.matrix)
    assert again.statement == found.statement


def test_a_users_own_is_known_by_its_name(registries, subjects):
    @population.distance(needs="spectrum", invariances="permutation", source="here")
    def radii(a, b):
        """The difference of the spectral radii."""
        return abs(abs(a).max() - abs(b).max())

    nets = [subject.network for subject in subjects]
    found = at.population.compare(nets, "radii", progress=False)
    radius = [at.analysis.spectrum(net).radius for net in nets]
    np.testing.assert_allclose(found.matrix, np.abs(np.subtract.outer(radius, radius)), atol=1e-12)


def test_a_users_own_may_prepare_what_it_needs(registries, subjects):
    made = []

    def first_units(subject):
        made.append(subject)
        return subject.states[..., 0]

    @population.distance(needs="states", prepare=first_units)
    def of_first_units(a, b):
        return float(np.abs(a - b).mean())

    nets = [subject.network for subject in subjects]
    population.compare(nets, "of_first_units", TASK, trials=4, nulls=False, progress=False)
    assert len(made) == len(nets)  # once a network, not once a pair


@pytest.mark.parametrize("value", [-1.0, float("nan"), np.ones(2)])
def test_what_is_no_distance_is_refused(value, registries, subjects):
    @population.distance(needs="weights")
    def broken(a, b):
        return value

    with pytest.raises(at.InvalidSetting, match=r"the distance 'broken' .* finite number, 0 or"):
        population.compare([subject.network for subject in subjects], "broken", progress=False)


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ({"needs": "rates"}, "needs = 'rates': allowed: fixed points, outputs, spectrum"),
        ({"needs": ()}, "needs is empty"),
        ({"needs": "states", "invariances": "shift"}, "invariances = 'shift': allowed: perm"),
        ({"needs": "states", "metric": "yes"}, "metric = 'yes' is not allowed"),
    ],
)
def test_what_no_distance_can_need_is_one_line(given, complaint):
    with pytest.raises(at.InvalidSetting, match=complaint):
        population.distance(**given)
