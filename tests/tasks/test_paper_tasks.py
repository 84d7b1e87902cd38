"""The author's own tasks, held to what is known of her generators (SCIENCE section 2)."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from scipy import signal
from tasks.plain_flip_flop import pulses_in

import attractory as at
from attractory import tasks
from attractory.tasks import Trials

OPERATIONS = {
    tasks.And: [0, 0, 0, 1],
    tasks.Or: [0, 1, 1, 1],
    tasks.Xor: [0, 1, 1, 0],
    tasks.Not: [1, 0],
}
OF_HERS = [*OPERATIONS, tasks.ContextBoolean, tasks.SetReset, tasks.TriggeredOscillation,
           tasks.TimePulse]  # fmt: skip


@pytest.fixture(scope="module")
def oscillation():
    """Input and target of a trial with a trigger and of one without, no noise: (time,) each."""
    return with_and_without(tasks.TriggeredOscillation.paper(sigma=0.0))


@pytest.fixture(scope="module")
def pulse():
    return with_and_without(tasks.TimePulse.paper(sigma=0.0))


def with_and_without(task):
    trials = few(task)
    triggered = trials.conditions["triggered"].astype(bool)
    return [(trials.inputs[i, :, 0], trials.targets[i, :, 0])
            for i in (triggered.argmax(), triggered.argmin())]  # fmt: skip


def few(task, seed=1):
    return task.sample(20, seed=seed)


def smoothed(length, window):
    """A box smoothed within its own limits, by SciPy."""
    return signal.convolve(np.ones(length), window, mode="same")


def test_the_trigger_of_the_oscillation_rises_smoothly_and_lasts_40_steps(oscillation):
    (shown, _), (nothing, _) = oscillation
    assert len(shown) == 420
    np.testing.assert_allclose(shown[100:103], [0.57, 0.71, 0.82], atol=0.005)
    np.testing.assert_allclose(shown[137:140], [0.82, 0.71, 0.57], atol=0.005)
    np.testing.assert_allclose(shown[107:133], 1, atol=1e-6)
    window = signal.windows.hann(15)
    np.testing.assert_allclose(shown[100:140], smoothed(40, window) / window.sum(), atol=1e-6)
    assert not shown[:100].any()
    assert not shown[140:].any()
    assert not nothing.any()


def test_the_oscillation_has_the_published_peaks_and_is_over_40_steps_before_the_end(oscillation):
    (_, asked), (_, unasked) = oscillation
    peaks = signal.argrelmax(asked)[0]
    np.testing.assert_array_equal(peaks, [174, 209, 244, 279, 314, 349])
    np.testing.assert_allclose(asked[peaks], 1.74, atol=0.005)
    np.testing.assert_allclose(asked[:160], 0.002)
    np.testing.assert_allclose(asked[380:], 0.002)
    assert not unasked[160:380].any()
    np.testing.assert_array_equal(unasked[380:], asked[380:])


def test_the_oscillation_is_a_box_convolved_with_a_sine(oscillation):
    """Which is how it was made: 12 cycles in 420 steps, a box of 220 steps, a factor of 0.2."""
    (_, asked), _ = oscillation
    sine = np.sin(2 * np.pi * 12 / 420 * np.arange(420))
    np.testing.assert_allclose(asked[160:380], 0.2 * smoothed(220, sine), atol=2e-5)


def test_the_time_pulse_has_the_published_times_and_heights(pulse):
    (shown, asked), (nothing, unasked) = pulse
    assert len(shown) == 300
    window = signal.windows.hann(10)
    np.testing.assert_allclose(shown[50:70], smoothed(20, window) / window.sum(), atol=1e-6)
    assert not shown[70:].any()
    assert not nothing.any()
    assert asked.argmax() == 100
    assert asked.max() == pytest.approx(0.985, abs=0.001)
    bump = 0.055 * smoothed(20, signal.windows.gaussian(20, std=12))
    np.testing.assert_allclose(asked[90:110], bump, atol=1e-4)
    outside = np.r_[0:90, 110:300]
    np.testing.assert_allclose(asked[outside], 0.045)
    np.testing.assert_array_equal(unasked[outside], asked[outside])
    assert not unasked[90:110].any()


def test_the_noise_is_hers():
    noise = {kind: kind.paper().sigma for kind in OF_HERS}
    assert noise.pop(tasks.TimePulse) == 0.03
    without = {kind for kind, sigma in noise.items() if sigma == 0}
    assert without == {tasks.And, tasks.Or, tasks.ContextBoolean}
    assert {noise[kind] for kind in noise.keys() - without} == {0.1}


@pytest.mark.parametrize("operation", OPERATIONS)
def test_an_operation_holds_its_truth_value_from_step_70_on(operation):
    task = operation.paper(sigma=0.0)
    steps, baseline = (210, 0.0) if operation is tasks.And else (200, 0.01)
    trials = few(task)
    assert trials.inputs.shape == (20, steps, 1 if operation is tasks.Not else 2)
    seen = set()
    for shown, asked in zip(trials.inputs, trials.targets[..., 0], strict=True):
        bits = tuple(int(channel.any()) for channel in shown.T)
        for bit, channel in zip(bits, shown.T, strict=True):
            assert pulses_in(channel) == [(30, 1, 20)] * bit
        value = OPERATIONS[operation][int("".join(map(str, bits)), 2)]
        np.testing.assert_allclose(asked, np.where(np.arange(steps) < 70, baseline, value))
        seen.add(bits)
    assert len(seen) == len(OPERATIONS[operation])


@pytest.fixture(scope="module")
def set_reset():
    return few(tasks.SetReset.paper(sigma=0.0))


def test_set_and_reset_has_the_reset_line_first(set_reset):
    trials = set_reset
    assert trials.input_names == ("reset", "set")
    assert trials.inputs.shape == (20, 1010, 2)
    for shown, asked in zip(trials.inputs, trials.targets[..., 0], strict=True):
        found = [pulses_in(channel) for channel in shown.T]
        onsets = sorted(each.onset for each in (*found[0], *found[1]))
        assert onsets == list(range(50, 900, 120))
        value, expected = 0.01, []
        for t in range(1010):
            for which in (0, 1):
                if any(each.onset + 40 == t for each in found[which]):
                    value = which  # the second line sets
            expected.append(value)
        np.testing.assert_allclose(asked, expected)


def test_the_order_of_the_lines_is_all_that_channels_changes(set_reset):
    other = few(tasks.SetReset.paper(sigma=0.0, channels=("set", "reset")))
    np.testing.assert_array_equal(other.inputs, set_reset.inputs[..., ::-1])
    np.testing.assert_array_equal(other.targets, set_reset.targets)


def test_the_context_is_told_at_a_random_step_and_the_answer_follows_80_steps_later():
    task = tasks.ContextBoolean.paper()
    trials = task.sample(500, seed=5)
    assert trials.inputs.shape == (500, 290, 3)
    told = trials.epochs[:, 1]
    assert (told.min(), told.max(), len(set(told))) == (21, 70, 50)
    tables = {1: tasks.And, -1: tasks.Or, 0: tasks.Xor}
    for i, (start, context) in enumerate(zip(told, trials.conditions["context"], strict=True)):
        shown, asked = trials.inputs[i], trials.targets[i, :, 0]
        assert pulses_in(shown[:, 2]) == [(start, context, 20)] * abs(int(context))
        bits = [int(shown[start + 50, channel]) for channel in (0, 1)]
        for bit, channel in zip(bits, shown.T, strict=False):
            assert pulses_in(channel) == [(start + 40, 1, 20)] * bit
        value = OPERATIONS[tables[int(context)]][2 * bits[0] + bits[1]]
        assert not asked[: start + 80].any()
        assert (asked[start + 80 : start + 220] == value).all()
        counted = np.arange(290) < start + 220
        np.testing.assert_array_equal(trials.mask[i, :, 0], counted)
    assert len(set(zip(*trials.conditions.values(), strict=True))) == 12


def test_an_oscillation_is_judged_by_its_own_amplitude(oscillation):
    task = tasks.TriggeredOscillation.paper()
    (_, asked), (_, unasked) = oscillation
    both = np.array([asked, unasked])[..., None]
    trials = Trials(both, both)
    course = trials.targets
    late = np.roll(course, 1, axis=1)  # 10 degrees: sin differs by 0.18 at most
    much_later = np.roll(course, 3, axis=1)  # 31 degrees: by 0.53
    for outputs, right in (
        (0.8 * course, True), (0.6 * course, False), (late, True), (much_later, False)
    ):  # fmt: skip
        assert task.correct(outputs, trials).tolist() == [right, True]


def test_scores_do_not_depend_on_the_unit_of_the_answer():
    rng = np.random.default_rng(0)
    for kind in (tasks.TriggeredOscillation, tasks.TimePulse):
        course = np.repeat(kind().course()[None, :, None], 64, axis=0)
        outputs = course + rng.normal(0, np.linspace(0.1, 0.3, 64)[:, None, None], course.shape)
        correct = kind().correct(outputs, Trials(course, course))
        assert 0 < correct.mean() < 1
        three = kind(amplitude=3.0)
        np.testing.assert_allclose(three.course(), 3 * course[0, :, 0])
        in_threes = three.correct(3 * outputs, Trials(course, 3 * course))
        np.testing.assert_array_equal(in_threes, correct)


@pytest.mark.parametrize("settings", [{"dt": 0.5}, {"period": 21.0, "fade": 6.0, "rest": 20.0}])
def test_a_fading_oscillation_keeps_its_amplitude_and_period(settings):
    task = tasks.TriggeredOscillation(**({"fade": 10.0, "amplitude": 2.0} | settings))
    course = task.course()
    grown = course[task.steps_of(150) : task.steps_of(330)]
    assert np.abs(grown).max() == pytest.approx(2.0, rel=0.03)  # no step need be at a peak
    cycle = task.steps_of(task.period)
    np.testing.assert_allclose(grown[cycle:], grown[:-cycle], atol=1e-9)
    assert np.abs(np.diff(course)).max() < 2 * 2 * np.pi / cycle  # without a jump
    assert not course[task.steps_of(340) :].any()


def test_new_settings_are_not_said_in_files_while_they_are_as_before():
    """So that runs of earlier versions are found again."""
    before = {
        "xor": ["dt", "before", "pulse", "delay", "answer", "sigma"],
        "set_reset": ["dt", "before", "pulse", "gap", "pulses", "delay", "sigma"],
        "triggered_oscillation":
            ["dt", "before", "pulse", "sigma", "delay", "oscillation", "period"],
        "time_pulse": ["dt", "before", "pulse", "sigma", "after", "latency", "width"],
    }  # fmt: skip
    for name, settings in before.items():
        assert sorted(tasks.get(name).to_json()) == sorted(settings)
        assert tasks.find(name).paper().to_json().keys() > set(settings)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: tasks.SetReset(channels=("set", "set")), r"channels = \('set', 'set'\) is not"),
        (lambda: tasks.TriggeredOscillation(fade=28.0), "fade = 28 ms .*less than period = 28 ms"),
        (lambda: tasks.TimePulse(length=70.0), "length = 70 ms .* at most 60 ms"),
        (lambda: tasks.TimePulse(amplitude=0.0), "amplitude = 0"),
    ],
)
def test_settings_that_make_no_sense(make, message):
    with pytest.raises(at.InvalidSetting, match=message):
        make()


@pytest.mark.parametrize("context", [-1, 0, 1])
def test_the_observer_finds_the_context_wherever_it_comes(context):
    """All pairs of bits at every step at which the trial may begin, without noise."""
    task = tasks.ContextBoolean.paper()
    tables = {1: tasks.And, -1: tasks.Or, 0: tasks.Xor}
    for start, bits in product((21, 45, 70), product((0, 1), repeat=2)):
        inputs = np.zeros((1, 290, 3))
        inputs[0, start : start + 20, 2] = context
        inputs[0, start + 40 : start + 60, :2] = bits
        value = OPERATIONS[tables[context]][2 * bits[0] + bits[1]]
        expected = np.where(np.arange(290) >= start + 80, value, 0)
        np.testing.assert_array_equal(task.ideal_observer(inputs)[0, :, 0], expected)


@pytest.mark.slow
@pytest.mark.parametrize("kind", OF_HERS)
def test_fifty_units_learn_it(kind):
    """By the recipe of the task, with as many units as the author's networks have."""
    task = kind.paper()
    made = at.recipe(task)
    run = at.train(task, made.model.replace(units=50), made.rule, progress=False)
    assert at.evaluate(run.networks[0], task, n=2000, seed=99).correct >= 0.99
