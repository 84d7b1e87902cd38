"""A caller's mistake with a task is one line: which field, which value, what is allowed."""

from __future__ import annotations

import re

import pytest
from fuzz.harness import refuses_or_reads

from attractory import tasks
from attractory._errors import AttractoryError, InvalidSetting
from attractory.tasks import FlipFlop


def message_of(call, *args, **kwargs) -> str:
    with pytest.raises(InvalidSetting) as caught:
        call(*args, **kwargs)
    assert isinstance(caught.value, AttractoryError)
    assert isinstance(caught.value, ValueError)
    text = str(caught.value)
    assert "\n" not in text
    return text


@pytest.mark.parametrize(
    ("settings", "parts"),
    [
        ({"bits": 0}, ["FlipFlop", "bits = 0", "greater than or equal to 1"]),
        ({"bits": 11}, ["bits = 11", "less than or equal to 10"]),
        ({"noise": -1}, ["noise = -1", "greater than or equal to 0"]),
        ({"noise": float("nan")}, ["noise = nan", "not allowed"]),
        ({"noise": float("inf")}, ["noise = inf", "finite"]),
        ({"amplitude": 0}, ["amplitude = 0", "greater than 0"]),
        ({"skip_first": 1.5}, ["skip_first = 1.5", "less than or equal to 1"]),
        ({"pulse": 0}, ["pulse = 0", "greater than or equal to 1"]),
        ({"delay": -1}, ["delay = -1", "greater than or equal to 0"]),
        ({"dt": 0}, ["dt = 0", "greater than 0"]),
        ({"bits": "three"}, ["bits = 'three'", "integer"]),
        ({"steps": 139}, ["steps = 139", "140"]),
        ({"gaps": (130, 50)}, ["gaps", "(130, 50)", "first <= last"]),
        ({"gaps": ((5, 6), (9, 8))}, ["gaps[1]", "(9, 8)", "first <= last"]),
        ({"gaps": (-1, 5)}, ["gaps", "(-1, 5)", "0 <= first"]),
        ({"first_onset": (9, 3)}, ["first_onset", "(9, 3)", "first <= last"]),
        ({"nois": 0.1}, ["'nois'", "did you mean 'noise'?"]),
        ({"bits": 0, "noise": -1}, ["bits = 0", "noise = -1"]),
    ],
)
def test_a_wrong_setting_is_named_with_what_is_allowed(settings, parts):
    text = message_of(FlipFlop, **settings)
    for part in parts:
        assert part in text


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("x", "before = 'x' is not allowed: should be a valid number, or a valid tuple, or Trunc"),
        (-1, "before = -1 is not allowed: should be greater than or equal to 0, or a valid tuple"),
        (
            (1, "x"),
            "before = (1, 'x') is not allowed: should be a valid number, or a valid number as",
        ),
    ],
)
def test_a_field_of_several_kinds_is_named_once(value, said):
    message = message_of(tasks.ContextBoolean, before=value)
    assert message.count("before") == 1
    assert said in message
    assert "OneOf" in message


def test_the_shortest_allowed_trial_is_the_one_the_error_names():
    assert FlipFlop(steps=140).n_steps == 140


def test_no_gap_at_all_is_refused_by_name():
    assert "gaps = ()" in message_of(FlipFlop, gaps=())


@pytest.mark.parametrize("n", [0, -3, 2.5, "many", True, None])
def test_a_wrong_number_of_trials_is_named(n):
    text = message_of(FlipFlop().sample, n)
    assert f"n = {n!r}" in text
    assert "1 or more" in text


@pytest.mark.parametrize("seed", [-1, 1.5, "seed", 2**63, None, False])
def test_a_wrong_seed_is_named(seed):
    text = message_of(FlipFlop().sample, 1, seed=seed)
    assert f"seed = {seed!r}" in text
    assert "integer from 0" in text


def test_an_unknown_task_names_the_nearest():
    for call in (tasks.find, tasks.get):
        text = message_of(call, "flipflip")
        assert "'flipflip'" in text
        assert "did you mean 'flipflop'?" in text


def test_get_passes_settings_on_and_checks_them():
    assert tasks.get("flipflop", bits=2, noise=0.3) == FlipFlop(bits=2, noise=0.3)
    assert "bits = 0" in message_of(tasks.get, "flipflop", bits=0)


def test_varying_an_unknown_setting_names_the_nearest():
    text = message_of(FlipFlop().varied, "nois", 0.1)
    assert "vary = 'nois'" in text
    assert "did you mean 'noise'?" in text


@pytest.mark.parametrize("value", [0, -3, float("nan"), "wide"])
def test_a_pulse_width_that_is_not_allowed_is_named_when_varied(value):
    assert f"pulse = {value!r}" in message_of(FlipFlop().varied, "pulse", value)


def test_settings_cannot_be_changed_in_place():
    task = FlipFlop()
    with pytest.raises(InvalidSetting, match=r"FlipFlop.bits cannot be changed.*replace\(bits=2\)"):
        task.bits = 2
    with pytest.raises(InvalidSetting, match="FlipFlop.bits cannot be changed"):
        del task.bits
    with pytest.raises(InvalidSetting, match=r"unknown setting 'bit'.*did you mean 'bits'\?"):
        task.bit = 2
    assert task.bits == 3


def test_replace_checks_the_result_again():
    assert "steps = 20" in message_of(FlipFlop().replace, steps=20)


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"steps": 10**12}, "steps = 1000000000000 is not allowed"),
        ({"steps": 10**5000}, "steps = a number of 5001 digits is not allowed"),
        ({"gaps": (0, 10**8)}, "gaps = .0, 100000000. is not allowed"),
        ({"steps": 500_000, "pulse": 1, "gaps": (0, 5)}, "pulses in a channel are not allowed"),
        ({"dt": float("inf")}, "dt = inf is not allowed"),
        ({"self": 1}, "unknown setting 'self'"),
        ({"bits": [[1] * 999] * 999}, r"bits = \[\[1, 1, .*is not allowed"),
    ],
)
def test_sizes_that_no_machine_has_are_refused_in_one_line(settings, expected):
    text = message_of(FlipFlop, **settings)
    assert re.search(expected, text)
    assert len(text) <= 300


@pytest.mark.parametrize("dt", [1e-300, 1e-9, 1e300])
@pytest.mark.parametrize("name", [n for n in tasks.names() if not n.startswith("neurogym/")])
def test_a_step_of_a_strange_length_is_taken_or_refused_in_one_line(name, dt):
    task = refuses_or_reads(lambda: tasks.get(name, dt=dt), 100, f"{name}, dt = {dt}")
    assert task is None or 1 <= task.n_steps <= 1_000_000


def test_trials_that_would_not_fit_into_memory_are_refused_before_they_are_made():
    text = message_of(FlipFlop().sample, 10**12)
    assert "1000000000000 trials of flipflop (340 steps each) would take" in text


def test_an_epoch_that_a_timeline_does_not_have():
    task = tasks.get("context_decision")
    timeline = task.timeline(tasks.random_key(0))
    said = message_of(timeline.anywhere_in, "decisoin")
    assert "epoch 'decisoin' is not in the timeline" in said
    assert "did you mean 'decision'?" in said
