"""Parts of a user's own in commands: named once, found again, and nothing else is ever run."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys

import pytest

import attractory as at

OWN_TASK = '''
import jax
import jax.numpy as jnp
import attractory as at

open("ran", "a").close()

@at.tasks.register
class Mine(at.tasks.Task):
    """The sign of a noisy input."""

    steps: int = 10

    def trial(self, key):
        heard = jax.random.normal(key, (self.steps, 1))
        return at.tasks.Trial(inputs=heard, targets=jnp.sign(heard))
'''
OWN_RULE = '''
import jax.numpy as jnp
import attractory as at

@at.rules.register
class Still(at.rules.Rule):
    """Nothing is learned."""

    def init(self, model, weights, key):
        return {}

    def update(self, model, weights, state, trials, step, key, shards=None):
        return weights, state, {"loss": jnp.zeros(())}

    def slowed(self, state, factor):
        return state
'''
CONFIG = """
imports: own/my_tasks.py
task: mine
model: {units: 4}
rule: {steps: 1, batch: 2}
out: run
"""
TRAIN = ("train", "--task", "mine", "--out", "run", "--set", "model.units=4",
         "--set", "rule.steps=1", "--set", "rule.batch=2")  # fmt: skip
EVALUATE = ("evaluate", "run", "--trials", 4)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with a file of an own task and a cache of its own, to run commands in."""
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "my_tasks.py").write_text(OWN_TASK)
    (tmp_path / "config.yaml").write_text(CONFIG)
    monkeypatch.setenv("ATTRACTORY_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def command(folder, in_process, registries):
    """A command as in a new process: what others made known is forgotten before."""

    def run(*arguments):
        registries()
        (folder / "ran").unlink(missing_ok=True)
        return in_process(*arguments)

    yield run
    sys.modules.pop("my_tasks", None)


def ran(folder):
    """Whether the user's file was run by the last command."""
    return (folder / "ran").exists()


def assert_not_known(status, errors):
    assert status == 2
    assert "task 'mine' is not known here; the run was made with 'my_tasks.py'" in errors
    assert errors.count("\n") == 1


def process(*arguments):
    environment = {**os.environ, "ATTRACTORY_KERNELS": "jax"}  # to compile them takes longer
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, sys.path))
    command = [sys.executable, "-m", "attractory", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, env=environment)


def test_a_file_named_once_is_found_by_a_new_process(command, folder):
    (folder / "elsewhere").mkdir()
    os.chdir(folder / "elsewhere")  # a file's name begins where the configuration is
    status, _, errors = command("train", "--config", "../config.yaml", "--out", "../run")
    assert status == 0, errors
    text = (folder / "run" / "manifest.json").read_text()
    sha256 = hashlib.sha256(OWN_TASK.encode()).hexdigest()
    assert json.loads(text)["imports"] == [{"name": "my_tasks.py", "sha256": sha256}]
    assert str(folder) not in text
    done = process("evaluate", folder / "run", "--trials", 4)
    assert done.returncode == 0, done.stderr
    assert "mse" in done.stdout
    assert done.stderr == ""


@pytest.mark.usefixtures("undrawn")
def test_every_command_on_a_run_finds_what_it_was_made_with(command, folder):
    assert command("--import", "own/my_tasks.py", *TRAIN)[0] == 0
    for arguments in (EVALUATE, ("analyze", "run"), ("report", "run")):
        status, _, errors = command(*arguments)
        assert status == 0, errors
        assert ran(folder)
    assert "<h2>Scores</h2>" in (folder / "run" / "report.html").read_text()


def test_a_file_that_has_changed_is_not_run_until_it_is_named_again(command, folder):
    assert command("--import", "own/my_tasks.py", *TRAIN)[0] == 0
    (folder / "own" / "my_tasks.py").write_text(OWN_TASK + "\n# another version\n")
    status, _, errors = command(*EVALUATE)
    assert_not_known(status, errors)
    assert not ran(folder)
    status, _, errors = command("--import", "own/my_tasks.py", *EVALUATE)
    assert (status, errors) == (0, "")
    (folder / "own" / "my_tasks.py").write_text(OWN_TASK)  # as it was, where it was
    assert command(*EVALUATE)[0] == 0


def test_a_rule_of_ones_own_is_asked_for_by_its_name_and_listed(command, folder):
    (folder / "my_rules.py").write_text(OWN_RULE)
    own = ("--import", "my_rules.py")
    status, _, errors = command(*own, "train", "--task", "and", "--rule", "Still", "--out", "run",
                                "--units", 4, "--set", "rule.steps=1")  # fmt: skip
    assert status == 0, errors
    assert type(at.load("run").rule).__name__ == "Still"
    assert "Still" in command(*own, "train", "--help")[1]
    assert "Nothing is learned." in command(*own, "rules")[1]
    assert "Still" not in command("rules")[1]
    sys.modules.pop("my_rules", None)


@pytest.mark.parametrize("place", ["run/my_tasks.py", "my_tasks.py", "own/my_tasks.py"])
def test_a_run_from_elsewhere_runs_nothing(command, folder, place, monkeypatch):
    """The manifest names a file and its true SHA-256, and the file lies there: nobody named it."""
    assert command("--import", "own/my_tasks.py", *TRAIN)[0] == 0
    os.replace(folder / "own" / "my_tasks.py", folder / place)
    monkeypatch.setenv("ATTRACTORY_CACHE", str(folder / "cache of another user"))
    status, _, errors = command(*EVALUATE)
    assert_not_known(status, errors)
    assert not ran(folder)
    registered = dict.fromkeys(at.tasks.names())
    assert at.load("run").networks
    assert not ran(folder)
    assert dict.fromkeys(at.tasks.names()) == registered


@pytest.mark.skipif(os.name != "posix", reason="who may write a file is asked of POSIX alone")
def test_a_note_that_others_could_have_written_is_not_followed(command, folder):
    assert command("--import", "own/my_tasks.py", *TRAIN)[0] == 0
    [note] = (folder / "cache").glob("imports-*/*")
    note.chmod(0o666)
    status, _, errors = command(*EVALUATE)
    assert_not_known(status, errors)
    assert not ran(folder)


def test_a_module_in_a_package_is_named_and_found_like_a_file(command, folder, monkeypatch):
    package = folder / "site" / "my_lab"
    package.mkdir(parents=True)
    (package / "sizes.py").write_text("STEPS = 7\n")
    (package / "__init__.py").touch()
    (package / "tasks.py").write_text(
        "from .sizes import STEPS\n" + OWN_TASK.replace("int = 10", "int = STEPS")
    )
    monkeypatch.syspath_prepend(package.parent)
    for arguments in (("--import", "my_lab.tasks", *TRAIN), EVALUATE):
        for name in [name for name in sys.modules if name.startswith("my_lab")]:
            del sys.modules[name]
        status, _, errors = command(*arguments)
        assert status == 0, errors
        assert ran(folder)
    manifest = json.loads((folder / "run" / "manifest.json").read_text())
    assert [each["name"] for each in manifest["imports"]] == ["my_lab.tasks"]
    assert at.load("run").task.steps == 7


def test_a_file_that_only_imports_others_is_named_for_all_of_them(command, folder, monkeypatch):
    monkeypatch.syspath_prepend(folder / "own")
    (folder / "all.py").write_text("import my_tasks\n")
    for arguments in (("--import", "all.py", *TRAIN), EVALUATE):
        sys.modules.pop("my_tasks", None)
        status, _, errors = command(*arguments)
        assert (status, errors.count("made with")) == (0, 0), errors
    manifest = json.loads((folder / "run" / "manifest.json").read_text())
    assert [each["name"] for each in manifest["imports"]] == ["all.py"]


def test_what_a_run_does_not_need_is_a_remark(command, folder):
    (folder / "more.py").write_text("MORE = 1\n")
    assert command("--import", "own/my_tasks.py", "--import", "more.py", *TRAIN)[0] == 0
    (folder / "more.py").unlink()
    status, _, errors = command(*EVALUATE)
    assert status == 0
    assert errors == "run was made with more.py, too, not run here: --import FILE runs it\n"


@pytest.mark.parametrize(
    ("imports", "complaint"),
    [
        ("nothing.py", "config.yaml: imports: nothing.py: this file is missing"),
        ("[own/my_tasks.py, 5]", "imports.1 = 5 is not allowed"),
        ("{a: b}", "imports = {'a': 'b'} is not allowed"),
        ("no_such_module", "there is no such module; the name of a file ends in .py"),
        ("a..b", "imports: a..b: "),
    ],
)
def test_imports_of_a_config_that_cannot_be_are_one_line(imports, complaint, command, folder):
    (folder / "config.yaml").write_text(f"task: and\nimports: {imports}\n")
    status, _, errors = command("train", "--config", "config.yaml")
    assert status == 2
    assert complaint in errors
    assert errors.count("\n") == 1
    assert not ran(folder)
