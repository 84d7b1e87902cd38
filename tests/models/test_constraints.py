"""Constraints hold in the initial weights, after every update, and in files."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from few import few

import attractory as at
from attractory.models import Constraints, RateRNN
from attractory.rules._muon import muon

N = 60


def build(seed=0, **settings):
    gain = settings.pop("gain", 1.0)
    constraints = Constraints(**settings)
    return RateRNN(units=N, constraints=constraints, recurrent_gain=gain).build(3, 2, seed=seed)


def signs_obeyed(recurrent, signs):
    return bool((recurrent * signs >= 0).all())


RULES = {
    "dale": {"excitatory": 0.8},
    "own signs": {"signs": np.where(np.arange(N) % 3 == 0, -1, 1)},
    "sparse": {"density": 0.2},
    "mask": {"mask": np.random.default_rng(0).random((N, N)) < 0.4},
    "no self-connections": {"self_connections": False},
    "areas": {
        "areas": (40, 20),
        "connections": ((1.0, 0.0), (0.3, 0.5)),
        "input_areas": (0,),
        "output_areas": (1,),
    },
    "bounds": {"low": -0.05, "high": 0.1},
    "fixed": {"fixed": np.eye(N)[::-1]},
    "all": {
        "excitatory": 0.8,
        "density": 0.3,
        "self_connections": False,
        "high": 0.4,
        "excitatory_readout": True,
        "fixed": np.tri(N) * (np.arange(N) < 5),
    },
}


def violations(network, first=None) -> list[str]:
    """What the weights break, worked out from the settings without the package's own code."""
    rules, w = network.model.constraints, network.recurrent_weights
    found = []
    signs = rules.signs
    if rules.excitatory is not None:
        signs = np.where(np.arange(N) < round(rules.excitatory * N), 1, -1)
    if signs is not None and not signs_obeyed(w, signs):
        found.append("signs")
    if rules.mask is not None and w[~np.asarray(rules.mask, bool)].any():
        found.append("mask")
    if rules.density is not None and np.mean(w != 0) > rules.density + 0.05:
        found.append("density")
    if not rules.self_connections and np.diag(w).any():
        found.append("self-connections")
    if rules.low is not None and (w < np.float32(rules.low)).any():
        found.append("low")
    if rules.high is not None and (w > np.float32(rules.high)).any():
        found.append("high")
    if rules.areas == (40, 20):
        if w[:40, 40:].any():
            found.append("areas")
        if network.input_weights[40:].any() or network.output_weights[:, :40].any():
            found.append("projections")
    if rules.excitatory_readout:
        out = network.output_weights
        if (out < 0).any() or out[:, signs < 0].any():
            found.append("readout")
    if first is not None:
        if (w != 0)[first.recurrent_weights == 0].any() and rules.has_zeros:
            found.append("zeros came alive")
        fixed = np.zeros((N, N)) if rules.fixed is None else np.asarray(rules.fixed)
        if (w != first.recurrent_weights)[fixed > 0].any():
            found.append("fixed")
    return found


@pytest.mark.parametrize("name", RULES)
def test_initial_weights_obey(name):
    for seed in range(3):
        assert violations(build(seed, **RULES[name])) == []


@pytest.mark.parametrize("name", RULES)
def test_any_weights_are_brought_to_the_nearest_that_obey(name):
    network = build(**RULES[name])
    model, before = network.model, network.weights
    rng = np.random.default_rng(3)
    kept = model.fixed_weights
    wild = {
        key: w if key in kept else np.asarray(w) + rng.normal(size=w.shape).astype(np.float32)
        for key, w in before.items()
    }
    once = {key: np.asarray(w) for key, w in model.constrained(wild, before).items()}
    assert violations(at.models.Network(model, once), network) == []
    again = model.constrained(once, before)
    for key, array in once.items():
        np.testing.assert_array_equal(again[key], array)
    # an entry moves only to 0, to a bound, or back to its fixed value
    moved = once["recurrent_weights"] != wild["recurrent_weights"]
    ends = once["recurrent_weights"][moved]
    back = ends == np.asarray(before["recurrent_weights"])[moved]
    bounds = [b for b in (model.constraints.low, model.constraints.high) if b is not None]
    assert (back | (ends == 0) | np.isin(ends, np.float32(bounds))).all()


@pytest.mark.parametrize(
    ("name", "optimizer"), few([("all", "muon"), ("areas", "adam"), ("mask", "adam")], quick=[0])
)
def test_weights_obey_after_training_and_in_files(name, optimizer, tmp_path):
    rule = at.rules.BPTT(steps=6, batch=4, optimizer=optimizer, learning_rate=0.05, warmup=0)
    task = at.tasks.FlipFlop(steps=60, first_onset=(5, 10), gaps=(5, 9), pulse=5, delay=5)
    model = RateRNN(units=N, constraints=Constraints(**RULES[name]))
    begun = at.training.Population(task, model, rule, nets=2, seed=0).initial_state().weights
    run = at.train(task, model, rule, nets=2, path=tmp_path / "run", progress=False)
    loaded = at.load(tmp_path / "run")
    assert loaded.model == model
    for i, (network, again) in enumerate(zip(run.networks, loaded.networks, strict=True)):
        first = at.models.Network(model, {key: np.asarray(w[i]) for key, w in begun.items()})
        moved = np.abs(network.recurrent_weights - first.recurrent_weights).max()
        assert moved > 1e-3
        assert violations(network, first) == []
        for key, array in network.weights.items():
            np.testing.assert_array_equal(again.weights[key], array)


def test_each_network_has_its_own_random_mask_and_keeps_it():
    first, second = (build(seed, density=0.2).recurrent_weights != 0 for seed in (0, 1))
    assert (first != second).any()
    for drawn in (first, second):
        assert drawn.mean() == pytest.approx(0.2, abs=0.03)


@pytest.mark.parametrize("density", [1.0, 0.2])
@pytest.mark.parametrize("excitatory", few([0.5, 0.8, 0.9], quick=[1]))
def test_no_outlier_eigenvalue_and_the_spectral_radius_asked_for(excitatory, density):
    """Unbalanced, the mean weight makes an eigenvalue that grows with the root of the units."""
    rules = Constraints(excitatory=excitatory, density=density)
    for units in (100, 300):
        model = RateRNN(units=units, constraints=rules, recurrent_init="normal", recurrent_gain=0.9)
        weights = model.build(1, 1).recurrent_weights.astype(np.float64)
        sizes = np.sort(np.abs(np.linalg.eigvals(weights)))[::-1]
        assert sizes[0] == pytest.approx(0.9, rel=1e-3)
        assert sizes[0] < 2 * sizes[4]  # none stands apart from the others
        both = (weights > 0).any(1) & (weights < 0).any(1)
        assert both.mean() > 0.9
        np.testing.assert_allclose(weights[both].sum(1), 0, atol=1e-4)  # each is balanced
        rng = np.random.default_rng(0)
        plain = np.abs(rng.normal(size=(units, units))) / np.sqrt(units)
        plain *= np.where(np.arange(units) < excitatory * units, 1, -1)
        if excitatory != 0.5:
            apart = np.sort(np.abs(np.linalg.eigvals(plain)))[::-1]
            assert apart[0] > 4 * apart[4]  # what is dealt with is there otherwise


def test_every_area_has_its_own_excitation_and_inhibition():
    weights = build(excitatory=0.8, areas=(40, 20)).recurrent_weights
    sign = np.sign(weights.sum(0))
    np.testing.assert_array_equal(sign, np.repeat([1, -1, 1, -1], [32, 8, 16, 4]))
    np.testing.assert_allclose(weights.sum(1), 0, atol=1e-4)


def test_a_bound_holds_beside_a_sign():
    """Excitation alone, of at least 0.01 each (inhibition alone, of at most -0.01)."""
    assert build(signs=np.ones(N), low=0.01).recurrent_weights.min() >= np.float32(0.01)
    assert build(signs=-np.ones(N), high=-0.01).recurrent_weights.max() <= np.float32(-0.01)


def test_areas_have_the_densities_asked_for():
    weights = build(**RULES["areas"]).recurrent_weights
    parts = {(i, j): weights[a, b] for i, a in enumerate(PARTS) for j, b in enumerate(PARTS)}
    wanted = {(0, 0): 1.0, (0, 1): 0.0, (1, 0): 0.3, (1, 1): 0.5}
    for place, density in wanted.items():
        assert np.mean(parts[place] != 0) == pytest.approx(density, abs=0.08)


PARTS = (slice(0, 40), slice(40, 60))


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"excitatory": 1.5}, "excitatory = 1.5 is not allowed"),
        ({"excitatory": 0.8, "signs": np.ones(N)}, "contradict each other"),
        ({"excitatory": 0.8, "low": 0.1}, "low = 0.1 contradicts Dale's law"),
        ({"excitatory": 0.8, "high": -0.1}, "high = -0.1 contradicts Dale's law"),
        ({"excitatory": 0.8, "low": 0.0}, "low = 0.0 contradicts Dale's law"),
        ({"signs": -np.ones(N), "low": 0.0}, "low = 0.0 contradicts Dale's law"),
        ({"excitatory": 0.8, "high": 0.0}, "high = 0.0 contradicts Dale's law"),
        ({"low": 0.1, "density": 0.5}, "low = 0.1 contradicts the connections"),
        ({"low": 0.2, "high": 0.1}, "low = 0.2 is not allowed: at most high = 0.1"),
        ({"mask": np.ones((3, 3))}, r"constraints.mask has shape \(3, 3\)"),
        ({"mask": np.full((N, N), 0.5)}, "constraints.mask must hold 0 and 1"),
        ({"signs": np.zeros(N)}, "constraints.signs must be 60 values of 1 or -1"),
        ({"areas": (10, 20)}, r"constraints.areas = \(10, 20\) has 30 units, the model 60"),
        ({"input_areas": (0,)}, "input_areas needs areas"),
        ({"areas": (30, 30), "output_areas": (2,)}, "output_areas: 2 is no area: 0 to 1"),
        ({"areas": (30, 30), "connections": ((1.0,),)}, "connections must be 2 rows of 2"),
        ({"nonnegative_rates": True}, "contradicts activation = 'tanh'.*relu"),
        ({"excitatory_readout": True}, "needs Dale's law"),
        ({"excitatory": 0.999}, "leaves no unit of one kind"),
        ({"excitatory": 0.8, "areas": (58, 2)}, "leaves no unit of one kind among 2"),
    ],
)
def test_contradictions_are_one_line(settings, expected):
    with pytest.raises(at.InvalidSetting, match=expected) as caught:
        build(**settings)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("optimizer", ["muon", "adam"])
def test_the_optimum_under_signs_is_reached(optimizer):
    """The nearest matrix to T with a sign for each column is known: T where it has that sign."""
    n = 40
    rng = np.random.default_rng(0)
    target = rng.normal(size=(n, n)).astype(np.float32)
    rules = Constraints(excitatory=0.5)
    signs = rules.column_signs(n)
    best = np.where(target * signs > 0, target, 0)
    schedule = optax.cosine_decay_schedule(3e-2, 800, 0.002)
    step = {"muon": muon(schedule, None), "adam": optax.adam(schedule)}[optimizer]
    weights = {"recurrent_weights": jnp.asarray(0.1 * np.abs(rng.normal(size=(n, n))) * signs)}
    weights = {name: w.astype(jnp.float32) for name, w in weights.items()}

    @jax.jit
    def update(weights, state):
        gradients = {"recurrent_weights": weights["recurrent_weights"] - target}
        allowed = rules.free(gradients, weights, gradients)
        changes, state = step.update(allowed, state, weights)
        changes = rules.free(changes, weights, gradients)
        return rules.project(optax.apply_updates(weights, changes), weights), state

    state = step.init(weights)
    for _ in range(800):
        weights, state = update(weights, state)
    found = np.asarray(weights["recurrent_weights"])
    excess = (np.square(found - target).sum() - np.square(best - target).sum()) / target.size
    assert excess < 0.01


def test_a_users_own_initial_weights_stay_as_they_are():
    own = 2.0 * np.eye(N, dtype=np.float32)
    own[:, -1] *= -1
    rules = Constraints(signs=[1] * (N - 1) + [-1], fixed=np.ones((N, N)))
    network = RateRNN(units=N, recurrent_init=own, constraints=rules).build(2, 1)
    np.testing.assert_array_equal(network.recurrent_weights, own)
    with pytest.raises(at.InvalidSetting, match=r"recurrent_init\[.*breaks the constraints"):
        RateRNN(units=N, recurrent_init=-own, constraints=rules)
    with pytest.raises(at.InvalidSetting, match=r"recurrent_init\[0, 0\] = 2 breaks"):
        RateRNN(units=N, recurrent_init=own, constraints=Constraints(self_connections=False))


def test_the_pull_towards_orthogonal_matrices_is_refused_with_constraints():
    model = RateRNN(units=N, constraints=Constraints(density=0.5))
    with pytest.raises(at.InvalidSetting, match="orthogonal_pull = 0.5 contradicts"):
        at.train(at.tasks.get("and"), model, at.rules.BPTT.near_orthogonal(), progress=False)


IDENTITY = "recurrent_init = 'identity' has its weights on the diagonal"
LOST = [
    ({"self_connections": False}, "identity", IDENTITY + ".* leave none of 60"),
    ({"density": 0.2}, "identity", IDENTITY + ".* leave about 12 of 60"),
    ({"mask": 1 - np.eye(N)}, "identity", IDENTITY),
    ({"areas": (20, 40), "connections": ((0, 1), (1, 1))}, "identity", "leave about 40 of 60"),
    ({"mask": np.zeros((N, N))}, "normal", "constraints leave no recurrent connection at all"),
    ({"areas": (20, 40), "connections": ((0, 0), (0, 0))}, "glorot", "no recurrent connection"),
    ({"mask": np.tri(N, k=-1)}, "orthogonal", "allow no loop of connections: the spectral radius"),
    ({"areas": (20, 40), "connections": ((0, 0), (1, 0))}, "normal", "allow no loop"),
    ({"density": 0.01}, "normal", "leave 0.6 connections to a unit in the mean"),
    ({"density": 0.5}, np.eye(N), "recurrent_init has 60 weights where connections are drawn"),
    ({"low": 0.0, "high": 0.0}, "normal", "low = 0 and high = 0 leave no recurrent weights"),
    ({"areas": (20, 40), "input_areas": ()}, "normal", "input_areas is empty"),
    (
        {"signs": np.repeat([1, -1], 30), "areas": (30, 30), "output_areas": (1,),
         "excitatory_readout": True},
        "normal", "leaves nothing to read out",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("rules", "start", "said"), LOST, ids=[said for *_, said in LOST])
def test_a_start_that_constraints_would_take_away_is_refused(rules, start, said):
    rules = {"self_connections": True, **rules}
    with pytest.raises(at.InvalidSetting, match=said) as caught:
        RateRNN(units=N, recurrent_init=start, constraints=Constraints(**rules))
    assert "\n" not in str(caught.value)


KEPT = [
    ({"excitatory": 0.8}, "identity"),
    ({"mask": np.tri(N)}, "identity"),
    ({"areas": (20, 40), "connections": ((1, 0), (0.5, 1))}, "identity"),
    ({"areas": (20, 40), "connections": ((0, 1), (1, 0))}, "normal"),
    ({"mask": np.tri(N, k=-1)}, np.tri(N, k=-1)),  # a chain, knowingly
    ({"mask": np.roll(np.eye(N), 1, 0)}, "normal"),  # a ring
]


@pytest.mark.parametrize(("rules", "start"), KEPT)
def test_a_start_that_is_left_begins(rules, start):
    model = RateRNN(units=N, recurrent_init=start, constraints=Constraints(**rules))
    weights = model.build(3, 2).recurrent_weights
    assert (weights != 0).sum() >= N - 1
    if isinstance(start, str):
        radius = np.abs(np.linalg.eigvals(weights)).max()
        assert radius == pytest.approx(1.0, rel=1e-3)
