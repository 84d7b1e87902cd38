"""Configurations that were damaged, or made up: asked for what can be trained, or one line.

What is read is what `attractory train` reads, up to the model, the rule and the shapes of a trial;
nothing is trained.
"""

from __future__ import annotations

import random

import pytest
import yaml
from fuzz.harness import STRANGE, cases, mutated, mutated_json, refuses_or_reads

from attractory.cli._config import parsed_values, read_config, task_settings
from attractory.tasks import find, names

CONFIGS = (
    {"task": "flipflop", "nets": 2, "seed": 1, "out": "runs/a"},
    {
        "task": {"name": "flipflop", "bits": 2, "gaps": [[20, 30], [30, 40]], "noise": 0.1},
        "model": {"name": "rate", "units": 20, "tau": 5.0, "recurrent_init": "normal"},
        "rule": {"steps": 5, "batch": 2, "optimizer": "adam", "learning_rate": 1e-3},
    },
    {
        "task": {"name": "context_decision", "dt": 50, "sigma": 0.5},
        "model": {"constraints": {"excitatory": 0.8, "areas": [160, 40], "fixed": None}},
    },
    {
        "task": {"name": "parametric_memory", "delay": [1000, 2000], "pairs": [[18, 10], [30, 20]]},
        "rule": {"name": "near_orthogonal", "orthogonal_pull": 0.0, "epochs": 2, "trials": 20},
    },
    {
        "task": {"name": "yang", "rules": ["fdgo", "dm1"], "ring": 16},
        "model": {"name": "Stacked", "layers": [{"name": "GRU", "settings": {"units": 4}}]},
        "rule": "paper",
    },
    {"task": "set_reset", "model": {"name": "CurrentRNN", "units": 8, "trainable": ["bias"]}},
    {"task": {"name": "poisson_flipflop", "rate": 0.1}, "model": "lstm"},
)

# of the kinds that YAML alone has
ODD_TEXTS = (
    "out: 5", "out: [a]", 'out: "a\\0b"', "out: {a: b}", f"out: {'x' * 300}", "task: {name: [1]}",
    "task: {1: 2}", "model: {name: {a: 1}}", "rule: {name: [a]}", "[" * 900, "{a: " * 5000,
    "seed: " + "9" * 5000, "seed: 2020-99-99", "seed: 0x_", "nets: 1_0", "? [a]\n: b",
    "task: &a [*a]", "model: {constraints: {1: 2}}", "- " * 3000, "nets: 1000000000000",
    "model: {units: 3000000000}", "rule: {batch: 99999999999999999999}", "!!python/name:os.system",
    "rule: {trials: 1000000000000, epochs: 1}", "task: {name: flipflop, self: 1}",
    "rule: {cls: 1, name: paper}",
    "model: {name: Stacked, layers: 5}", "model: {name: Stacked, layers: [{name: []}]}",
    "model: {name: Stacked, layers: [{name: GRU, settings: 1}]}", "task: [flipflop]", "- a", "5",
    "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b]\n"
    "d: &d [*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d]\nf: &f [*e,*e,*e,*e,*e,*e,*e]\n"
    "task: {name: flipflop, gaps: [*f,*f,*f,*f,*f,*f]}",
)  # fmt: skip

SETTINGS = (
    "task.bits=2", "task.gaps=[20, 30]", "model.units=10", "model.constraints.density=0.3",
    "rule.steps=3", "rule.name=paper", "model.name=gru", "task.dt=2.0", "task.name=flipflop",
)  # fmt: skip
ODD_SETTINGS = (
    "task.name.x=3", "rule.steps=2020-99-99", "rule.name=[1]", "model.constraints=5", "=", "a",
    "task..x=1", "task.=1", ".=1", "rule.steps=" + "[" * 900, "rule.steps=" + "9" * 5000,
    "model.units=1e400", "task." + "x." * 2000 + "y=1", "model.constraints.mask.x.y=1",
    "task.dt=-.inf", "task.steps=!!int x", "model.units='", "rule.self=1", "task.bits=&a [*a]",
)  # fmt: skip


def built(file, settings, whole):
    """What the command asks for; with the shapes that training looks at first."""
    asked = read_config(file, {}, settings)
    if whole:
        weights = asked.model.weight_shapes(asked.task.n_inputs, asked.task.n_outputs)
        assert asked.task.n_steps > 0
        assert weights
    return asked


def try_text(text: bytes, folder, settings, whole, case):
    file = folder / "config.yaml"
    file.write_bytes(text)
    return refuses_or_reads(
        lambda: built(file, settings, whole), len(text), f"{case}: {text!r:.500}"
    )


def dumped(config) -> bytes:
    return yaml.safe_dump(config, allow_unicode=True, sort_keys=False).encode()


@pytest.mark.parametrize("config", CONFIGS, ids=range(len(CONFIGS)))
def test_the_configurations_are_read_as_they_are(config, tmp_path):
    asked = try_text(dumped(config), tmp_path, [], False, "whole")
    assert (asked.nets, asked.seed) == (config.get("nets", 1), config.get("seed", 0))


@pytest.mark.parametrize("text", ODD_TEXTS, ids=range(len(ODD_TEXTS)))
def test_an_odd_text_is_one_line(text, tmp_path):
    settings = [] if text.startswith("task") else ["task.name=flipflop"]
    assert try_text(text.encode(), tmp_path, settings, True, "odd") is None


@pytest.mark.parametrize("setting", ODD_SETTINGS, ids=range(len(ODD_SETTINGS)))
def test_an_odd_setting_is_one_line(setting):
    def read():
        return built(None, ["task.name=flipflop", setting], True)

    assert refuses_or_reads(read, len(setting), setting[:80]) is None
    values = setting.partition("=")[2]
    refuses_or_reads(lambda: parsed_values(values, "noise", find("flipflop")()), 0, "values")
    refuses_or_reads(lambda: find("and")(**task_settings([setting])), len(setting), "task")


@cases(350, 5600)
def test_damaged_files(seeds, tmp_path):
    """Half of them damaged as bytes, half with other values at some places."""
    read = 0
    for seed in seeds:
        rng = random.Random(seed)
        config = rng.choice(CONFIGS)
        text = mutated(dumped(config), seed) if seed % 2 else dumped(mutated_json(config, seed))
        read += try_text(text, tmp_path, [], seed % 25 == 0, f"seed {seed}") is not None
    assert read > len(seeds) / 20  # not all damage hurts: what is tested gets beyond the grammar


@cases(150, 2400)
def test_damaged_settings(seeds):
    """Any setting of any task, of the model or the rule, with a value of any kind."""
    rule_and_model = ["model.units", "model.tau", "model.constraints.density", "model.trainable",
                      "model.recurrent_init", "rule.steps", "rule.clip", "rule.trials"]  # fmt: skip
    for seed in seeds:
        rng = random.Random(seed)
        name = rng.choice([name for name in names() if "neurogym" not in name])
        fields = [f"task.{field}" for field in find(name).model_fields]
        value = yaml.safe_dump(rng.choice(STRANGE), default_flow_style=True, width=10**6)
        setting = f"{rng.choice([*fields, *rule_and_model])}={value.removesuffix('...' + chr(10))}"
        if seed % 3 == 0:
            text = mutated(rng.choice([*SETTINGS, setting]).encode(), seed)
            setting = text.decode("utf-8", "surrogateescape")  # as from a command line
        settings = [f"task.name={name}", setting]

        def read(settings=settings, whole=seed % 10 == 0):
            return built(None, settings, whole)

        refuses_or_reads(read, len(setting), f"seed {seed}: {settings!r:.300}")
