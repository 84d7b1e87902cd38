"""A refusal is one printable line of at most 300 letters, however large what it is about."""

from __future__ import annotations

import pickle
import time
from pathlib import Path

import numpy as np
import pytest

import attractory as at
from attractory._errors import LONGEST, nearest, one_line, shown, whole_number
from attractory._files import read_bytes, replacing
from attractory._private import private_cache


def laughs(depth):
    """Ten to the power of `depth` values, in a few lists."""
    made = ["ha"]
    for _ in range(depth):
        made = [made] * 10
    return made


HUGE = {
    "text": "x" * 10**7,
    "lines": "a\nb\r\n\tc\0\x1b[31m" * 10_000,
    "number": 10**100_000,
    "negative": -(10**5000),
    "laughs": laughs(12),
    "map": {f"key {i}": laughs(9) for i in range(1000)},
    "bytes": bytes(10**7),
    "array": np.zeros((1000, 1000)),
    "settings": at.tasks.FlipFlop(),
    "set": set(range(10**5)),
}


@pytest.mark.parametrize("name", HUGE)
def test_a_value_is_cut_before_it_is_turned_to_text(name):
    began = time.perf_counter()
    text = shown(HUGE[name])
    line = str(at.InvalidSetting(f"x = {text} is not allowed: a number"))
    assert time.perf_counter() - began < 0.5
    assert len(text) <= 80
    assert line.isprintable()
    assert len(line) <= LONGEST


@pytest.mark.parametrize(
    "value", [1, -2.5, "a'b", [1, 2], (1,), {"a": None}, True, None, 10**39, Path("x"), b"ab"]
)
def test_a_small_value_is_shown_as_python_writes_it(value):
    assert shown(value) == repr(value)


@pytest.mark.parametrize("kind", [at.AttractoryError, at.InvalidSetting, at.FileProblem])
@pytest.mark.parametrize("text", [HUGE["text"], HUGE["lines"], "\u2028\ud800\x85", "a\n" * 200])
def test_every_refusal_is_one_printable_line(kind, text):
    error = kind(f"field = {text} is not allowed; allowed: first, second")
    line = str(error)
    assert len(line) <= LONGEST
    assert line.isprintable()
    assert line.startswith("field = ")
    assert line.endswith("allowed: first, second")  # what helps is at the end, and is kept
    assert str(pickle.loads(pickle.dumps(error))) == line
    assert one_line(line) == line


def test_allowed_names_are_all_told_or_the_nearest_of_them():
    assert nearest("tahn", ["relu", "tanh"]) == "allowed: relu, tanh; did you mean 'tanh'?"
    many = nearest("name 77", [f"name {i}" for i in range(100)])
    assert "name 77, " in many
    assert "(100 in all); did you mean 'name 77'?" in many
    assert len(many) < 150
    for odd in (None, [1], 10**5000, "x" * 10**6):
        assert len(nearest(odd, [f"name {i}" for i in range(100)])) < 150


def test_a_whole_number_of_any_size_is_told():
    with pytest.raises(at.InvalidSetting, match="n = a number of 5001 digits is not allowed"):
        whole_number("n", -(10**5000))


def test_many_wrong_settings_are_one_line():
    wrong = {f"setting_{i}": "x" * 1000 for i in range(500)}
    with pytest.raises(at.InvalidSetting, match="unknown setting 'setting_0'") as caught:
        at.models.RateRNN(**wrong)
    assert len(str(caught.value)) <= LONGEST


def test_a_problem_with_a_file_is_an_error_of_the_system_and_no_wrong_value(tmp_path):
    with pytest.raises(OSError, match="there is no such run folder") as caught:
        at.load(tmp_path / "nowhere")
    assert type(caught.value) is at.FileProblem
    assert not isinstance(caught.value, ValueError)
    assert caught.value.strerror is None  # the line is the whole message, and said once
    assert not issubclass(at.InvalidSetting, OSError)


def test_a_refusal_is_not_wrapped_by_what_waits_for_the_system(tmp_path):
    path = tmp_path / "large.json"
    path.write_bytes(bytes(100))
    with pytest.raises(at.FileProblem) as caught:
        read_bytes(path, most=10)
    assert str(caught.value) == f"{path}: 100 bytes are too many; allowed: 10"
    with pytest.raises(at.FileProblem) as caught, replacing(path):
        raise at.FileProblem("the reason itself")
    assert str(caught.value) == "the reason itself"


def test_why_there_is_no_private_folder_is_said_once(tmp_path, monkeypatch):
    monkeypatch.setenv("ATTRACTORY_CACHE", str(tmp_path / "open" / "cache"))
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o777)
    with pytest.raises(at.FileProblem) as caught:
        private_cache("kernels")
    assert str(caught.value).startswith(f"{tmp_path / 'open'} can be written by others")
