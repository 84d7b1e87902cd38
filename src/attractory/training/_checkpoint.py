"""The newest complete state of a training, in one file that is replaced as a whole."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from safetensors import SafetensorError, safe_open

from attractory._errors import FileProblem
from attractory._files import replacing
from attractory.runs import save_safetensors

NAME = "newest.safetensors"


def write_checkpoint(
    folder: Path, tree: Any, records: dict[str, np.ndarray], host: dict[str, Any]
) -> None:
    """A pytree of arrays, records that grow, and the loop's JSON (in the file's header)."""
    arrays = {name: np.asarray(leaf) for name, leaf in _named_leaves(tree)}
    arrays |= {f"records.{name}": array for name, array in records.items()}
    with replacing(folder / NAME) as beside:
        save_safetensors(arrays, beside, {"host": json.dumps(host)})


def read_checkpoint(
    folder: Path, like: Any
) -> tuple[Any, dict[str, np.ndarray], dict[str, Any]] | None:
    """The pytree (in the structure of `like`), the records and the JSON; None without a file.

    Raises FileProblem, naming the leaf, when the file is damaged or of another structure.
    """
    path = folder / NAME
    if not path.exists():
        return None
    try:
        with safe_open(path, framework="numpy") as file:
            host = json.loads(file.metadata()["host"])
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, KeyError, TypeError, ValueError) as error:
        raise FileProblem(
            f"{path}: damaged, not readable as a checkpoint ({error}); remove it to start anew"
        ) from None
    leaves = []
    for name, leaf in _named_leaves(like):
        found = arrays.get(name)
        if found is None or found.shape != leaf.shape:
            raise FileProblem(f"{path}: damaged: {name} is missing or has another shape")
        leaves.append(jnp.asarray(found))
    records = {
        name.removeprefix("records."): array
        for name, array in arrays.items()
        if name.startswith("records.")
    }
    return jax.tree.unflatten(jax.tree.structure(like), leaves), records, host


def _named_leaves(tree: Any) -> list[tuple[str, Any]]:
    return [
        (jax.tree_util.keystr(path), leaf)
        for path, leaf in jax.tree_util.tree_flatten_with_path(tree)[0]
    ]
