"""Whether arrays are the weights of a model."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from attractory._errors import AttractoryError, FileProblem, shown
from attractory.models import Model


def checked_weights(path: Path, model: Model, stacked: dict[str, np.ndarray], nets: int) -> None:
    """FileProblem, naming `path`, where stacked weights (net, …) are not those of such networks.

    Every number must be finite, in the float32 with which networks are simulated, too; and so must
    be the recurrent weights that follow from products of others.
    """
    _check_shapes(path, model, stacked, nets)
    for name, array in stacked.items():
        _check_finite(path, name, array)
    for net in range(nets):
        weights = {name: array[net].astype(np.float32) for name, array in stacked.items()}
        try:
            with np.errstate(all="ignore"):
                recurrent = model.recurrent_weights(weights)
        except AttractoryError:  # of a model without one such matrix
            return
        _check_finite(path, "recurrent weights", np.asarray(recurrent)[None], net)


def _check_shapes(path: Path, model: Model, stacked: dict[str, np.ndarray], nets: int) -> None:
    for name, array in stacked.items():
        if array.dtype.kind != "f" or array.ndim < 1 or array.shape[0] != nets:
            raise FileProblem(
                f"{path}: {shown(name)} has shape {array.shape}, {array.dtype}; "
                f"it must be ({nets}, …) of floating-point numbers"
            )
    try:
        n_inputs = model.input_size({name: array[0] for name, array in stacked.items()})
        n_outputs = stacked["output_weights"].shape[1]
    except KeyError as error:
        raise FileProblem(f"{path}: damaged: {error} is missing") from None
    except IndexError:
        raise FileProblem(f"{path}: damaged: input or output weights are no matrices") from None
    expected = model.weight_shapes(n_inputs, n_outputs)
    for name, shape in expected.items():
        if name not in stacked:
            raise FileProblem(f"{path}: damaged: {shown(name)} is missing")
        if stacked[name].shape != (nets, *shape):
            raise FileProblem(
                f"{path}: {shown(name)} has shape {stacked[name].shape}, the manifest asks for "
                f"{(nets, *shape)}"
            )
    unknown = sorted(set(stacked) - set(expected))
    if unknown:
        raise FileProblem(f"{path}: damaged: {shown(unknown[0])} is no weight of this model")


def _check_finite(path: Path, name: str, array: np.ndarray, first: int = 0) -> None:
    with np.errstate(over="ignore"):
        finite = np.isfinite(array.astype(np.float32)).reshape(len(array), -1).all(1)
    if not finite.all():
        net = first + int(np.argmin(finite))
        raise FileProblem(
            f"{path}: {shown(name)} of network {net} has values that are not finite in float32; "
            "all must be"
        )
