"""`attractory tune`: what it prints, and what it refuses before anything runs."""

from __future__ import annotations

import pytest

pytest.importorskip("optuna")
pytest.importorskip("distributed")

STUDY = """
task: {name: flipflop, bits: 1, steps: 40, first_onset: [5, 10], pulse: 4, delay: 4}
model: {units: 8}
rule: {steps: 4, batch: 4}
tune:
  rule.learning_rate: [1e-3, 1e-2]
objective: correct
trials: 1
retrain: 1
scoring: {trials: 8}
"""


@pytest.fixture
def tune(in_process, monkeypatch, tmp_path):
    """The command on a study of this text, in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def run(text, *arguments):
        (tmp_path / "study.yaml").write_text(text)
        return in_process("tune", "study.yaml", *arguments)

    return run


def test_it_says_what_is_best_and_what_that_is_worth(tune, tmp_path):
    status, said, errors = tune(STUDY)
    assert status == 0, errors
    assert "1 trial: 1 complete; best: trial 0, correct" in said
    assert "on fresh seeds and trials" in said
    assert (tmp_path / "tunings" / "study" / "table.csv").exists()
    assert tune(STUDY, "--status")[1] == said
    other = STUDY.replace("objective: correct", "objective: mse")
    status, _, errors = tune(other)
    assert status == 2
    assert "a study of another objective: correct = 'maximize' there, nothing here" in errors
    assert errors.count("\n") == 1
    status, _, errors = tune(STUDY.replace("units: 8", "units: 9"))
    assert "a study of another model: settings.units = 8 there, 9 here" in errors
    assert status == 2


@pytest.mark.parametrize(
    ("text", "arguments", "said"),
    [
        (STUDY.replace("learning_rate", "lerning_rate"), (), "did you mean 'learning_rate'"),
        (STUDY.replace("rule.learning_rate", "task.noise"), (), "unknown field 'task.noise'"),
        (STUDY.replace("[1e-3, 1e-2]", "[]"), (), "low and high, or a list of values"),
        (STUDY.replace("[1e-3, 1e-2]", "{low: 1, high: 0}"), (), "low = 1 must be below high = 0"),
        (STUDY.replace("[1e-3, 1e-2]", "[1e-3, -1]"), (), "tune (rule.learning_rate = -1)"),
        (STUDY.replace("correct", "corect"), (), "did you mean 'correct'"),
        (STUDY.replace("correct", "spectral_radius"), (), "direction is missing"),
        (STUDY + "sampler: tpee\n", (), "did you mean 'tpe'"),
        (STUDY + "sampler: {name: tpe, startup: 3}\n", (), "tpe: {'startup': 3} is not allowed"),
        (STUDY + "pruner: median\n", (), "rule.validation = 0 is not allowed with a pruner"),
        (STUDY + "storage: mysqlite\n", (), "sqlite, journal, or an address"),
        (STUDY + "vary: {grid: {seed: [0]}}\n", (), "attractory sweep"),
        (STUDY + "trails: 1\n", (), "did you mean 'trials'"),
        (STUDY, ("--trials", "0"), "trials = 0"),
        (STUDY, ("--status",), "there is no tuning"),
    ],
    ids=range(15),
)
def test_mistakes_are_one_line(tune, text, arguments, said, tmp_path):
    status, printed, errors = tune(text, *arguments)
    assert status == 2
    assert said in errors
    assert errors.count("\n") == 1
    assert printed == ""
    assert [path.name for path in tmp_path.iterdir()] == ["study.yaml"]
