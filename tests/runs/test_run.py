"""Runs on disk: what was saved comes back as it was, and damage is named."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
import time

import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest
from runs.first_version import as_first_version
from safetensors.numpy import load_file, save_file

import attractory as at
from attractory._process import Process
from attractory.rules import BPTT
from attractory.runs import Run
from attractory.runs._lock import LOCK, FolderLock

TASK = at.tasks.FlipFlop(bits=2, steps=90, first_onset=(5, 20), pulse=5, delay=5)
ROWS = [
    {"net": net, "seed": [3, net], "status": "finished", "step": 7, "events": []} for net in (0, 1)
]
HISTORY = pd.DataFrame(
    {
        "net": [0, 1],
        "step": [1, 1],
        "loss": [0.1234567890123, np.nan],
        "validation_loss": [np.nan, 0.5],
        "gradient_norm": [1.0, 2.0],
        "learning_rate": [1e-4, 1e-4],
        "seconds": [0.25, 0.25],
        "spectral_radius": [np.nan, 1.25],
    }
)


def made_run(**model):
    described = at.models.RateRNN(units=9, bias=True, **model)
    networks = [described.build(2, 2, seed=seed) for seed in (1, 2)]
    return Run(TASK, described, networks, ROWS, BPTT(steps=7), 3, HISTORY)


@pytest.fixture
def saved(tmp_path):
    return made_run().save(tmp_path / "run")


def test_networks_answer_as_before_after_saving_and_loading(tmp_path):
    run = made_run(activation="softplus", tau=5.0, dt=2.0, input_init="normal")
    again = at.load(run.save(tmp_path / "run"))
    inputs = TASK.sample(3).inputs
    for before, after in zip(run.networks, again.networks, strict=True):
        np.testing.assert_array_equal(
            before.simulate(inputs).outputs, after.simulate(inputs).outputs
        )
    assert again.config == run.config
    assert (again.task, again.model, again.rule, again.seed) == (TASK, run.model, run.rule, 3)
    assert again.status == ROWS
    pd.testing.assert_frame_equal(again.history, HISTORY)


def test_manifest_tells_settings_seeds_and_versions(saved):
    manifest = json.loads((saved / "manifest.json").read_text())
    assert manifest["config"]["model"]["settings"]["units"] == 9
    assert manifest["config"]["task"] == {"name": "flipflop", "settings": TASK.to_json()}
    assert [row["seed"] for row in manifest["networks"]] == [[3, 0], [3, 1]]
    import jax

    assert manifest["versions"]["jax"] == jax.__version__


def test_weights_are_stacked_on_a_net_axis(saved):
    arrays = load_file(saved / "networks.safetensors")
    assert arrays["recurrent_weights"].shape == (2, 9, 9)
    assert arrays["bias"].shape == (2, 9)


def test_a_users_initial_matrix_comes_back(tmp_path):
    matrix = np.random.default_rng(0).normal(size=(9, 9))
    run = made_run(recurrent_init=matrix)
    again = at.load(run.save(tmp_path / "run"))
    np.testing.assert_array_equal(again.model.recurrent_init, matrix)
    assert again.model == run.model


def test_a_users_activation_is_asked_for_and_taken(tmp_path):
    def cubic(x):
        return jnp.tanh(x) ** 3

    run = made_run(activation=cubic)
    folder = run.save(tmp_path / "run")
    with pytest.raises(at.InvalidSetting, match="cubic.*not stored.*activation="):
        at.load(folder)
    again = at.load(folder, activation=cubic)
    inputs = TASK.sample(1).inputs
    np.testing.assert_array_equal(
        again.networks[0].simulate(inputs).states, run.networks[0].simulate(inputs).states
    )


def test_saving_twice_into_the_own_folder_is_fine(saved):
    made_run().save(saved)
    assert len(at.load(saved).networks) == 2


def test_another_runs_folder_is_refused_and_left_alone(saved):
    before = {file: file.read_bytes() for file in saved.iterdir()}
    other = made_run(tau=2.0)
    with pytest.raises(at.FileProblem, match=r"belongs to another run \(model.tau is 1.0 there, 2"):
        other.save(saved)
    assert {file: file.read_bytes() for file in saved.iterdir()} == before


def test_a_folder_with_other_files_is_refused(tmp_path):
    (tmp_path / "thesis.tex").write_text("precious")
    with pytest.raises(at.FileProblem, match=r"other files \(such as thesis.tex\)"):
        made_run().save(tmp_path)
    with pytest.raises(at.FileProblem, match="this is a file"):
        made_run().save(tmp_path / "thesis.tex")
    assert (tmp_path / "thesis.tex").read_text() == "precious"


def test_a_place_that_cannot_be_written_is_named():
    with pytest.raises(at.FileProblem, match="/proc/nowhere.*cannot be written"):
        made_run().save("/proc/nowhere")


def _truncate(file):
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def _replaced(old, new):
    return lambda file: file.write_text(file.read_text().replace(old, new))


def _without_bias(file):
    save_file({n: a for n, a in load_file(file).items() if n != "bias"}, file)


def _smaller(file):
    arrays = load_file(file)
    save_file({**arrays, "input_weights": arrays["input_weights"][:, :8]}, file)


@pytest.mark.parametrize(
    ("name", "damage", "message"),
    [
        ("manifest.json", os.unlink, "manifest.json: this file is missing"),
        ("manifest.json", _truncate, "manifest.json: not readable as JSON"),
        ("manifest.json", lambda f: f.write_text("[]"), "manifest.json: damaged: 'schema'"),
        ("manifest.json", lambda f: f.write_text("[" * 10**5), "nested too deeply"),
        ("manifest.json", lambda f: f.write_text("9" * 6000), "a number of 6000 digits"),
        ("manifest.json", lambda f: f.write_text('{"schema": NaN}'), "NaN is no number of JSON"),
        ("manifest.json", _replaced('"schema": 2', '"schema": 9'), "this version reads 1 and 2"),
        ("manifest.json", _replaced('"model"', '"modle"'), "manifest.json: damaged: 'model'"),
        ("manifest.json", _replaced('"units": 9', '"units": 8'), "is not that of its sha256"),
        ("manifest.json", _replaced('"seed": 3', '"seed": 4'), "is not that of its sha256"),
        ("networks.safetensors", os.unlink, "networks.safetensors: this file is missing"),
        ("networks.safetensors", _truncate, "networks.safetensors: damaged"),
        ("networks.safetensors", _without_bias, "damaged: its SHA-256 is not the one in manifest"),
        ("history.csv", os.unlink, "history.csv: this file is missing"),
        ("history.csv", lambda f: f.write_text(""), "history.csv: damaged"),
        ("history.csv", _replaced("0.1234", "0.1235"), "damaged: its SHA-256 is not the one in"),
    ],
)  # fmt: skip
def test_missing_or_changed_files_are_named_in_one_line(saved, name, damage, message):
    damage(saved / name)
    with pytest.raises(at.FileProblem) as caught:
        at.load(saved)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def _with_weight(value, dtype=np.float32):
    def damage(file):
        arrays = load_file(file)
        arrays["recurrent_weights"] = arrays["recurrent_weights"].astype(dtype)
        arrays["recurrent_weights"][1, 2, 3] = value
        save_file(arrays, file)

    return damage


def _row(name, value):
    return lambda content: content["networks"][1].__setitem__(name, value)


@pytest.mark.parametrize(
    ("name", "damage", "message"),
    [
        ("networks.safetensors", _without_bias, "damaged: 'bias' is missing"),
        ("networks.safetensors", _smaller, "'input_weights' has shape"),
        ("networks.safetensors", _with_weight(np.nan), "of network 1 has values that are not fin"),
        ("networks.safetensors", _with_weight(1e300, np.float64), "not finite in float32"),
        ("history.csv", lambda f: f.write_text(""), "history.csv: damaged"),
        ("history.csv", lambda f: f.write_text("net,step\n0,1\n"), "column 'loss' is missing"),
        ("history.csv", _replaced("0.1234", "x"), "column 'loss' holds other things than numbers"),
        (None, _row("step", "x"), "damaged: networks.1.step"),
        (None, lambda content: content["networks"].pop(), "1 rows for 2 networks"),
        (None, lambda content: content.update(networks=[1.5, 2]), "damaged: networks.0"),
        (None, lambda content: content["config"].update(seed=[1]), "damaged: config.seed"),
        (None, lambda c: c["config"]["task"].update(settings=[]), "damaged: config.task.settings"),
        (None, lambda c: c["config"].update(source=5), "damaged: config.source"),
        (None, lambda c: c["networks"][0].pop("status"), "damaged: 'status' is missing"),
    ],
)  # fmt: skip
def test_runs_of_the_first_versions_are_checked_by_their_contents(saved, name, damage, message):
    as_first_version(saved, damage if name is None else None)
    if name is not None:
        damage(saved / name)
    with pytest.raises(at.FileProblem) as caught:
        at.load(saved)
    assert message in str(caught.value)


def test_runs_of_the_first_versions_load(saved):
    run = at.load(as_first_version(saved))
    assert run.config == made_run().config
    pd.testing.assert_frame_equal(run.history, HISTORY)


@pytest.mark.parametrize("path", ["a\0b", 5, None, "x" * 300, "x/" * 3000])
def test_paths_that_are_none_get_one_line(path):
    for use in (at.load, lambda p: at.train(TASK, made_run().model, BPTT(steps=1), path=p)):
        if path is None and use is not at.load:
            continue
        with pytest.raises(at.AttractoryError) as caught:
            use(path)
        assert "\n" not in str(caught.value)
        assert len(str(caught.value)) <= 300


def test_weights_that_are_not_finite_are_not_saved(tmp_path):
    run = made_run()
    run.networks[1].weights["bias"] = np.full(9, np.inf, np.float32)
    with pytest.raises(at.FileProblem, match="'bias' of network 1 has values that are not finite"):
        run.save(tmp_path / "run")


def test_a_vanishing_product_of_huge_factors_is_refused(tmp_path):
    """The vectors of a low-rank network may be finite while their product is not."""
    model = at.models.LowRankRNN(units=4, rank=1)
    network = model.build(2, 2)
    for name in ("left_vectors", "right_vectors"):
        network.weights[name] = np.full((4, 1), 1e30, np.float32)
    run = Run(TASK, model, [network], ROWS[:1], BPTT(steps=7), 3, HISTORY)
    with pytest.raises(at.FileProblem, match="'recurrent weights' of network 0"):
        run.save(tmp_path / "run")


def test_own_half_written_files_are_in_nobodys_way(tmp_path):
    """Of the first versions, and of a process that runs no more: ignored, then removed."""
    this = Process.this()
    dead = Process(this.host, this.boot, this.pid, this.start + 1).token  # its number is ours now
    old = tmp_path / ".manifest.json.032c6eef.partial"
    left = tmp_path / f".networks.safetensors.{dead}.0123abcd.partial"
    alive = tmp_path / f".history.csv.{Process.this().token}.0123abcd.partial"
    waiting = tmp_path / ".history.csv.0123456789abcdef.next"
    for file in (old, left, alive, waiting):
        file.write_text("half")
    os.utime(old, (0, 0))
    assert len(at.load(made_run().save(tmp_path)).networks) == 2
    assert not old.exists()
    assert not left.exists()
    assert not waiting.exists()
    assert alive.exists()


def test_one_process_at_a_time_works_on_a_folder(tmp_path):
    with FolderLock(tmp_path / "run"):
        with pytest.raises(at.FileProblem, match=f"process {os.getpid()} on .* is working on this"):
            made_run().save(tmp_path / "run")
        with pytest.raises(at.FileProblem, match="is working on this run"):
            at.train(TASK, made_run().model, BPTT(steps=1), path=tmp_path / "run", progress=False)
    assert not list((tmp_path / "run").iterdir())
    made_run().save(tmp_path / "run")
    with FolderLock(tmp_path / "run"):
        assert len(at.load(tmp_path / "run").networks) == 2  # who reads is not kept out


@pytest.mark.parametrize(
    ("content", "age", "refused"),
    [
        ("", 0, False),
        ("nonsense \0\xff", 0, False),
        ("00000000-00000000-1-1\nother\n", 0, True),  # on another machine, not long ago
        ("00000000-00000000-1-1\nother\n", 7200, False),
        ("HERE-00000000-1-1\nthis\n", 0, False),  # before a reboot
        ("HERE-BOOT-PID-1\nthis\n", 0, False),  # a number that was given again
    ],
)
def test_stale_locks_are_taken_over(tmp_path, content, age, refused):
    this, lock = Process.this(), tmp_path / LOCK
    for name, value in (("HERE", this.host), ("BOOT", this.boot), ("PID", str(this.pid))):
        content = content.replace(name, value)
    lock.write_text(content)
    os.utime(lock, (time.time() - age,) * 2)
    if refused:
        with pytest.raises(at.FileProblem, match=r"process 1 on other .*remove .attractory.lock"):
            made_run().save(tmp_path)
    else:
        made_run().save(tmp_path)
        assert not lock.exists()


def test_no_run_folder():
    with pytest.raises(at.FileProblem, match="no such run folder"):
        at.load("/nowhere/at/all")


@pytest.mark.parametrize("target", ["os.replace", "os.fsync"])
def test_a_full_disk_leaves_the_old_files_whole(saved, monkeypatch, target):
    before = {file.name: file.read_bytes() for file in saved.iterdir()}

    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(target, full)
    changed = made_run()
    changed.history.loc[0, "loss"] = 9.0
    with pytest.raises(at.FileProblem, match="cannot be written: No space left on device"):
        changed.save(saved)
    assert {file.name: file.read_bytes() for file in saved.iterdir()} == before


FILLING = """
import resource, signal, sys
import attractory as at
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
task = at.tasks.FlipFlop(bits=1, steps=60, first_onset=(2, 10), pulse=3, delay=3)
rule = at.rules.BPTT(steps=3, batch=2, optimizer="adam")
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
try:
    at.train(task, at.models.RateRNN(units=50), rule, path=sys.argv[1], progress=False)
except at.FileProblem as problem:
    print(problem)
"""


def test_a_file_that_cannot_grow_ends_training_with_one_line(tmp_path):
    """The system refuses files above 20 kB, as a full disk would."""
    done = subprocess.run(
        [sys.executable, "-c", FILLING, str(tmp_path / "run")], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "cannot be written" in done.stdout
    assert "training stopped at step 3" in done.stdout
    assert done.stdout.count("\n") == 1
    left = sorted(file.name for file in (tmp_path / "run").rglob("*") if file.is_file())
    assert left == ["manifest.json"]
