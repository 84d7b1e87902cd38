"""neurogym's environments as tasks: their own trials, drawn at random; and what cannot be one."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

import attractory as at
from attractory.tasks import NeurogymTask, from_neurogym


class Walk:
    """An environment in neurogym's way, without neurogym: which way a noisy line goes."""

    def __init__(self, dt: float = 10.0, length: int = 8, seed: int = 0, truth: str = "discrete"):
        self.dt, self.length, self.truth = dt, length, truth
        self.rng = np.random.default_rng(seed)
        self.action_space = type("Space", (), {"n": 3} if truth == "discrete" else {})()

    def seed(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)

    def new_trial(self) -> dict:
        way = int(self.rng.integers(1, 3))
        steps = self.length + int(self.rng.integers(0, 3))
        self.ob = np.zeros((steps, 2))
        self.ob[:, 0] = 1.0
        self.ob[2:-2, 1] = (3 - 2 * way) + 0.1 * self.rng.normal(size=steps - 4)
        self.ob[-2:, 0] = 0.0
        gt = np.zeros(steps, int)
        gt[-2:] = way
        self.gt = gt if self.truth == "discrete" else np.stack([gt == 1, gt == 2], 1).astype(float)
        self.start_ind = {"look": 0, "answer": steps - 2}
        self.end_ind = {"look": steps - 2, "answer": steps}
        return {"way": way, "text": "left"}


@pytest.fixture(scope="module")
def walk() -> NeurogymTask:
    return from_neurogym(Walk, trials=40)


def test_trials_are_those_that_the_environment_makes(walk):
    environment = Walk()
    environment.seed(0)
    made = []
    for _ in range(40):
        environment.new_trial()
        made.append((environment.ob.copy(), environment.gt.copy()))
    trials = walk.sample(100, seed=2)
    for i in range(100):
        steps = int((trials.mask[i].sum(1) > 0).sum())
        assert any(
            len(ob) == steps
            and np.allclose(ob, trials.inputs[i, :steps])
            and (gt == trials.targets[i, :steps].argmax(1)).all()
            for ob, gt in made
        )
        assert (trials.inputs[i, steps:] == 0).all()
    assert len(np.unique(trials.inputs[:, 3, 1])) > 20  # many of the bank are drawn


def test_epochs_and_conditions_are_its_periods_and_numbers(walk):
    trials = walk.sample(5)
    assert trials.epoch_names == ("look", "answer")
    assert set(trials.conditions) == {"way"}
    answering = trials.during("answer")
    assert (answering.sum(1) == 2).all()
    assert (trials.inputs[..., 0][answering] == 0).all()


def test_a_trial_is_right_when_the_asked_action_is_the_largest(walk):
    trials = walk.sample(30, seed=1)
    assert (walk.correct(trials.targets, trials) == 1).all()
    assert (walk.correct(1 - trials.targets, trials) == 0).all()
    always_left = np.tile([0.0, 1.0, 0.0], (*trials.targets.shape[:2], 1))
    np.testing.assert_array_equal(walk.correct(always_left, trials), trials.conditions["way"] == 1)


def test_continuous_truth_is_the_target_as_it_is():
    task = from_neurogym(Walk, trials=10, truth="continuous")
    trials = task.sample(20)
    assert (task.n_inputs, task.n_outputs) == (2, 2)
    assert set(np.unique(trials.targets)) == {0.0, 1.0}
    assert (trials.mask[:, :8] == 1).all()
    assert (task.correct(trials.targets, trials) == 1).all()


def test_the_bank_follows_from_its_seed_and_fresh_is_another(walk):
    again = from_neurogym(Walk, trials=40)
    np.testing.assert_array_equal(again.sample(4).inputs, walk.sample(4).inputs)
    assert not np.array_equal(walk.fresh(1).sample(4).inputs, walk.sample(4).inputs)
    assert walk.fresh(1).fresh(0) == walk


def test_a_run_with_a_class_comes_back_from_its_folder(walk, tmp_path):
    rule = at.rules.BPTT(steps=2, batch=2)
    at.train(walk, at.models.RateRNN(units=5), rule, path=tmp_path / "run", progress=False)
    assert at.load(tmp_path / "run").task == walk


def test_what_cannot_be_a_task_is_said_in_one_line(monkeypatch):
    monkeypatch.setattr("attractory.tasks._neurogym.LARGEST_BANK", 2**20)

    class NoTruth:
        dt = 1.0
        action_space = None

        def new_trial(self):
            return {}

    cases = [
        (lambda: from_neurogym(NoTruth).sample(1), "NoTruth has no ground truth for whole trials"),
        (lambda: from_neurogym("attractory:NoSuch"), "attractory:NoSuch"),
        (lambda: from_neurogym(Walk, height=3), "cannot be made with .*height"),
        (lambda: at.tasks.get("neurogym"), "environment"),
        (lambda: from_neurogym(Walk, trials=0), "trials = 0"),
        (lambda: from_neurogym(Walk, trials=10, length=10**4).sample(1), "MiB"),
    ]
    for make, said in cases:
        with pytest.raises(at.InvalidSetting, match=said) as caught:
            make()
        assert "\n" not in str(caught.value)


def test_numpys_global_generator_is_left_as_it_was():
    state = np.random.get_state()[1].copy()  # noqa: NPY002
    from_neurogym(Walk, trials=3).sample(1)
    np.testing.assert_array_equal(np.random.get_state()[1], state)  # noqa: NPY002


class NoCue(Walk):
    """When to answer is not told: the cue is taken out, and the wait is random."""

    def new_trial(self):
        said = super().new_trial()
        self.ob[:, 0] = 1.0
        self.add_randn(0, 0.1)
        return said

    def add_randn(self, mu=0, sigma=1, period=None, where=None):
        way = np.sign(self.ob[4, 1])
        self.ob[:, 1] = 0.0
        self.ob[2:5, 1] = way + mu + sigma * self.rng.normal(size=3)


def test_contradictory_trials_are_counted_and_refused():
    """Against all pairs compared by hand, without noise."""
    task = from_neurogym(NoCue, trials=20)
    environment = NoCue(seed=0)
    environment.add_randn = lambda mu, sigma: NoCue.add_randn(environment, mu, 0)
    made = []
    for _ in range(200):
        environment.new_trial()
        made.append((environment.ob, environment.gt))
    pairs = involved = 0
    for i, (ob, gt) in enumerate(made):
        others = 0
        for j, (other, asked) in enumerate(made):
            steps = min(len(gt), len(asked))
            equal = np.logical_and.accumulate((ob[:steps] == other[:steps]).all(1))
            unequal = bool((equal & (gt[:steps] != asked[:steps])).any())
            others += unequal
            pairs += unequal and i < j
        involved += others > 0
    found = task.contradictions()
    assert (found.pairs, found.share) == (pairs, involved / 200)
    assert found.share > 0.5
    with pytest.raises(at.InvalidSetting, match=f"{pairs} pairs among 200 trials.*ambiguous=True"):
        task.sample(1)
    knowingly = from_neurogym(NoCue, trials=20, ambiguous=True)
    assert knowingly.sample(2).inputs.shape[0] == 2
    assert (
        from_neurogym(Walk).contradictions().statement == "Of 200 trials none contradicts another."
    )


@pytest.fixture(scope="module")
def neurogym():
    return pytest.importorskip("neurogym.envs.registration")


# one for each kind: discrete and continuous actions, gaps between periods, rings, many periods
SOME = ["AntiReach", "DualDelayMatchSample", "PostDecisionWager", "ReachingDelayResponse"]


@pytest.mark.parametrize("name", SOME)
def test_an_environment_of_neurogym_gives_trials(neurogym, name):
    task = from_neurogym(f"{name}-v0", trials=12)
    trials = task.sample(3)
    assert np.isfinite(trials.inputs).all()
    assert (task.correct(trials.targets, trials) == 1).all()


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [
        ("ContextDecisionMaking", 0.9, 1.0),  # the wait is random and nothing ends it
        ("HierarchicalReasoning", 0.9, 1.0),  # the rule was given trials before
        ("PerceptualDecisionMaking", 0.05, 0.25),  # a coherence of 0 asks for a guess
        ("DelayMatchSample", 0.0, 0.0),
    ],
)
def test_which_environments_can_be_solved(neurogym, name, low, high, caplog):
    task = from_neurogym(f"{name}-v0", trials=5)
    assert low <= task.contradictions().share <= high
    if low > 0.25:
        with pytest.raises(at.InvalidSetting, match=f"environment {name}-v0: .* no network can"):
            task.sample(1)
    else:
        task.sample(1)
        assert ("unequal answers" in caplog.text) == (low > 0)


@pytest.mark.slow
def test_all_environments_with_a_ground_truth_give_trials(neurogym):
    given, refused = [], []
    for name in sorted(neurogym.ALL_ENVS):
        try:
            task = from_neurogym(name, trials=12)
            trials = task.sample(3)
        except at.InvalidSetting as error:
            refused.append(str(error))
            continue
        assert np.isfinite(trials.inputs).all()
        assert (task.correct(trials.targets, trials) == 1).all(), name
        given.append(name)
    assert len(given) >= 20
    assert not any("\n" in reason for reason in refused)


LISTED = [name for name in at.tasks.names() if name.startswith("neurogym/")]


def test_those_listed_are_registered_in_neurogym_and_no_other_could_be(neurogym):
    """The list is read from its sources; here it is compared with what neurogym says itself."""
    listed = {name.removeprefix("neurogym/") for name in LISTED}
    assert len(listed) >= 20
    assert listed <= set(neurogym.all_envs())
    for name in set(neurogym.all_envs()) - listed:
        with pytest.raises(at.InvalidSetting):  # no ground truth, or no way to be made
            at.tasks.get(f"neurogym/{name}", trials=2).sample(1)


@pytest.mark.parametrize("name", [*LISTED[::6], "neurogym/ReadySetGo-v0"])
def test_a_listed_environment_is_made_by_its_name(neurogym, name):
    task = at.tasks.get(name, dt=20, trials=4, ambiguous=True)
    assert task == from_neurogym(name.removeprefix("neurogym/"), dt=20, trials=4, ambiguous=True)
    assert task.sample(2).dt == task.dt == 20
    assert at.tasks.in_words(name)


def test_names_are_told_soon_and_without_importing_neurogym():
    code = (
        "import sys, time; import attractory as at; at.tasks; start = time.perf_counter(); "
        "names = at.tasks.names(); took = time.perf_counter() - start; "
        "assert 'neurogym' not in sys.modules; assert took < 0.5, took; assert 'flipflop' in names"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_without_neurogym_none_is_listed_and_the_extra_is_named(monkeypatch):
    from attractory.tasks import _neurogym_names

    monkeypatch.setattr(_neurogym_names, "find_spec", lambda name: None)
    monkeypatch.setitem(sys.modules, "neurogym", None)
    _neurogym_names.environments.cache_clear()
    try:
        assert not [name for name in at.tasks.names() if "neurogym" in name]
        with pytest.raises(at.InvalidSetting, match=r"needs neurogym .*attractory\[neurogym\]"):
            at.tasks.get("neurogym/ReadySetGo-v0")
    finally:
        _neurogym_names.environments.cache_clear()


def test_the_nearest_listed_environment_is_named(neurogym):
    with pytest.raises(at.InvalidSetting, match="did you mean 'neurogym/ReadySetGo-v0'") as caught:
        at.tasks.get("neurogym/RedySetGo-v0")
    assert "\n" not in str(caught.value)


def test_a_run_of_an_environment_from_the_command_line(neurogym, tmp_path, monkeypatch):
    from attractory.cli._config import read_config

    file = tmp_path / "config.yaml"
    file.write_text("task: {name: neurogym/ReadySetGo-v0, dt: 20, trials: 5}\nmodel: {units: 7}\n")
    asked = read_config(file, {}, ["rule.steps=2", "rule.batch=2", "task.trials=6"])
    assert asked.task == at.tasks.get("neurogym/ReadySetGo-v0", dt=20, trials=6)
    assert asked.out.parts == ("runs", "neurogym", "ReadySetGo-v0")
    folder = tmp_path / asked.out
    at.train(asked.task, asked.model, asked.rule, path=folder, progress=False)
    assert at.load(folder).task == asked.task


def test_an_unknown_environment_is_named(neurogym):
    with pytest.raises(at.InvalidSetting, match="PerceptualDecisionMakin-v0' is not known"):
        from_neurogym("PerceptualDecisionMakin-v0")


def test_settings_reach_the_environment(neurogym):
    coarse, fine = (from_neurogym("GoNogo-v0", dt=dt, trials=5) for dt in (100, 20))
    assert (coarse.dt, fine.dt) == (100.0, 20.0)
    assert fine.n_steps == 5 * coarse.n_steps
