"""A run's own files, changed at random: what loads is the run that was saved, or nothing loads."""

from __future__ import annotations

import json
import shutil
from types import SimpleNamespace

import numpy as np
import pytest
from fuzz.harness import cases, mutated, mutated_json, refuses_or_reads
from runs.first_version import as_first_version
from safetensors import safe_open
from safetensors.numpy import save_file
from training.test_kills import MODEL, RULE, TASK

import attractory as at
from attractory._files import json_digest
from attractory.runs._folder import MANIFEST, NETWORKS, read_manifest, write_manifest
from attractory.training._checkpoint import NAME

CHECKPOINT = f"checkpoints/{NAME}"
COLUMNS = ["net", "step", "loss", "validation_loss", "gradient_norm", "spectral_radius"]


def trained(folder):
    return at.train(TASK, MODEL, RULE, nets=2, path=folder, progress=False)


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    """A finished run in a folder, and the same in the first schema."""
    folder = tmp_path_factory.mktemp("run") / "new"
    run = trained(folder)
    old = folder.with_name("old")
    shutil.copytree(folder, old)
    return SimpleNamespace(run=run, folder=folder, old=as_first_version(old))


@pytest.fixture
def folder(original, tmp_path):
    """A copy to be damaged."""
    return shutil.copytree(original.folder, tmp_path / "run")


def assert_same(run, original):
    """Everything that a run says, exactly; what is NaN is NaN."""
    assert run.config == original.config
    assert run.status == original.status
    assert (run.seed, run.source) == (original.seed, original.source)
    np.testing.assert_array_equal(run.history[COLUMNS], original.history[COLUMNS])
    for one, other in zip(run.networks, original.networks, strict=True):
        assert one.weights.keys() == other.weights.keys()
        for name, weights in one.weights.items():
            np.testing.assert_array_equal(weights, other.weights[name])
            assert weights.dtype == other.weights[name].dtype


@pytest.mark.parametrize("name", [MANIFEST, NETWORKS, "history.csv"])
@cases(sample=20, whole=1500)
def test_changed_bytes_are_never_taken(original, folder, name, seeds):
    content = (original.folder / name).read_bytes()
    for seed in seeds:
        (folder / name).write_bytes(changed := mutated(content, seed))
        run = refuses_or_reads(lambda: at.load(folder), len(changed), f"{name}, seed {seed}")
        if run is not None:
            assert_same(run, original.run)


@cases(sample=20, whole=1500)
def test_changed_values_of_a_manifest_are_never_taken(original, folder, seeds):
    content = json.loads((original.folder / MANIFEST).read_text())
    for seed in seeds:
        text = json.dumps(mutated_json(content, seed))
        (folder / MANIFEST).write_text(text)
        run = refuses_or_reads(lambda: at.load(folder), len(text), f"seed {seed}")
        if run is not None:
            assert_same(run, original.run)


def use(run):
    """What the commands ask of a run first."""
    assert run.config
    for network in run.networks:
        for weights in network.weights.values():
            assert np.isfinite(weights).all()
    for row in run.status:
        assert {"net", "seed", "status", "step", "events"} <= set(row)
    run.history.groupby("net")["loss"].mean()
    return run


@cases(sample=15, whole=1500)
def test_a_manifest_signed_by_another_has_no_wrong_kinds(original, folder, seeds):
    """Whoever changes a manifest can make its digest, too: then values are what they are."""
    content = json.loads((original.folder / MANIFEST).read_text())
    for seed in seeds:
        changed = mutated_json(content, seed)
        if isinstance(changed, dict):
            said = {key: value for key, value in changed.items() if key != "sha256"}
            try:
                changed["sha256"] = json_digest(said)
            except ValueError:  # NaN
                continue
        text = json.dumps(changed)
        (folder / MANIFEST).write_text(text)
        refuses_or_reads(lambda: use(at.load(folder)), len(text), f"seed {seed}")


@pytest.mark.parametrize("name", [MANIFEST, NETWORKS, "history.csv"])
@cases(sample=10, whole=700)
def test_runs_without_digests_have_no_wrong_kinds(original, tmp_path, name, seeds):
    """Those of the first versions."""
    folder = shutil.copytree(original.old, tmp_path / "run")
    content = (original.old / name).read_bytes()
    for seed in seeds:
        if name == MANIFEST and seed % 2:
            changed = json.dumps(mutated_json(json.loads(content), seed)).encode()
        else:
            changed = mutated(content, seed)
        (folder / name).write_bytes(changed)
        refuses_or_reads(lambda: use(at.load(folder)), len(changed), f"{name}, seed {seed}")


def as_if_running(folder):
    """The folder as it was between the last checkpoint and the end."""
    content = read_manifest(folder)
    write_manifest(folder, content["config"], "running", content["networks"])
    for name in (NETWORKS, "history.csv"):
        (folder / name).unlink(missing_ok=True)


@cases(sample=20, whole=1500)
def test_changed_bytes_of_a_checkpoint_are_never_taken(original, folder, seeds):
    content = (original.folder / CHECKPOINT).read_bytes()
    for seed in seeds:
        as_if_running(folder)
        (folder / CHECKPOINT).write_bytes(changed := mutated(content, seed))
        run = refuses_or_reads(lambda: trained(folder), len(changed), f"seed {seed}")
        if run is not None:
            assert_same(run, original.run)
            shutil.copytree(original.folder, folder, dirs_exist_ok=True)


@cases(sample=15, whole=1000)
def test_checkpoints_without_digests_have_no_wrong_kinds(original, folder, seeds):
    """Those of the first versions: the loop's own numbers changed."""
    with safe_open(original.folder / CHECKPOINT, framework="numpy") as file:
        arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        host = json.loads(file.metadata()["host"])
    del host["kept"]
    for seed in seeds:
        as_if_running(folder)
        as_first_version(folder)
        changed = json.dumps(mutated_json(host, seed))
        save_file(arrays, folder / CHECKPOINT, {"host": changed})
        size = (folder / CHECKPOINT).stat().st_size
        refuses_or_reads(lambda: use(trained(folder)), size, f"seed {seed}")


def test_a_checkpoint_of_the_first_versions_goes_on(original, folder):
    with safe_open(original.folder / CHECKPOINT, framework="numpy") as file:
        arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        host = json.loads(file.metadata()["host"])
    del host["kept"]
    as_if_running(folder)
    as_first_version(folder)
    save_file(arrays, folder / CHECKPOINT, {"host": json.dumps(host)})
    assert_same(trained(folder), original.run)
    with safe_open(folder / CHECKPOINT, framework="numpy") as file:
        assert set(file.metadata()) == {"host", "run", "sha256"}
