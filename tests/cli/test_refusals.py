"""Whatever a command is given: one line of at most 300 letters, and status 2."""

from __future__ import annotations

import sys

import pytest

from attractory.cli import main


def run(monkeypatch, capsys, *arguments):
    """The command in this process; (exit status, standard error)."""
    # settings of the whole process, which other tests run in, too
    monkeypatch.setattr("attractory.cli._app.use_cores", lambda cores: None)
    monkeypatch.setattr(sys, "argv", ["attractory", *map(str, arguments)])
    with pytest.raises(SystemExit) as ended:
        main()
    return ended.value.code, capsys.readouterr().err


def assert_refused(status, errors):
    assert status == 2, errors
    assert errors.count("\n") == 1
    assert errors.startswith("attractory: ")
    assert errors[:-1].isprintable()
    assert len(errors) <= 301


LONG = "x" * 300
FLIP = ("train", "--task", "flipflop")


@pytest.mark.parametrize(
    "arguments",
    [
        (*FLIP, "--set", "task.name.x=3"),
        (*FLIP, "--set", "rule.steps=2020-99-99"),
        (*FLIP, "--set", "rule.name=[1]"),
        (*FLIP, "--set", "rule.steps=" + "[" * 900),
        (*FLIP, "--set", "x" * 9000),
        (*FLIP, "--nets", "1000000000000"),
        (*FLIP, "--nets", "9" * 5000),
        (*FLIP, "--units", "3000000000"),
        (*FLIP, "--out", LONG),
        (*FLIP, "--out", "a\udcffb"),
        (*FLIP, "--cell", "g" * 5000),
        ("train", "--task", "f" * 5000),
        ("train", "--config", LONG),
        ("tasks", "and", "--set", "task.name=or"),
        ("tasks", "and", "--set", "task.self=1"),
        ("tasks", "and", "--trials", "1000000000000"),
        ("tasks", "x" * 5000),
        ("evaluate", LONG),
        ("evaluate", "a\udcffb"),
        ("import", LONG + ".npz"),
        ("import", LONG + ".hdf5"),
        ("report", "x" * 5000),
        ("export", LONG),
        ("reproduce", "--preset", "x" * 5000),
        ("x" * 5000,),
    ],
    ids=lambda arguments: " ".join(arguments)[:40],
)
def test_odd_arguments_are_one_line(arguments, monkeypatch, capsys, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert_refused(*run(monkeypatch, capsys, *arguments))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "text",
    ["out: 5", "out: [a]", 'out: "a\\0b"', "task: {name: [1]}", "{1: 2}", "[" * 900, "\0", "seed: "
     + "9" * 5000, "task: and\nmodel: {name: {a: 1}}"],
    ids=range(9),
)  # fmt: skip
def test_odd_files_are_one_line(text, monkeypatch, capsys, tmp_path):
    file = tmp_path / "config.yaml"
    file.write_text(text)
    assert_refused(*run(monkeypatch, capsys, "train", "--config", file))


def test_a_file_without_an_end_is_not_read_to_it(monkeypatch, capsys):
    status, errors = run(monkeypatch, capsys, "train", "--config", "/dev/zero")
    assert_refused(status, errors)
    assert "more than 100000 bytes" in errors
