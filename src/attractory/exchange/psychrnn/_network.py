"""Networks that PsychRNN saved."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np

from attractory._arguments import takes
from attractory._errors import FileProblem, InvalidSetting, shown
from attractory._files import a_path
from attractory.exchange.psychrnn._npz import Pickle, read_npz
from attractory.exchange.psychrnn._pickled import Named, value_of_pickle
from attractory.models import CurrentRNN, Network, check_weights

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
_TIMES = {"tau": 100.0, "dt": 10.0}  # ms, of PsychRNN's own examples
_FUNCTION = re.compile(r"transfer|activation|nonlin", re.IGNORECASE)
# whose functions have, under these names, the same values as ours
_LIBRARIES = ("tensorflow", "keras", "tf_keras", "numpy", "jax", "torch", "scipy")
_ACTIVATIONS = {
    "tanh": "tanh",
    "relu": "relu",
    "relu6": "relu6",
    "sigmoid": "sigmoid",
    "expit": "sigmoid",
    "softplus": "softplus",
    "softplus_v2": "softplus",
    "elu": "elu",
    "selu": "selu",
    "softsign": "soft_sign",
    "swish": "silu",
    "silu": "silu",
    "identity": "linear",
    "linear": "linear",
}


@takes(path=a_path)
def load_psychrnn(
    path: str | Path,
    activation: str | None = None,
    tau: float | None = None,
    dt: float | None = None,
) -> Network:
    """A network from the `.npz` file of PsychRNN's `save`, of its `Basic` and `BasicScan` models.

    Parameters
    ----------
    path : str or Path
        The file. Nothing in it is unpickled.
    activation : str, optional
        The transfer function. None: as the file says (PsychRNN keeps it as a pickled function since
        2022, whose name is read), and PsychRNN's default, "relu", where it says nothing. A function
        whose values are not known by its name (a lambda, a partial, one of your own) must be said
        here.
    tau, dt : float, optional
        Time constant and step in ms; the file's, where it has them, else 100 and 10, as in
        PsychRNN's examples: say them when they were others.

    Returns
    -------
    Network
        A `CurrentRNN` with the matrices that were in effect, [to, from] as here.

    Raises
    ------
    FileProblem
        In one line when an array is missing or has another shape than the others ask for, the file
        is that of an LSTM, or it has something pickled that is not understood.
    InvalidSetting
        For the arguments.

    Notes
    -----
    The file's masks and Dale's law are applied, which changes nothing where `save` did it before.
    The network begins in the file's initial state; the noise is left out.

    References
    ----------
    Ehrlich et al. (2021), eNeuro 8(1); the equation is that of PsychRNN 1.0's
    psychrnn/backend/models/basic.py, the files are those of `RNN.save` in psychrnn/backend/rnn.py.
    """
    stored = read_npz(Path(path), _is_ours)
    _check_names(path, stored)
    function = _transfer_function(path, stored, activation)
    arrays = _numbers(path, stored)
    times = {"tau": tau, "dt": dt}
    for name, usual in _TIMES.items():
        if times[name] is None:
            times[name] = float(arrays[name].ravel()[0]) if name in arrays else usual
    units, n_inputs = arrays["W_rec"].shape[-1], arrays["W_in"].shape[-1]
    model = CurrentRNN(units=units, **times, activation=function, bias=True, trained_start=True)
    shapes = model.weight_shapes(n_inputs, len(arrays["W_out"]))
    arrays["init_state"] = arrays["init_state"].reshape(-1)
    for theirs, ours in _OURS.items():
        if arrays[theirs].shape != shapes[ours]:
            raise FileProblem(
                f"{path}: {shown(theirs)} has shape {arrays[theirs].shape}; "
                f"it must be {shapes[ours]}"
            )
    weights = {_OURS[name]: array for name, array in _in_effect(path, arrays).items()}
    try:
        check_weights(weights)
    except InvalidSetting as error:
        raise FileProblem(f"{path}: {error}") from None
    return Network(model, weights)


def _in_effect(path: str | Path, arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The weights as the model used them: masked, and with the signs of Dale's law if it held."""
    made = {name: arrays[name] for name in _OURS}
    with np.errstate(over="ignore"):  # a product that is no number is refused afterwards
        for name, mask in _MASKS.items():
            if mask in arrays:
                made[name] = made[name] * _fitting(path, arrays, mask, made[name].shape)
    if arrays.get("dale_ratio", np.zeros(())).any():  # none, and 0, stand for no law
        for name in _MASKS:
            made[name] = np.abs(made[name])
        for name, signs in _SIGNS.items():
            square = (made[name].shape[1],) * 2
            with np.errstate(over="ignore"):
                made[name] = made[name] * np.diag(_fitting(path, arrays, signs, square))
    with np.errstate(over="ignore"):
        return {name: array.astype(arrays[name].dtype) for name, array in made.items()}


def _fitting(
    path: str | Path, arrays: dict[str, np.ndarray], name: str, shape: tuple[int, ...]
) -> np.ndarray:
    if name not in arrays:
        raise FileProblem(f"{path}: {shown(name)} is missing, but there is a 'dale_ratio'")
    if arrays[name].shape != shape:
        raise FileProblem(
            f"{path}: {shown(name)} has shape {arrays[name].shape}; it must be {shape}"
        )
    return arrays[name]


def _numbers(path: str | Path, stored: dict[str, np.ndarray | Pickle]) -> dict[str, np.ndarray]:
    """The arrays that count: float32, or float64."""
    arrays = {}
    for name in _names(stored):
        array = stored[name]
        if isinstance(array, Pickle):
            array = _pickled_number(path, name, array)
        if array.dtype.kind not in "fiub" or array.size == 0 or not np.isfinite(array).all():
            raise FileProblem(f"{path}: {shown(name)} must hold finite numbers")
        vector = name in ("dale_ratio", "b_rec", "b_out", "init_state", *_TIMES)
        if not vector and array.ndim != 2:
            raise FileProblem(f"{path}: {shown(name)} has shape {array.shape}; it must be a matrix")
        if name in _TIMES and array.size != 1:
            raise FileProblem(
                f"{path}: {shown(name)} has shape {array.shape}; it must be one number"
            )
        arrays[name] = array if array.dtype == np.float32 else array.astype(np.float64)
    return arrays


def _pickled_number(path: str | Path, name: str, pickle: Pickle) -> np.ndarray:
    """A number that NumPy kept as an object; 0 for None, which stands for no law of Dale's."""
    try:
        value = value_of_pickle(pickle.data)
    except ValueError as error:
        raise FileProblem(f"{path}: {shown(name)} is pickled and cannot be read: {error}") from None
    if value is None and name == "dale_ratio":
        return np.zeros(())
    if isinstance(value, (int, float)):
        try:
            return np.array(value, np.float64)
        except OverflowError:
            pass
    raise FileProblem(f"{path}: {shown(name)} must hold finite numbers")


def _transfer_function(
    path: str | Path, stored: dict[str, np.ndarray | Pickle], said: str | None
) -> str:
    """The activation: what the caller says, or the file; FileProblem where that cannot be told."""
    known = set(_names(stored))
    for name, value in stored.items():
        if name in known:
            continue
        what = _function_in(path, name, value, said)
        own = _our_name(what) if what is not None else None
        if what is None or (own is None and said is not None):
            continue
        if own is None or not _FUNCTION.search(name):
            raise FileProblem(
                f"{path}: {shown(name)} is {shown(str(what))}, which is not known here; "
                "say what the transfer function is: activation='relu' or another name"
            )
        if said is not None and said != own:
            raise FileProblem(
                f"{path}: activation = {shown(said)} contradicts {shown(name)}, "
                f"which is {shown(own)}"
            )
        said = own
    return said or "relu"


def _function_in(path: str | Path, name: str, value: np.ndarray | Pickle, said: str | None) -> Any:
    """What a member that is no array of numbers says: None for nothing."""
    if isinstance(value, Pickle):
        try:
            return value_of_pickle(value.data)
        except ValueError as error:
            if said is not None:
                return None
            raise FileProblem(
                f"{path}: {shown(name)} is pickled and cannot be read: {error}; say what the "
                "transfer function is: activation='relu' or another name"
            ) from None
    text = value.dtype.kind in "US" and value.size == 1 and _FUNCTION.search(name)
    return str(value.astype(str).ravel()[0]) if text else None


def _our_name(function: Any) -> str | None:
    """Our name of a function, or of one that a text names."""
    if isinstance(function, str):
        return _ACTIVATIONS.get(function)
    if isinstance(function, Named) and function.module.split(".")[0] in _LIBRARIES:
        return _ACTIVATIONS.get(function.name.rpartition(".")[2])
    return None


def _check_names(path: str | Path, names: dict[str, np.ndarray | Pickle]) -> None:
    found = [name for name in _LSTM if name in names]
    if found:
        raise FileProblem(
            f"{path}: {shown(found[0])} belongs to PsychRNN's LSTM, which is not read; "
            "allowed: what its Basic models save"
        )
    missing = [name for name in _OURS if name not in names]
    if missing:
        raise FileProblem(
            f"{path}: {shown(missing[0])} is missing; allowed: what PsychRNN's Basic models save"
        )


def _is_ours(name: str) -> bool:
    """Whether a member is read: not what the optimiser keeps beside ("W_rec/Adam")."""
    return "/" not in name


def _names(there: dict[str, Any]) -> list[str]:
    known = (*_OURS, *_MASKS.values(), *_SIGNS.values(), "dale_ratio", *_TIMES)
    return [name for name in known if name in there]
