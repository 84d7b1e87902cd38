"""The newest complete state of a training, in one file that is replaced as a whole."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from safetensors import safe_open

from attractory._errors import FileProblem
from attractory._files import exists, parsed_json, replacing
from attractory.runs import LoopState, checked, save_safetensors
from attractory.training._divergence import WINDOW

NAME = "newest.safetensors"
RECORDS = "records."  # before the names of records that grow


@dataclass(frozen=True)
class Checkpoint:
    """What a checkpoint holds.

    tree: a pytree of arrays. records: arrays that grow, by name. host: the loop's own numbers in
    JSON's terms (`runs.LoopState`). signed: whether it says whose it is; those of the first
    versions do not.
    """

    tree: Any
    records: dict[str, np.ndarray]
    host: dict[str, Any]
    signed: bool = True


def write_checkpoint(folder: Path, run: str, checkpoint: Checkpoint) -> None:
    """Replace the newest checkpoint. run: SHA-256 of the configuration of the run that it is of."""
    arrays = {name: np.asarray(leaf) for name, leaf in _named_leaves(checkpoint.tree)}
    arrays |= {RECORDS + name: array for name, array in checkpoint.records.items()}
    host = json.dumps(checkpoint.host)
    metadata = {"host": host, "run": run, "sha256": _digest(run, host, arrays)}
    with replacing(folder / NAME) as beside:
        save_safetensors(arrays, beside, metadata)


def read_checkpoint(folder: Path, run: str, like: Any, may_be_unsigned: bool) -> Checkpoint | None:
    """The newest checkpoint of a run, its tree in the structure of `like`; None without a file.

    may_be_unsigned: whether one of the first versions, without digests, is taken. Raises
    FileProblem when the file is damaged, of another structure, or of another run.
    """
    path = folder / NAME
    if not exists(path):
        return None
    arrays, metadata = _read(path)
    host = metadata.get("host", "")
    signed = not (may_be_unsigned and set(metadata) == {"host"})
    if signed:
        if metadata.get("sha256") != _digest(metadata.get("run", ""), host, arrays):
            raise _damaged(path, "its content is not that of its SHA-256")
        if metadata["run"] != run:
            raise FileProblem(
                f"{path}: this checkpoint is of another run (another task, model, rule, seed or "
                "number of networks) than the folder's manifest; remove it to start anew"
            )
    content = parsed_json(host, str(path), not_finite=True)
    state = checked(LoopState, content, str(path)).model_dump(exclude_unset=True)
    records = {
        name.removeprefix(RECORDS): arrays.pop(name)
        for name in list(arrays)
        if name.startswith(RECORDS)
    }
    return Checkpoint(_tree(path, like, arrays), records, state, signed)


def check_host(host: dict[str, Any], nets: int, steps: int, path: Path) -> None:
    """FileProblem where the loop's own numbers are of other networks or steps."""
    per_net = ("active", "best_validation", "checks_without_better", "rows")
    watch = host["watch"]
    lengths = [len(host[name]) for name in per_net] + [len(watch["best"]), len(watch["recent"])]
    windows = {len(recent) for recent in watch["recent"]}
    fits = set(lengths) == {nets} and windows == {WINDOW}
    if not fits or host["step"] != steps:
        raise FileProblem(f"{path}: damaged: it is not of {nets} networks and its steps")


def newest_step(folder: Path) -> int | None:
    """The step of the newest checkpoint in a folder.

    Parameters
    ----------
    folder : Path
        The folder of checkpoints.

    Returns
    -------
    int or None
        None where there is none that can be read.
    """
    try:
        with safe_open(folder / NAME, framework="numpy") as file:
            return int(json.loads((file.metadata() or {})["host"])["step"])
    except Exception:  # of the library in Rust, of what is no JSON, of a file that goes away
        return None


def _read(path: Path) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    try:
        with safe_open(path, framework="numpy") as file:
            names = file.keys()
            return {name: file.get_tensor(name) for name in names}, dict(file.metadata() or {})
    except Exception as error:  # of the library in Rust, and of dtypes that NumPy does not have
        raise _damaged(path, f"not readable as a checkpoint ({error})") from None


def _tree(path: Path, like: Any, arrays: dict[str, np.ndarray]) -> Any:
    """The arrays in the structure of `like`; all of them, and finite where they are weights."""
    leaves = []
    for name, leaf in _named_leaves(like):
        found = arrays.pop(name, None)
        if found is None or (found.shape, found.dtype) != (leaf.shape, leaf.dtype):
            raise _damaged(path, f"{name} is missing or has another shape or type")
        leaves.append(jnp.asarray(found))
    if arrays:
        raise _damaged(path, f"{next(iter(arrays))!r} belongs to nothing")
    return jax.tree.unflatten(jax.tree.structure(like), leaves)


def _digest(run: str, host: str, arrays: dict[str, np.ndarray]) -> str:
    """SHA-256 of everything that a checkpoint says."""
    found = hashlib.sha256(json.dumps([run, host]).encode())
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        found.update(json.dumps([name, str(array.dtype), list(array.shape)]).encode())
        found.update(array.reshape(-1).view(np.uint8).data)
    return found.hexdigest()


def _damaged(path: Path, reason: str) -> FileProblem:
    return FileProblem(f"{path}: damaged: {reason}; remove it to start anew")


def _named_leaves(tree: Any) -> list[tuple[str, Any]]:
    return [
        (jax.tree_util.keystr(path), leaf)
        for path, leaf in jax.tree_util.tree_flatten_with_path(tree)[0]
    ]
