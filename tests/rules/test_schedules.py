"""Schedules of the learning rate by their names: by hand, after a warm-up, and a user's own."""

from __future__ import annotations

import math

import jax.numpy as jnp
import numpy as np
import pytest

import attractory as at
from attractory.cli._config import read_config
from attractory.rules import BPTT, schedule_names

RATE, LAST = 0.4, 100
# what is given, and the share of the rate at a step out of LAST, both from the end of the warm-up
BY_HAND = {
    "constant": ({}, lambda t: 1.0),
    "cosine": ({}, lambda t: 0.2 + 0.8 * (1 + math.cos(math.pi * t)) / 2),
    "cosine, steeper": (
        {"exponent": 2.0},
        lambda t: 0.2 + 0.8 * ((1 + math.cos(math.pi * t)) / 2) ** 2,
    ),
    "inverse_time": ({}, lambda t: 1 / (1 + 0.03 * LAST * t)),
    "linear": ({}, lambda t: 1 - 0.8 * t),
    "polynomial": ({"power": 3.0}, lambda t: 0.2 + 0.8 * (1 - t) ** 3),
    "exponential": ({"decay_rate": 0.3, "every": 0.25}, lambda t: 0.3 ** (t / 0.25)),
    "exponential, staircase": (
        {"decay_rate": 0.3, "every": 0.25, "staircase": True},
        lambda t: 0.3 ** math.floor(t / 0.25),
    ),
    "piecewise_constant": (
        {"boundaries": [0.25, 0.6], "factors": [0.5, 0.1]},
        lambda t: 1.0 if t < 0.25 else 0.5 if t < 0.6 else 0.05,
    ),
    "cosine_onecycle": (
        {"pct_start": 0.4, "div_factor": 10.0, "final_div_factor": 100.0},
        lambda t: (
            0.1 + 0.9 * (1 - math.cos(math.pi * t / 0.4)) / 2
            if t < 0.4
            else 1e-3 + (1 - 1e-3) * (1 + math.cos(math.pi * (t - 0.4) / 0.6)) / 2
        ),
    ),
    "linear_onecycle": (
        {"pct_start": 0.4, "pct_final": 0.8, "div_factor": 10.0, "final_div_factor": 100.0},
        lambda t: float(np.interp(t, [0, 0.4, 0.8, 1], [0.1, 1, 0.1, 1e-3])),
    ),
    "sgdr": (
        {"cycles": 2, "lengthening": 3.0},
        lambda t: (
            0.2 + 0.8 * (1 + math.cos(math.pi * (t / 0.25 if t < 0.25 else (t - 0.25) / 0.75))) / 2
        ),
    ),
}


def rule_of(label, warmup):
    settings = BY_HAND[label][0]
    return BPTT(
        schedule={"name": label.split(",")[0], **settings},
        learning_rate=RATE,
        steps=LAST + 1 + warmup,
        warmup=warmup,
        final_rate=0.2,
        decay=0.03,
    )


def test_every_schedule_is_here():
    assert {label.split(",")[0] for label in BY_HAND} == set(schedule_names())


@pytest.mark.parametrize("label", BY_HAND)
def test_the_rate_is_that_by_hand(label):
    share = BY_HAND[label][1]
    rule = rule_of(label, warmup=0)
    for step in (0, 10, 24, 25, 40, 60, 77, 80, LAST):
        assert rule.rate(step) == pytest.approx(RATE * share(step / LAST), rel=1e-4), step


@pytest.mark.parametrize("label", BY_HAND)
def test_a_warm_up_rises_to_where_the_schedule_begins(label):
    rule, share = rule_of(label, warmup=8), BY_HAND[label][1]
    begins = RATE * share(0.0)
    rising = [rule.rate(step) for step in range(9)]
    np.testing.assert_allclose(rising, begins * np.linspace(1 / 8, 1, 9), rtol=1e-5)
    assert rule.rate(8 + 60) == pytest.approx(RATE * share(0.6), rel=1e-4)
    assert rule.rate(8 + LAST) == pytest.approx(RATE * share(1.0), rel=1e-4)


def test_equal_cycles_of_warm_restarts_begin_at_the_rate():
    rule = BPTT(schedule="sgdr", learning_rate=RATE, steps=LAST + 1, warmup=0, final_rate=0.0)
    assert [rule.rate(step) for step in (0, 25, 50, 75)] == pytest.approx(4 * [RATE], rel=1e-5)
    assert rule.rate(LAST) == pytest.approx(0.0, abs=1e-8)


def test_schedules_are_known_to_the_commands():
    told = ["rule.schedule.name=piecewise_constant", "rule.schedule.boundaries=[0.5]"]
    asked = read_config(None, {"task": "flipflop"}, [*told, "rule.schedule.factors=[0.1]"])
    wanted = {"name": "piecewise_constant", "boundaries": (0.5,), "factors": (0.1,)}
    assert asked.rule.schedule == {**wanted, "boundaries": [0.5], "factors": [0.1]}
    assert asked.rule == asked.rule.replace(schedule=wanted)
    assert BPTT(**asked.rule.to_json()) == asked.rule


def waves(rate, steps, waves=3.0):
    return lambda step: rate * jnp.cos(jnp.pi * waves * step / steps) ** 2


def test_a_schedule_of_ones_own(registries):
    at.rules.schedule(waves)
    rule = BPTT(schedule={"name": "waves", "waves": 2.0}, learning_rate=RATE, steps=41, warmup=0)
    assert [rule.rate(step) for step in (0, 5, 10, 40)] == pytest.approx([RATE, RATE / 2, 0, RATE])
    before = hash(rule)
    at.rules.schedule(type(waves)(waves.__code__, globals(), "waves", (3.0,)))
    assert hash(rule) != before  # registered anew it is another one


def test_what_is_no_schedule_is_refused(registries):
    def rateless(steps):
        return None

    def half(rate):
        return 0.5 * rate

    with pytest.raises(at.InvalidSetting, match="'rateless': its function gets 'rate'"):
        at.rules.schedule(rateless)
    at.rules.schedule(half)
    with pytest.raises(at.InvalidSetting, match="half returned 0.0015; a function of the update"):
        BPTT(schedule="half")


@pytest.mark.parametrize(
    ("schedule", "complaint"),
    [
        ("lineer", "schedule 'lineer' is unknown.*did you mean 'linear'"),
        ({"name": "cosine", "final_rate": 0.1}, "cosine has no setting 'final_rate'.*exponent"),
        ({"name": "polynomial", "power": -1}, "power = -1 is not allowed: a number above 0"),
        ({"name": "exponential", "decay_rate": 0}, "decay_rate = 0 is not allowed"),
        ({"name": "exponential", "every": 0.0}, "every = 0.0 is not allowed"),
        ({"name": "exponential", "staircase": "no"}, "staircase = 'no' .*true or false"),
        ({"name": "piecewise_constant", "boundaries": 3}, "boundaries = 3 .* a list of numbers"),
        ({"name": "piecewise_constant", "boundaries": [0.7, 0.3]}, "rising shares of the training"),
        ({"name": "piecewise_constant", "boundaries": [0.5]}, "a number for each of the 1 bound"),
        ({"name": "piecewise_constant", "factors": [0.5, -1]}, "factors = .* 0 or more"),
        ({"name": "cosine_onecycle", "pct_start": 1.5}, "pct_start = 1.5: shares"),
        ({"name": "linear_onecycle", "pct_final": 0.2}, "pct_start = 0.3, pct_final = 0.2: shares"),
        ({"name": "cosine_onecycle", "div_factor": 0}, "div_factor = 0 is not allowed"),
        ({"name": "sgdr", "cycles": 1.5}, "cycles = 1.5 is not allowed: a whole number"),
        ({"name": "sgdr", "lengthening": 0}, "lengthening = 0 is not allowed"),
    ],
)
def test_a_wrong_schedule_is_one_line(schedule, complaint):
    with pytest.raises(at.InvalidSetting, match="BPTT: .*" + complaint) as caught:
        BPTT(schedule=schedule)
    assert "\n" not in str(caught.value)
