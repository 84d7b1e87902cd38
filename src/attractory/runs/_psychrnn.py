"""Networks that PsychRNN saved."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np

from attractory._errors import FileProblem
from attractory.models import CurrentRNN, Network

_NEEDED = ("W_rec", "W_in", "W_out", "b_rec", "b_out", "init_state")


def load_psychrnn(
    path: str | Path, activation: str = "relu", tau: float = 100.0, dt: float = 10.0
) -> Network:
    """A network from the `.npz` file of PsychRNN's `save`, of its `Basic` and `BasicScan` models.

    The file has neither the transfer function nor the times: say `activation` (PsychRNN's default
    is relu), `tau` and `dt`, in ms, when they were others. Its matrices are those in effect, masks
    and Dale's law applied, [to, from] as here. The network is a `CurrentRNN` that begins in the
    file's initial state; the noise is left out. Nothing in the file is unpickled.

    Raises FileProblem in one line when an array is missing or has another shape than the others
    ask for (an LSTM's file, such as), InvalidSetting for the arguments.

    Source: Ehrlich et al. (2021), eNeuro 8(1); the files are those of PsychRNN 1.0's `RNN.save`.
    """
    arrays = _read(Path(path))
    units = len(arrays["b_rec"])
    model = CurrentRNN(
        units=units, tau=tau, dt=dt, activation=activation, bias=True, trained_start=True
    )
    weights = {
        "recurrent_weights": arrays["W_rec"],
        "input_weights": arrays["W_in"],
        "bias": arrays["b_rec"],
        "initial_state": arrays["init_state"].reshape(-1),
        "output_weights": arrays["W_out"],
        "output_bias": arrays["b_out"],
    }
    n_inputs, n_outputs = arrays["W_in"].shape[-1], len(arrays["b_out"])
    theirs = dict(
        zip(weights, ("W_rec", "W_in", "b_rec", "init_state", "W_out", "b_out"), strict=True)
    )
    for name, shape in model.weight_shapes(n_inputs, n_outputs).items():
        if weights[name].shape != shape:
            raise FileProblem(
                f"{path}: {theirs[name]!r} has shape {weights[name].shape}; it must be {shape}"
            )
    return Network(model, weights)


def _read(path: Path) -> dict[str, np.ndarray]:
    if not path.is_file():
        raise FileProblem(f"{path}: there is no such file")
    try:
        with np.load(path, allow_pickle=False) as file:
            missing = [name for name in _NEEDED if name not in file]
            if missing:
                raise FileProblem(
                    f"{path}: {missing[0]!r} is missing; allowed: what PsychRNN's Basic models save"
                )
            arrays = {name: file[name] for name in _NEEDED}
    except FileProblem:
        raise
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        reason = " ".join(str(error).split())
        raise FileProblem(f"{path}: not readable as a .npz file ({reason})") from None
    for name, array in arrays.items():
        if array.dtype.kind != "f" or array.size == 0 or not np.isfinite(array).all():
            raise FileProblem(f"{path}: {name!r} must hold finite numbers")
    return {
        name: array if array.dtype == np.float32 else array.astype(np.float64)
        for name, array in arrays.items()
    }
