"""The commands as a user types them: what they print, leave behind and exit with."""

from __future__ import annotations

import inspect
import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

import attractory as at
from attractory.cli._tables import flowing

SHELL = ("near_orthogonal", "paper", "force", "full_force", "reservoir", "bptt")  # rules by name
SMALL = [
    "--set", "task.bits=1", "--set", "task.steps=100", "--set", "task.first_onset=[5, 20]",
    "--set", "task.pulse=5", "--set", "task.delay=5", "--set", "model.units=16",
    "--set", "rule.batch=8", "--set", "rule.optimizer=adam", "--set", "rule.learning_rate=0.01",
]  # fmt: skip


def attractory(*arguments, cwd=None):
    """Run the command; (exit status, standard output, standard error)."""
    done = subprocess.run(
        [sys.executable, "-m", "attractory", *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=cwd,
        env={**os.environ, "COLUMNS": "160"},
    )
    return done.returncode, done.stdout, done.stderr


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory):
    """A small trained run."""
    folder = tmp_path_factory.mktemp("cli") / "run"
    status, output, errors = attractory(
        "train",
        "--task",
        "flipflop",
        *SMALL,
        "--set",
        "rule.steps=30",
        "--nets",
        2,
        "--out",
        folder,
    )
    assert status == 0, errors
    assert str(folder) in output
    assert "finished" in output
    return folder


def test_train_leaves_a_run_with_the_settings_asked_for(run_folder):
    run = at.load(run_folder)
    assert (run.task.bits, run.model.units, run.rule.steps, len(run.networks)) == (1, 16, 30, 2)


def test_flags_win_over_the_file_and_single_settings_over_both(tmp_path, in_process):
    config = tmp_path / "config.yaml"
    config.write_text(
        "task: {name: flipflop, bits: 2}\nmodel: {units: 10}\nrule: {steps: 5, batch: 2}\nnets: 3\n"
    )
    status, _, errors = in_process(
        "train", "--config", config, "--nets", 1, "--set", "rule.steps=2",
        "--set", "rule.optimizer=sgd", "--out", tmp_path / "run",
    )  # fmt: skip
    assert status == 0, errors
    run = at.load(tmp_path / "run")
    assert (run.task.bits, run.model.units, run.rule.steps, run.rule.batch) == (2, 10, 2, 2)
    assert len(run.networks) == 1


def test_evaluate_prints_the_scores_that_python_gives(run_folder, in_process):
    status, output, _ = in_process("evaluate", run_folder, "--trials", 32, "--seed", 5)
    run = at.load(run_folder)
    scores = at.evaluate(run.networks, run.task, 32, seed=5)
    assert status == 0
    for mse in scores.mse:
        assert f"{mse:.4f}" in output


def test_evaluate_varies_a_condition(run_folder, in_process):
    status, output, _ = in_process(
        "evaluate", run_folder, "--trials", 16, "--vary", "noise", "--values", "0,0.5"
    )
    assert status == 0
    assert output.count("noise") == 4  # two networks, two values


@pytest.mark.usefixtures("undrawn")
def test_analyze_and_report_leave_tables_figures_and_the_page(run_folder, in_process):
    status, _, errors = in_process("analyze", run_folder)
    assert status == 0, errors
    tables = {file.name for file in (run_folder / "analysis").iterdir()}
    assert {
        "networks.csv",
        "scores.csv",
        "robustness.csv",
        "eigenvalues.csv",
        "cubes.json",
    } <= tables
    status, _, errors = in_process("report", run_folder)
    assert status == 0, errors
    page = (run_folder / "report.html").read_text()
    assert "</html>" in page
    assert page.count("<img alt=") == len(list((run_folder / "figures").glob("*.svg")))
    assert at.load(run_folder).networks  # the run itself is as whole as before


def test_a_docstring_flows_with_a_paragraph_for_each_setting():
    written = """A memory of
    bits.

    Parameters
    ----------
    bits : int
        Number of channels, each of
        which is its own.
    gap, **more : tuple (low, high), optional
        In ms.
    """
    expected = """A memory of bits.

Parameters
----------
bits (int): Number of channels, each of which is its own.
gap, **more (tuple (low, high), optional): In ms."""
    assert flowing(inspect.cleandoc(written)) == expected


def test_tasks_lists_describes_and_draws(tmp_path, monkeypatch, in_process):
    monkeypatch.chdir(tmp_path)
    status, output, _ = in_process("tasks")
    assert status == 0
    assert all(name in output for name in at.tasks.names())
    status, output, errors = in_process(
        "tasks", "context_decision", "--set", "task.dt=50", "--trials", 2
    )
    assert status == 0, errors
    task = at.tasks.get("context_decision", dt=50)
    for said in ("neurogym_compat", f"{task.n_steps} steps of 50 ms", f"{task.ideal():.1%}",
                 "recipe: RateRNN(units=96"):  # fmt: skip
        assert said in output
    trials = task.sample(2)
    assert f"{trials.conditions['relevant'][1]:g}" in output
    assert (tmp_path / "runs" / "tasks" / "context_decision.png").read_bytes()[1:4] == b"PNG"


def test_rules_lists_all_and_describes_one(in_process):
    status, output, _ = in_process("rules")
    assert status == 0
    listed = [line.split()[0] for line in output.splitlines()]
    assert listed[:2] == ["rule", "default"]
    assert set(SHELL) <= set(listed)
    assert {"loss", *at.rules.loss_names(), "penalty", *at.rules.penalty_names()} <= set(listed)
    assert "FullFORCE" not in listed  # it has a name of the commands
    for name, setting, usual in [
        ("full_force", "teacher_gain", 1.5),
        ("paper", "optimizer", "adam"),
        ("BPTT", "optimizer", "muon"),
        ("bptt", "optimizer", "muon"),
        ("recurrent_radius", "most", 1.0),
    ]:
        status, output, errors = in_process("rules", name)
        assert status == 0, errors
        assert [setting, str(usual)] in [line.split() for line in output.splitlines()]
    assert "recipe of the task" in in_process("rules", "default")[1]


def test_the_help_of_train_lists_rules_losses_and_penalties(in_process):
    status, output, _ = in_process("train", "--help")
    assert status == 0
    said = " ".join(output.split())
    assert "Rule: default, " in said
    assert all(name in said for name in SHELL)
    for names in (at.rules.loss_names(), at.rules.penalty_names()):
        assert ", ".join(names) in said


def test_the_commands_begin_without_what_only_some_need():
    code = "import sys, attractory.cli; print({'jax', 'attractory.rules'} & {*sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


def test_import_of_the_authors_network(tmp_path, authors_data):
    file = authors_data / "ff_3b_weights-20.hdf5"
    status, output, errors = attractory("import", file, "--out", tmp_path / "imported")
    assert status == 0, errors
    assert "RateRNN, 400 units, 3 inputs, 3 outputs" in output
    assert at.load(tmp_path / "imported").networks[0].units == 400


@pytest.mark.usefixtures("undrawn")
def test_reproduce_from_a_small_network(tmp_path, in_process):
    network = at.models.RateRNN(units=8, tau=5.0, bias=True).build(1, 1, seed=1)
    file = at.runs.save_torch(network, tmp_path / "net.safetensors")
    status, output, errors = in_process("reproduce", "--from", file, "--out", tmp_path / "paper")
    assert status == 0, errors
    manifest = json.loads((tmp_path / "paper" / "manifest.json").read_text())
    assert f"{manifest['networks'][0]['scores']['mse']:.4f}" in output
    assert (tmp_path / "paper" / "report.html").stat().st_size > 1_000_000
    assert (tmp_path / "paper" / "figures" / "figure1_flip_flop.svg").exists()


@pytest.mark.slow
def test_reproduce_from_the_authors_network(tmp_path, authors_data):
    file = authors_data / "ff_3b_weights-20.hdf5"
    status, _, errors = attractory("reproduce", "--from", file, "--out", tmp_path / "paper")
    assert status == 0, errors
    manifest = json.loads((tmp_path / "paper" / "manifest.json").read_text())
    scores = manifest["networks"][0]["scores"]
    assert scores["mse"] == pytest.approx(0.0133, abs=0.0007)
    assert scores["accuracy"] == pytest.approx(0.9994, abs=0.0003)
    assert (tmp_path / "paper" / "report.html").stat().st_size > 1_000_000


@pytest.mark.parametrize(
    "command",
    [
        "reproduce",
        "train",
        "evaluate",
        "analyze",
        "report",
        "compare",
        "sweep",
        "tune",
        "import",
        "export",
        "tasks",
        "rules",
    ],
)
def test_every_command_has_help_with_an_example(command, in_process):
    status, output, _ = in_process(command, "--help")
    assert status == 0
    assert f"Example: attractory {command}" in " ".join(output.split())


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # Keras's own
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["trian"], "Did you mean 'train'?"),
        (["train"], "no task is given"),
        (["train", "--import", "my.py", "--task", "and"], "--import stands before the command"),
        (["train", "--task", "flipflp"], "did you mean 'flipflop'?"),
        (["train", "--task", "flipflop", "--set", "task.bits=0"], "bits = 0 is not allowed"),
        (["train", "--task", "flipflop", "--set", "task.noise=-1"], "noise = -1 is not allowed"),
        (["train", "--task", "flipflop", "--set", "task.steps=60"], "steps = 60 is too short"),
        (
            ["train", "--task", "flipflop", "--set", "model.dt=30"],
            "dt = 30.0 is not allowed: at most",
        ),
        (
            ["train", "--task", "flipflop", "--set", "rule.optimizr=adam"],
            "did you mean 'optimizer'",
        ),
        (["train", "--task", "flipflop", "--set", "modle.units=3"], "did you mean 'model'?"),
        (["train", "--task", "flipflop", "--nets", "0"], "nets = 0 is not allowed"),
        (["train", "--config", "/nowhere.yaml"], "/nowhere.yaml: cannot be read: No such file"),
        (["evaluate", "/nowhere"], "/nowhere: there is no such run folder"),
        (["reproduce", "--preset", "slow"], "preset = 'slow' is not allowed: 'fast' or 'paper'"),
        (["reproduce", "--from", "/nowhere.hdf5"], "/nowhere.hdf5"),
        (["reproduce", "--out", "/proc/nowhere", "--from", "{keras}"], "cannot be written"),
        (["reproduce", "--cores", "999"], "cores = 999 is not allowed: 1 to"),
        (["import", "{text}"], "HDF5"),
        (["import", "{text}", "--set", "task.bits=3"], "name it with --task"),
        (["export", "/nowhere"], "/nowhere: there is no such run folder"),
        (["compare", "/nowhere"], "/nowhere: there is no such run folder"),
        (["train", "--task", "and", "--cell", "grru"], "did you mean 'gru'?"),
        (
            ["train", "--task", "and", "--cell", "gru", "--dale", "0.8"],
            "constraints are not allowed",
        ),
        (["train", "--task", "and", "--dale", "1.5"], "excitatory = 1.5 is not allowed"),
        (
            ["tasks", "and", "--set", "task.pulse=0.5"],
            "pulse = 0.5 ms is not allowed: a multiple of dt",
        ),
        (["tasks", "and", "--set", "dt=2"], "'dt=2' is not allowed: task.KEY=VALUE, as task.dt=2"),
        (["tasks", "and", "--set", "rule.steps=2"], "unknown section; allowed: task"),
        (["tasks", "flop"], "task 'flop' is unknown"),
        (["rules", "forc"], "did you mean 'force'?"),
        (["train", "--task", "and", "--rule", "rezervoir"], "did you mean 'reservoir'?"),
    ],
)
def test_mistakes_get_one_line_and_status_2(arguments, message, tmp_path, monkeypatch, in_process):
    text = tmp_path / "text.hdf5"
    text.write_text("no network")
    if "{keras}" in arguments:
        keras = pytest.importorskip("keras")
        layers = [keras.Input((None, 2)), keras.layers.SimpleRNN(4, return_sequences=True),
                  keras.layers.Dense(2)]  # fmt: skip
        keras.Sequential(layers).save(tmp_path / "net.keras")
    filled = [a.format(text=text, keras=tmp_path / "net.keras") for a in arguments]
    monkeypatch.chdir(tmp_path)
    status, _, errors = in_process(*filled)
    assert status == 2
    assert message in errors
    assert errors.count("\n") == 1, errors


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("task: flipflop\nnest: 3\n", "unknown setting 'nest'"),
        ("task: [1, 2]\n", "task = [1, 2] is not allowed"),
        ("- a\n", "must hold keys and values"),
        ("task: {name\n", "not readable as YAML"),
        ("task: flipflop\nseed: x\n", "seed = 'x' is not allowed"),
        ("task: flipflop\nrule: {name: bttp}\n", "rule.name = 'bttp' is not allowed"),
        ("task: flipflop\ncurriculum: [1]\n", "curriculum = [1] is not allowed"),
        ("task: flipflop\ncurriculum: {vary: noise}\n", "Curriculum: steps"),
    ],
)
def test_mistakes_in_a_config_file(content, message, tmp_path):
    from attractory.cli._config import read_config

    file = tmp_path / "config.yaml"
    file.write_text(content)
    with pytest.raises(at.AttractoryError) as caught:
        read_config(file, {}, [])
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_curriculum_stands_in_the_file(tmp_path, in_process):
    file = tmp_path / "config.yaml"
    file.write_text(
        "task: {name: flipflop, bits: 1}\nmodel: {units: 6}\n"
        "rule: {steps: 4, batch: 2, optimizer: sgd}\n"
        "curriculum:\n  tasks: [{noise: 0.5}, {name: flipflop, bits: 1, steps: 300}]\n  steps: 1\n"
    )
    status, _, errors = in_process("train", "--config", file, "--out", tmp_path / "run")
    assert status == 0, errors
    run = at.load(tmp_path / "run")
    assert list(run.history["stage"]) == [1, 2, 3, 3]
    assert [each["task"]["settings"]["noise"] for each in run.curriculum] == [0.5, 0.1]


def test_flags_and_single_settings_make_the_model(tmp_path):
    from attractory.cli._config import read_config

    flags = {"task": "and", "model.units": 30, "model.constraints.excitatory": 0.8}
    asked = read_config(None, flags, ["model.constraints.self_connections=false", "rule.steps=7"])
    assert asked.model.units == 30
    assert (asked.model.constraints.excitatory, asked.model.constraints.self_connections) == (
        0.8,
        False,
    )
    assert (asked.model.activation, asked.rule.steps) == ("relu", 7)
    for cell in ("gru", "GRU"):
        made = read_config(None, {"task": "and", "model.name": cell}, []).model
        assert made == at.recipe(at.tasks.get("and"), "gru").model
    file = tmp_path / "layers.yaml"
    file.write_text(
        "task: and\nmodel: {name: Stacked, layers: [{name: GRU, settings: {units: 8}}, "
        "{name: RateRNN, settings: {units: 9}}]}\n"
    )
    layers = read_config(file, {}, []).model.layers
    assert [(type(layer), layer.units) for layer in layers] == [
        (at.models.GRU, 8),
        (at.models.RateRNN, 9),
    ]


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # Keras's own
def test_export_writes_every_network_and_import_brings_it_back(run_folder, tmp_path, in_process):
    run = at.load(run_folder)
    inputs = run.task.sample(3).inputs
    for format, ending in [("keras", ".keras"), ("torch", ".safetensors")]:
        pytest.importorskip(format)
        files = at.runs.export(run, format, tmp_path)
        assert [file.name for file in files] == [f"network_{i}{ending}" for i in range(2)]
        for file, network in zip(files, run.networks, strict=True):
            back = at.runs.load_network(file)
            np.testing.assert_allclose(back.respond(inputs), network.respond(inputs), atol=1e-5)
    status, output, errors = in_process("export", run_folder, "--format", "torch", "--net", 1)
    assert status == 0, errors
    assert output.strip().endswith("network_1.safetensors")
    status, _, errors = in_process(
        "import", run_folder / "export" / "network_1.safetensors", "--task", "flipflop",
        "--set", "task.bits=1", "--out", tmp_path / "back",
    )  # fmt: skip
    assert status == 0, errors
    assert at.load(tmp_path / "back").task.bits == 1
    with pytest.raises(at.InvalidSetting, match="format = 'tflite' is not allowed"):
        at.runs.export(run, "tflite")
    with pytest.raises(at.InvalidSetting, match="net = 2 is not allowed: 0 to 1"):
        at.runs.export(run, net=2)
    with pytest.raises(at.InvalidSetting, match="inputs and .* outputs|they must be equal"):
        at.runs.imported(files[0], at.tasks.get("and"))


def test_another_runs_folder_is_refused(run_folder, in_process):
    status, _, errors = in_process(
        "train", "--task", "flipflop", *SMALL, "--set", "rule.steps=31", "--nets", 2,
        "--out", run_folder,
    )  # fmt: skip
    assert status == 2
    assert "belongs to another run (rule.steps is 30 there, 31 here)" in errors
    assert len(at.load(run_folder).networks) == 2


WITH_MANY_CHECKPOINTS = """
from attractory.cli import main
from attractory.training import _train
_train.CHECKPOINT_SECONDS = 0.1
main()
"""


def test_ctrl_c_says_how_to_go_on(tmp_path):
    command = [sys.executable, "-c", WITH_MANY_CHECKPOINTS, "train", "--task", "flipflop", *SMALL,
               "--set", "rule.steps=100000", "--out", str(tmp_path / "run")]  # fmt: skip
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    newest = tmp_path / "run" / "checkpoints" / "newest.safetensors"
    deadline = time.monotonic() + 60
    while not newest.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert errors.strip().endswith("the same command goes on from the last checkpoint")
    assert newest.exists()


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("2 of 4 networks are done", "stopped; 2 of 4 networks are done"),
        ("", "stopped; what was computed is kept; the same command goes on with the rest"),
    ],
)
def test_an_analysis_that_is_stopped_says_what_is_kept(run_folder, monkeypatch, capsys, said, told):
    from attractory import report
    from attractory.cli import _ctrl_c, _main

    def stopped(*_, **__):
        raise KeyboardInterrupt(*[said] if said else [])

    monkeypatch.setattr(report, "study", stopped)
    monkeypatch.setattr(_ctrl_c, "_said", [])
    monkeypatch.setattr("sys.argv", ["attractory", "analyze", str(run_folder)])
    with pytest.raises(SystemExit) as end:
        _main.main()
    assert end.value.code == 130
    assert capsys.readouterr().err.splitlines()[-1] == f"attractory: {told}"


def test_analyze_opens_the_networks(run_folder, in_process):
    status, output, errors = in_process(
        "analyze", run_folder, "--fixed-points", "--automaton", "--quick"
    )
    assert status == 0, errors
    assert "network 0: " in output
    assert "fixed points (" in output
    assert "(T0, smallest margin" in output
    said = json.loads((run_folder / "analysis" / "dynamics.json").read_text())
    assert len(said) == 2
    assert (run_folder / "analysis" / "transitions.csv").exists()


@pytest.mark.parametrize(
    ("name", "rule"), [("force", at.rules.FORCE), ("full_force", at.rules.FullFORCE)]
)
def test_other_rules_are_asked_for_by_their_names(name, rule):
    from attractory.cli._config import read_config

    asked = read_config(None, {"task": "flipflop"}, [f"rule.name={name}", "rule.alpha=2"])
    assert asked.rule == rule(alpha=2.0)


def test_a_reservoir_is_asked_for_by_its_name_and_brings_its_network(tmp_path):
    from attractory.cli._config import read_config

    file = tmp_path / "config.yaml"
    file.write_text("task: flipflop\nrule: {name: reservoir, washout: 3}\nmodel: {tau: 20}\n")
    asked = read_config(file, {}, [])
    assert asked.rule == at.rules.Reservoir(washout=3)
    assert (asked.model.units, asked.model.constraints.density) == (400, 0.1)
    assert asked.model.tau == 20
    flags = {"task": "flipflop", "model.name": "gru"}
    assert (
        read_config(None, flags, ["rule.name=Reservoir"]).model
        == at.recipe("flipflop", "gru").model
    )
    with pytest.raises(at.InvalidSetting, match="did you mean 'reservoir'"):
        read_config(None, {"task": "flipflop"}, ["rule.name=reservoirs"])
