"""The battery of 20 tasks, each rule computed again by hand from what its trials say they are."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from attractory import tasks
from attractory._errors import InvalidSetting

RULES = [
    *("fdgo", "reactgo", "delaygo", "fdanti", "reactanti", "delayanti"),
    *("dm1", "dm2", "contextdm1", "contextdm2", "multidm"),
    *("delaydm1", "delaydm2", "contextdelaydm1", "contextdelaydm2", "multidelaydm"),
    *("dmsgo", "dmsnogo", "dmcgo", "dmcnogo"),
]
GO = [name for name in RULES if name.endswith("go") and not name.startswith("dm")]
ANTI = [name for name in RULES if name.endswith("anti")]
DECISIONS = [name for name in RULES if "dm1" in name or "dm2" in name or "multi" in name]
MATCHING = [name for name in RULES if name.startswith(("dms", "dmc"))]
PREFERRED = 11.25 * np.arange(32)


@pytest.fixture(scope="module")
def quiet():
    return tasks.YangBattery(sigma=0.0)


@pytest.fixture(scope="module")
def trials(quiet):
    return quiet.sample(1600, seed=21)


@pytest.fixture(scope="module")
def noisy():
    task = tasks.YangBattery(sigma=0.03)
    return task, task.sample(600, seed=21)


def first(trials, n):
    """The first n trials."""
    return replace(
        trials,
        **{name: getattr(trials, name)[:n] for name in ("inputs", "targets", "mask", "epochs")},
        conditions={name: values[:n] for name, values in trials.conditions.items()},
    )


@pytest.fixture(scope="module")
def by_rule(trials):
    """The trials of each rule: a dictionary of arrays, times of epochs (ms) and conditions each."""
    names = ("fixation", "stimulus_1", "delay_1", "stimulus_2", "delay_2", "response", "end")
    found = {rule: [] for rule in RULES}
    for row, rule in enumerate(trials.conditions["rule"]):
        trial = {name: float(values[row]) for name, values in trials.conditions.items()}
        trial |= {name: 20.0 * trials.epochs[row, i] for i, name in enumerate(names)}
        trial |= {name: getattr(trials, name)[row] for name in ("inputs", "targets", "mask")}
        found[RULES[rule]].append(trial)
    assert min(map(len, found.values())) > 40
    return found


def bump(degrees):
    away = np.abs((PREFERRED - degrees + 180) % 360 - 180)
    return 0.8 * np.exp(-((away / 22.5) ** 2) / 2)


def during(begin, end, steps):
    time = 20.0 * np.arange(steps)
    return ((time >= begin - 1e-6) & (time < end - 1e-6)).astype(float)[:, None]


def check_targets(trial, direction):
    """Fixation until the response, then a bump at `direction` (degrees; None: go on fixating)."""
    steps = len(trial["targets"])
    inside = during(0, trial["end"], steps)[:, 0] > 0
    response = during(trial["response"], trial["end"], steps)
    if direction is None:
        assert np.isnan(trial["direction"])
        wanted = np.hstack([np.full((steps, 1), 0.8), np.full((steps, 32), 0.05)])
    else:
        away = (trial["direction"] - direction + 180) % 360 - 180
        assert abs(away) < 1e-3
        wanted = np.hstack([0.8 - 0.75 * response, 0.05 + response * bump(direction)])
    np.testing.assert_allclose(trial["targets"][inside], wanted[inside], atol=2e-5)


def check_inputs(trial, rule, fixation_off, shown):
    """shown: (location, (strength on ring 1, on ring 2), on, off) of each stimulus."""
    steps = len(trial["inputs"])
    wanted = np.zeros((steps, 85))
    wanted[:, :1] = during(0, fixation_off, steps)
    for location, strengths, on, off in shown:
        for ring, strength in enumerate(strengths):
            wanted[:, 1 + 32 * ring : 33 + 32 * ring] += (
                strength * bump(location) * during(on, off, steps)
            )
    wanted[:, 65 + RULES.index(rule), None] = during(0, trial["end"], steps)
    np.testing.assert_allclose(trial["inputs"], wanted, atol=2e-5)


def strengths(trial, stimulus):
    return trial[f"strength_{stimulus}_1"], trial[f"strength_{stimulus}_2"]


@pytest.mark.parametrize("rule", GO + ANTI)
def test_go_points_at_the_stimulus_and_anti_away_from_it(rule, by_rule):
    for trial in by_rule[rule]:
        turned = 180.0 if rule in ANTI else 0.0
        check_targets(trial, (trial["location_1"] + turned) % 360)
        held = trial["delay_1"] if "delay" in rule else trial["end"]
        fixation_off = trial["end"] if "react" in rule else trial["response"]
        stimulus = (trial["location_1"], strengths(trial, 1), trial["stimulus_1"], held)
        check_inputs(trial, rule, fixation_off, [stimulus])
        assert sorted(strengths(trial, 1)) == [0, 1]  # in one of the modalities
        assert np.isnan(trial["location_2"])
        if "react" in rule:
            assert trial["response"] == trial["stimulus_1"]


@pytest.mark.parametrize("rule", DECISIONS)
def test_decisions_go_to_the_stronger_stimulus_in_what_counts(rule, by_rule):
    for trial in by_rule[rule]:
        first, second = np.array(strengths(trial, 1)), np.array(strengths(trial, 2))
        counts = slice(0, 2) if "multi" in rule else slice(int(rule[-1]) - 1, int(rule[-1]))
        difference = first[counts].sum() - second[counts].sum()
        stronger = "location_1" if difference > 0 else "location_2"
        check_targets(trial, trial[stronger])
        assert trial["difference"] == pytest.approx(difference, abs=1e-5)
        later = "delay" in rule
        one = (trial["location_1"], first, trial["stimulus_1"], trial["delay_1"])
        two = (trial["location_2"], second, trial["stimulus_2"], trial["delay_2"])
        shown = [one, two if later else (trial["location_2"], second, *one[2:])]
        check_inputs(trial, rule, trial["response"], shown)
        modalities = {"dm1": [1, 0], "dm2": [0, 1]}.get(rule.removeprefix("delay"), [1, 1])
        np.testing.assert_array_equal(first > 0, modalities)
        coherences = (0.08, 0.16, 0.32) if later else (0.01, 0.02, 0.04, 0.08)
        half = abs(difference) / (4 if "multi" in rule else 2)
        assert np.abs(half - coherences).min() < 1e-5
        away = abs((trial["location_1"] - trial["location_2"] + 180) % 360 - 180)
        assert away >= 90 - 1e-3


@pytest.mark.parametrize("rule", ["contextdm1", "contextdm2", "contextdelaydm1", "contextdelaydm2"])
def test_the_other_modality_says_nothing_about_the_answer(rule, by_rule):
    other = 3 - int(rule[-1])
    against = [
        (trial[f"strength_1_{other}"] > trial[f"strength_2_{other}"]) == (trial["difference"] < 0)
        for trial in by_rule[rule]
    ]
    assert 0.25 < np.mean(against) < 0.75


@pytest.mark.parametrize("rule", ["multidm", "multidelaydm"])
def test_a_single_modality_does_not_tell_the_sum(rule, by_rule):
    against = [
        (trial["strength_1_1"] > trial["strength_2_1"]) == (trial["difference"] < 0)
        for trial in by_rule[rule]
    ]
    assert 0.1 < np.mean(against) < 0.6


@pytest.mark.parametrize("rule", MATCHING)
def test_matching_responds_to_the_second_stimulus_or_keeps_fixating(rule, by_rule):
    answered = []
    for trial in by_rule[rule]:
        one, two = trial["location_1"], trial["location_2"]
        away = abs((one - two + 180) % 360 - 180)
        if "dmc" in rule:
            places = (np.array([one, two]) - 18) / 36
            np.testing.assert_allclose(places, np.round(places), atol=1e-4)
            matches = (one < 180) == (two < 180)
        else:
            assert away < 1e-3 or away >= 20 - 1e-3
            matches = away < 1e-3
        responds = matches == (rule in ("dmsgo", "dmcgo"))
        check_targets(trial, two if responds else None)
        first = (one, strengths(trial, 1), trial["stimulus_1"], trial["delay_1"])
        second = (two, strengths(trial, 2), trial["response"], trial["end"])
        check_inputs(trial, rule, trial["end"], [first, second])
        answered.append(responds)
    assert 0.25 < np.mean(answered) < 0.75


def test_times_are_the_published_ones(by_rule):
    """Shortest and longest of fixation, stimulus 1, delay 1, stimulus 2, delay 2, response (ms)."""
    some, delay = (200, 600), (200, 1600)
    published = {
        "fdgo": [(300, 700), (500, 1500), (0, 0), (0, 0), (0, 0), (500, 500)],
        "reactgo": [(500, 2500), (0, 0), (0, 0), (0, 0), (0, 0), (500, 500)],
        "delaygo": [(300, 700), some, delay, (0, 0), (0, 0), (500, 500)],
        "dm1": [(100, 400), (400, 1600), (0, 0), (0, 0), (0, 0), (500, 500)],
        "delaydm1": [some, some, delay, some, (100, 300), (500, 500)],
        "dmsgo": [some, some, delay, (0, 0), (0, 0), (500, 500)],
        "dmcgo": [some, some, delay, (0, 0), (0, 0), some],
    }
    limits = ("fixation", "stimulus_1", "delay_1", "stimulus_2", "delay_2", "response", "end")
    for rule, ranges in published.items():
        times = np.array([[trial[name] for name in limits] for trial in by_rule[rule]])
        for lasted, (shortest, longest) in zip(np.diff(times).T, ranges, strict=True):
            assert shortest <= lasted.min()
            assert lasted.max() <= longest
            if shortest < longest:
                assert np.ptp(lasted) > 0.5 * (longest - shortest)


def test_weights_are_a_tenth_of_the_published_ones(by_rule):
    trial = by_rule["delaydm1"][0]
    steps = len(trial["mask"])
    before = during(100, trial["response"], steps)
    after = during(trial["response"] + 100, trial["end"], steps)
    wanted = (before + 5 * after) * np.array([2.0] + 32 * [1.0]) / 10
    np.testing.assert_allclose(trial["mask"], wanted, atol=1e-6)


def test_rules_come_equally_often(trials):
    counts = np.bincount(trials.conditions["rule"], minlength=20)
    assert np.abs(counts / len(trials) - 1 / 20).max() < 4.5 * np.sqrt(0.05 * 0.95 / 1600)


def test_noise_is_the_published_one_and_ends_with_the_trial(noisy, trials):
    noise = noisy[1].inputs - trials.inputs[:600]
    inside = np.arange(noise.shape[1]) < trials.epochs[:600, -1:]
    assert noise[inside].std() == pytest.approx(0.03 * np.sqrt(10), rel=0.01)
    assert (noise[~inside] == 0).all()


def test_chosen_rules_keep_the_sizes_and_bound_the_length():
    task = tasks.YangBattery(rules=("dmcgo", "fdanti"))
    made = task.sample(12, seed=2)
    assert (task.n_inputs, task.n_outputs, task.n_steps) == (85, 33, 170)
    names = {RULES[index] for index in made.conditions["rule"]}
    assert names == {"dmcgo", "fdanti"}
    assert made.inputs.shape == (12, 170, 85)


def test_right_is_the_direction_of_the_population_vector_within_36_degrees(quiet, trials):
    few = first(trials, 60)
    responds = ~np.isnan(few.conditions["direction"])
    wanted = np.nan_to_num(few.conditions["direction"])
    for turned, expected in ((0, True), (35, True), (-35, True), (37, False), (180, False)):
        outputs = few.targets.copy()
        ring = 0.05 + np.stack([bump(each + turned) for each in wanted])
        outputs[responds, :, 1:] = ring[responds, None]
        np.testing.assert_array_equal(quiet.correct(outputs, few), ~responds | expected)
    fixating = few.targets.copy()
    fixating[..., 0] = 0.8
    np.testing.assert_array_equal(quiet.correct(fixating, few), ~responds)
    released = few.targets.copy()
    released[..., 0] = 0.05
    np.testing.assert_array_equal(quiet.correct(released, few), responds)


def test_ideal_and_chance_follow_the_rules():
    def of(*rules, sigma=0.01):
        return tasks.YangBattery(rules=rules, sigma=sigma)

    assert of(*RULES).chance() == pytest.approx(0.18)
    assert of("dmsgo", "dmcnogo").chance() == 0.5
    assert of("fdgo").ideal() == of("dmsgo").ideal() == 1.0
    assert of("dm1", sigma=0.0).ideal() == 1.0
    assert of("dm1").ideal() < of("multidm").ideal() < 1.0  # two modalities tell more than one
    assert of("dm1", sigma=0.03).ideal() < of("dm1").ideal()


def test_the_observer_comes_near_the_ideal_under_more_noise(noisy):
    task, trials = noisy
    correct = task.correct(task.ideal_observer(trials.inputs), trials)
    assert abs(correct.mean() - task.ideal()) < 0.015
    compared = ~np.isnan(trials.conditions["difference"])
    assert correct[~compared].mean() > 0.985


def test_another_time_step_changes_nothing_but_the_steps(quiet, trials):
    task = tasks.YangBattery(dt=10.0)
    fine, coarse = task.sample(400, seed=1), first(trials, 800)
    assert task.ideal() == pytest.approx(tasks.YangBattery().ideal())
    assert task.correct(task.ideal_observer(fine.inputs), fine).mean() > 0.99
    noise = (fine.inputs - np.round(fine.inputs))[..., 65:][fine.during("fixation")]
    assert noise.std() == pytest.approx(0.01 * np.sqrt(20), rel=0.01)

    def alike(values, slack):
        one, two = values(fine), values(coarse)
        spread = np.sqrt(one.var(0) / len(one) + two.var(0) / len(two))
        return (np.abs(one.mean(0) - two.mean(0)) < 4.5 * spread + slack).all()

    for name in task.epoch_names:
        assert alike(lambda trials, name=name: trials.during(name).sum(1) * trials.dt, 5)
    assert alike(lambda trials: trials.inputs.sum(1) * trials.dt, 5)
    assert alike(lambda trials: (trials.targets * trials.mask).sum(1) * trials.dt, 5)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"rules": ("dmgo",)}, r"rules = .* rule 'dmgo' is unknown; .*did you mean 'dmsgo'"),
        ({"rules": ("fdgo", "fdgo")}, "rule 'fdgo' stands there twice"),
        ({"rules": ()}, "rules"),
        ({"coherences": (0.0,)}, r"coherences = .* each between 0 and 0.8"),
        ({"delayed_coherences": (0.9,)}, "delayed_coherences"),
        ({"dt": 30.0}, "dt = 30 ms is not allowed: 100 ms must be a multiple of it"),
        ({"ring": 8}, "ring = 8"),
    ],
)
def test_a_wrong_setting_is_named(settings, message):
    with pytest.raises(InvalidSetting, match=message):
        tasks.YangBattery(**settings)
