"""Networks that PsychRNN saved."""

from __future__ import annotations

import zipfile
import zlib
from contextlib import suppress
from pathlib import Path

import numpy as np

from attractory._errors import FileProblem
from attractory.models import CurrentRNN, Network

_OURS = {
    "W_rec": "recurrent_weights",
    "W_in": "input_weights",
    "b_rec": "bias",
    "init_state": "initial_state",
    "W_out": "output_weights",
    "b_out": "output_bias",
}
# what the weights are multiplied with, where it is there: a mask, the signs of the units
_MASKS = {"W_rec": "rec_connectivity", "W_in": "input_connectivity", "W_out": "output_connectivity"}
_SIGNS = {"W_rec": "Dale_rec", "W_out": "Dale_out"}
_LSTM = ("W_f", "W_i", "W_c", "W_o")  # an LSTM's file has the names of the basic model, too
_UNREADABLE = (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error)


def load_psychrnn(
    path: str | Path, activation: str = "relu", tau: float = 100.0, dt: float = 10.0
) -> Network:
    """A network from the `.npz` file of PsychRNN's `save`, of its `Basic` and `BasicScan` models.

    The file has neither the transfer function nor the times: say `activation` (PsychRNN's default
    is relu), `tau` and `dt`, in ms, when they were others. The network is a `CurrentRNN` with the
    matrices that were in effect, [to, from] as here: the file's masks and Dale's law are applied,
    which changes nothing where `save` did it before. It begins in the file's initial state; the
    noise is left out. Nothing in the file is unpickled.

    Raises FileProblem in one line when an array is missing or has another shape than the others
    ask for, or the file is that of an LSTM; InvalidSetting for the arguments.

    Source: Ehrlich et al. (2021), eNeuro 8(1); the equation is that of PsychRNN 1.0's
    psychrnn/backend/models/basic.py, the files are those of `RNN.save` in psychrnn/backend/rnn.py.
    """
    arrays = _read(Path(path))
    units, n_inputs = arrays["W_rec"].shape[-1], arrays["W_in"].shape[-1]
    model = CurrentRNN(
        units=units, tau=tau, dt=dt, activation=activation, bias=True, trained_start=True
    )
    shapes = model.weight_shapes(n_inputs, len(arrays["W_out"]))
    arrays["init_state"] = arrays["init_state"].reshape(-1)
    for theirs, ours in _OURS.items():
        if arrays[theirs].shape != shapes[ours]:
            raise FileProblem(
                f"{path}: {theirs!r} has shape {arrays[theirs].shape}; it must be {shapes[ours]}"
            )
    return Network(model, {_OURS[name]: array for name, array in _in_effect(path, arrays).items()})


def _in_effect(path: str | Path, arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The weights as the model used them: masked, and with the signs of Dale's law if it held."""
    made = {name: arrays[name] for name in _OURS}
    for name, mask in _MASKS.items():
        if mask in arrays:
            made[name] = made[name] * _fitting(path, arrays, mask, made[name].shape)
    if arrays.get("dale_ratio", np.zeros(())).any():  # none, and 0, stand for no law
        for name in _MASKS:
            made[name] = np.abs(made[name])
        for name, signs in _SIGNS.items():
            square = (made[name].shape[1],) * 2
            made[name] = made[name] * np.diag(_fitting(path, arrays, signs, square))
    return {name: array.astype(arrays[name].dtype) for name, array in made.items()}


def _fitting(
    path: str | Path, arrays: dict[str, np.ndarray], name: str, shape: tuple[int, ...]
) -> np.ndarray:
    if name not in arrays:
        raise FileProblem(f"{path}: {name!r} is missing, but there is a 'dale_ratio'")
    if arrays[name].shape != shape:
        raise FileProblem(f"{path}: {name!r} has shape {arrays[name].shape}; it must be {shape}")
    return arrays[name]


def _read(path: Path) -> dict[str, np.ndarray]:
    """The arrays of the file that count: float32, or float64."""
    if not path.is_file():
        raise FileProblem(f"{path}: there is no such file")
    try:
        with np.load(path, allow_pickle=False) as file:
            _check_names(path, file.files)
            arrays = {name: file[name] for name in _names(file.files)}
            # None where Dale's law did not hold, which NumPy can only keep as a pickle: not opened
            with suppress(ValueError):
                arrays |= {name: file[name] for name in file.files if name == "dale_ratio"}
    except FileProblem:
        raise
    except (*_UNREADABLE, AttributeError, TypeError) as error:  # a .npy file, renamed
        reason = " ".join(str(error).split())
        raise FileProblem(f"{path}: not readable as a .npz file ({reason})") from None
    for name, array in arrays.items():
        if array.dtype.kind not in "fiub" or array.size == 0 or not np.isfinite(array).all():
            raise FileProblem(f"{path}: {name!r} must hold finite numbers")
        if name not in ("dale_ratio", "b_rec", "b_out", "init_state") and array.ndim != 2:
            raise FileProblem(f"{path}: {name!r} has shape {array.shape}; it must be a matrix")
    return {
        name: array if array.dtype == np.float32 else array.astype(np.float64)
        for name, array in arrays.items()
    }


def _check_names(path: Path, names: list[str]) -> None:
    found = [name for name in _LSTM if name in names]
    if found:
        raise FileProblem(
            f"{path}: {found[0]!r} belongs to PsychRNN's LSTM, which is not read; allowed: what "
            "its Basic models save"
        )
    missing = [name for name in _OURS if name not in names]
    if missing:
        raise FileProblem(
            f"{path}: {missing[0]!r} is missing; allowed: what PsychRNN's Basic models save"
        )


def _names(there: list[str]) -> list[str]:
    return [n for n in (*_OURS, *_MASKS.values(), *_SIGNS.values()) if n in there]
