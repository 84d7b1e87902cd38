"""Networks that Keras saved, read without Keras.

Three formats, told apart by content and never by the file's name:

- the HDF5 of Keras 2 (`model.save("m.h5")`, `model.save_weights("w.h5")`, `ModelCheckpoint`), which
  Keras 3 still writes for `model.save("m.h5")`: a group for each layer, listed in the attribute
  `layer_names`; each group lists its arrays in `weight_names`. A full model has them under
  `model_weights`, and its description as JSON in the attribute `model_config`.
- the HDF5 of Keras 3 (`model.save_weights("m.weights.h5")`): `layers/simple_rnn/cell/vars/0`, `1`,
  `2` are kernel, recurrent kernel and bias; `layers/dense/vars/0`, `1` are kernel and bias. The
  group names are class names, whatever the user called the layers.
- the archive of Keras 3 (`model.save("m.keras")`): a zip of `config.json` and `model.weights.h5`.

The layouts are those of `legacy_h5_format.py` and `saving_lib.py` in Keras 3.15, and of files that
Keras 2.3.1 wrote. Keras multiplies from the left (`x @ kernel`), so its matrices are `(from, to)`;
everything that leaves this module is `[to, from]`.

A file is untrusted. Nothing in it is executed or unpickled, only named paths are followed (no
walk that a cycle could trap), and a link or array that leads out of the file is refused unopened.
"""

from __future__ import annotations

import io
import itertools
import json
import os
import re
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from attractory._errors import FileProblem

Shape = tuple[int | None, ...]

_ALLOWED_FILES = "allowed: an HDF5 file or a .keras archive that Keras 2 or 3 wrote"
_ALLOWED_LAYERS = "allowed: one SimpleRNN and after it one Dense (also inside TimeDistributed)"

_OWN_WEIGHTS = "allowed: a file that holds its own weights"
_SAVE_AGAIN = "allowed: what Keras itself wrote; save the model again with model.save"

# fmt: off
_OTHER_RECURRENT = frozenset({
    "GRU", "LSTM", "RNN", "Bidirectional", "CuDNNGRU", "CuDNNLSTM",
    "ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D",
})
# Layers that act in training alone.
_INERT = frozenset({
    "InputLayer", "Dropout", "SpatialDropout1D", "GaussianDropout", "GaussianNoise",
    "ActivityRegularization",
})
# What `keras.activations` calls its own functions; another name means code that the file lacks.
_ACTIVATIONS = frozenset({
    "celu", "elu", "exponential", "gelu", "glu", "hard_shrink", "hard_sigmoid", "hard_silu",
    "hard_swish", "hard_tanh", "leaky_relu", "linear", "log_sigmoid", "log_softmax", "mish",
    "relu", "relu6", "selu", "sigmoid", "silu", "soft_shrink", "softmax", "softplus", "softsign",
    "sparse_plus", "sparse_sigmoid", "sparsemax", "squareplus", "swish", "tanh", "tanh_shrink",
    "threshold",
})
# fmt: on
_NAMED_CLASSES = {
    "input": "InputLayer",  # Keras 2 calls its InputLayer "input_1"
    **{
        name.lower(): name
        for name in {"SimpleRNN", "Dense", "TimeDistributed", *_OTHER_RECURRENT, *_INERT}
    },
}
_CELL_ARRAYS = ("kernel", "recurrent_kernel", "bias")
_DENSE_ARRAYS = ("kernel", "bias")
_GATES = {1: "SimpleRNN", 3: "GRU", 4: "LSTM"}

# A few kilobytes of compressed zeros can announce terabytes: refused before anything is read.
_MOST_CONFIG_BYTES = 64 * 2**20
_MOST_WEIGHT_BYTES = 4 * 2**30
_MOST_NUMBERS = 2**28
_MOST_SHOWN = 120

# What h5py and zipfile raise on bytes that are not what they should be.
_DAMAGE = (
    OSError,
    RuntimeError,
    KeyError,
    ValueError,
    TypeError,
    EOFError,
    zipfile.BadZipFile,
    zlib.error,
)


@dataclass(frozen=True)
class KerasNetwork:
    """The weights of a Keras network: h(t+1) = activation(W h(t) + U x(t) + b), z = V h + c.

    All arrays are float64 and hold exactly the stored numbers, every matrix as `[to, from]`.
    `h` starts at 0. The time step is Keras's own: `dt = tau`.

    Attributes:
        recurrent_weights: W, shape (units, units).
        input_weights: U, shape (units, inputs).
        output_weights: V, shape (outputs, units).
        output_bias: c, shape (outputs,), or None when the readout has no bias.
        bias: b, shape (units,), or None when the recurrent layer has no bias.
        activation: the name that Keras gives it, such as "tanh" or "relu". Keras 2 and Keras 3 mean
            different functions by "hard_sigmoid": here it is only the name.
    """

    recurrent_weights: np.ndarray
    input_weights: np.ndarray
    output_weights: np.ndarray
    output_bias: np.ndarray | None
    bias: np.ndarray | None
    activation: str


def read_keras(path: str | os.PathLike[str]) -> KerasNetwork:
    """Read a network that Keras saved: one SimpleRNN layer, and after it one linear Dense layer.

    The Dense layer may be inside TimeDistributed. Layers that do nothing after training (Input,
    Dropout, GaussianNoise) may stand beside them.

    A file of weights alone does not say what the layers compute, nor how they are joined: its
    recurrent activation is taken to be tanh and its readout linear, Keras's defaults, and
    `go_backwards` cannot be seen. A file from `model.save` says it all.

    Args:
        path: HDF5 (Keras 2 or 3; a full model or weights alone) or a `.keras` archive.

    Raises:
        FileProblem: the file is missing, damaged, of another kind, or holds a network that this
            reading would change. One line: which file, what is wrong with it, what is allowed.
    """
    try:
        return _read(Path(path))
    except _Refused as refused:
        raise FileProblem(" ".join(f"{os.fspath(path)}: {refused}".split())) from refused


class _Refused(Exception):
    """Why a file cannot be read; `read_keras` adds which file.

    Not a ValueError, so that `_damage_refused` lets it pass.
    """


@dataclass(frozen=True, eq=False)
class _Layer:
    """One layer: from a config (then it has settings) or from the weights (then it has arrays).

    Its kind is its Keras class name, or words that no class has.
    """

    name: str
    kind: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    arrays: Mapping[str, h5py.Dataset] = field(default_factory=dict)


def _read(path: Path) -> KerasNetwork:
    opened, config = _open(path)
    with opened as file:
        if config is None:
            with _damage_refused():
                config = file.attrs.get("model_config")
        if config is None:
            return _network(*_recurrent_and_readout(_stored_layers(file)), activation="tanh")
        return _described_network(_described_layers(config), file)


def _described_network(layers: Sequence[_Layer], file: h5py.File) -> KerasNetwork:
    described = _recurrent_and_readout(layers)
    activation = _checked_activation(*described)
    stored = _stored_layers(file)
    # The config speaks for the other layers that hold no arrays.
    found = _recurrent_and_readout(
        [layer for layer in stored if layer.arrays or layer.kind in {"SimpleRNN", "Dense"}]
    )
    for description, layer in zip(described, found, strict=True):
        _check_bias(description, layer)
    return _network(*found, activation=activation)


# Opening


def _open(path: Path) -> tuple[h5py.File, bytes | None]:
    """The HDF5 file with the weights, and the config where an archive has it apart."""
    start = _first_bytes(path)
    with _damage_refused():
        if start.startswith(b"PK"):
            return _open_archive(path)
        if start.startswith(b"\x89HDF\r\n\x1a\n"):
            return h5py.File(path, "r"), None
    raise _Refused(f"is neither HDF5 nor a zip archive; {_ALLOWED_FILES}")


def _first_bytes(path: Path) -> bytes:
    try:
        if path.is_dir():
            raise _Refused(f"is a folder, not a file; {_ALLOWED_FILES}")
        if not path.is_file():
            raise _Refused(f"there is no such file; {_ALLOWED_FILES}")
        with path.open("rb") as file:
            return file.read(8)
    except OSError as error:
        raise _Refused(f"cannot be read ({error.strerror}); {_ALLOWED_FILES}") from error


def _open_archive(path: Path) -> tuple[h5py.File, bytes]:
    with zipfile.ZipFile(path) as archive:
        config = _member(archive, "config.json", _MOST_CONFIG_BYTES)
        weights = _member(archive, "model.weights.h5", _MOST_WEIGHT_BYTES)
    return h5py.File(io.BytesIO(weights), "r"), config


def _member(archive: zipfile.ZipFile, name: str, most_bytes: int) -> bytes:
    if name not in archive.namelist():
        raise _Refused(f"is a zip archive without {name}; {_ALLOWED_FILES}")
    size = archive.getinfo(name).file_size
    if size > most_bytes:
        raise _Refused(f"its {name} unpacks to {size} bytes; allowed: at most {most_bytes}")
    return archive.read(name)


@contextmanager
def _damage_refused() -> Iterator[None]:
    try:
        yield
    except _DAMAGE as error:
        reason = f"{type(error).__name__}: {error}"[:_MOST_SHOWN]
        raise _Refused(f"is damaged or cut off ({reason}); {_ALLOWED_FILES}") from error


# The config: what the layers compute


def _described_layers(config: Any) -> list[_Layer]:
    model = _model(config)
    # Keras before 2.2.3 wrote the layers of a Sequential as a bare list.
    entries = model if isinstance(model, list) else _field(model, "layers", list)
    layers = [_described_layer(entry) for entry in entries]
    if isinstance(model, dict):
        _check_chain(model, layers)
    return layers


def _model(config: Any) -> Any:
    try:
        described = json.loads(config)
    except (ValueError, TypeError, RecursionError) as error:
        raise _Refused(f"its model config is not JSON; {_SAVE_AGAIN}") from error
    kind = _field(described, "class_name", str)
    if kind not in {"Sequential", "Functional", "Model"}:
        raise _Refused(f"holds a model of class {_shown(kind)}; allowed: Sequential, Functional")
    return _field(described, "config", (dict, list))


def _field(entry: Any, key: str, kind: type | tuple[type, ...]) -> Any:
    value = entry.get(key) if isinstance(entry, dict) else None
    if not isinstance(value, kind):
        raise _Refused(f"its model config has no valid {key!r}; {_SAVE_AGAIN}")
    return value


def _described_layer(entry: Any) -> _Layer:
    kind = _field(entry, "class_name", str)
    settings = _field(entry, "config", dict)
    name = str(settings.get("name", kind))
    if _is_custom(entry):
        return _Layer(name, f"{kind} (custom code)", settings)
    inner = settings.get("layer")
    if kind == "TimeDistributed" and isinstance(inner, dict):
        kind = f"TimeDistributed({inner.get('class_name')})"
        if kind == "TimeDistributed(Dense)" and not _is_custom(inner):
            return _Layer(name, "Dense", _field(inner, "config", dict))
    return _Layer(name, kind, settings)


def _is_custom(entry: Mapping[str, Any]) -> bool:
    """Whether a class is the user's own, even under a Keras name (HDF5 does not show it)."""
    module = entry.get("module", "keras")
    return bool(entry.get("registered_name")) or not str(module).startswith("keras")


def _check_chain(model: Mapping[str, Any], layers: Sequence[_Layer]) -> None:
    """Refuse a graph that is not one chain (classes that merge branches are refused elsewhere)."""
    inputs = [layer.name for layer in layers if layer.kind == "InputLayer"]
    if len(inputs) > 1:
        raise _Refused(f"has {len(inputs)} inputs ({_listed(inputs)}); allowed: 1")
    outputs = _tensor_names(model.get("output_layers"))
    if len(outputs) > 1:
        raise _Refused(f"has {len(outputs)} outputs ({_listed(outputs)}); allowed: 1, the readout")
    for entry, layer in zip(model["layers"], layers, strict=True):
        calls = entry.get("inbound_nodes")
        if isinstance(calls, list) and len(calls) > 1:
            raise _Refused(f"uses layer {_shown(layer.name)} {len(calls)} times; {_ALLOWED_LAYERS}")


def _tensor_names(outputs: Any) -> list[str]:
    """The layers whose outputs leave the model: a `["dense", 0, 0]`, or a list or dict of such."""
    if isinstance(outputs, dict):
        outputs = list(outputs.values())
    if not isinstance(outputs, list) or not outputs:
        return []
    if isinstance(outputs[0], str):
        return [outputs[0]]
    return [str(tensor[0]) if isinstance(tensor, list) and tensor else "?" for tensor in outputs]


def _checked_activation(recurrent: _Layer, readout: _Layer) -> str:
    """The recurrent activation, once nothing else in the settings would change the numbers."""
    if recurrent.settings.get("go_backwards"):
        name = _shown(recurrent.name)
        raise _Refused(f"layer {name} has go_backwards=True; allowed: go_backwards=False")
    output = _activation(readout, default="linear")
    if output != "linear":
        name = _shown(readout.name)
        raise _Refused(f"the Dense readout {name} has the activation {output!r}; allowed: 'linear'")
    return _activation(recurrent, default="tanh")


def _activation(layer: _Layer, default: str) -> str:
    value = layer.settings.get("activation", default)
    if value is None:  # Keras: "if you pass None, no activation is applied"
        return "linear"
    if isinstance(value, str) and value in _ACTIVATIONS:
        return value
    raise _Refused(
        f"layer {_shown(layer.name)} has a custom activation ({_custom_name(value)}), whose code "
        "is not in the file; allowed: one of Keras's own, such as 'tanh' or 'relu'"
    )


def _custom_name(value: Any) -> str:
    """What Keras calls a custom function (its name is the config) or object (it has a class)."""
    if not isinstance(value, dict):
        return _shown(value)
    config = value.get("config")
    return _shown(config if isinstance(config, str) else value.get("class_name"))


def _check_bias(description: _Layer, stored: _Layer) -> None:
    promised = bool(description.settings.get("use_bias", True))  # True is Keras's default
    if promised != ("bias" in stored.arrays):
        state = "no bias" if promised else "a bias"
        raise _Refused(
            f"layer {_shown(description.name)} is described with use_bias={promised}, "
            f"but the file holds {state}; {_SAVE_AGAIN}"
        )


# Which layers there are


def _recurrent_and_readout(layers: Sequence[_Layer]) -> tuple[_Layer, _Layer]:
    for layer in layers:
        _check_kind(layer)
    recurrent = _only(layers, "SimpleRNN", "recurrent layer", "recurrent layers")
    readout = _only(layers, "Dense", "Dense readout", "Dense layers")
    if layers.index(readout) < layers.index(recurrent):
        names = f"{_shown(readout.name)} stands before the SimpleRNN {_shown(recurrent.name)}"
        raise _Refused(f"the Dense {names}; {_ALLOWED_LAYERS}")
    return recurrent, readout


def _check_kind(layer: _Layer) -> None:
    kind = layer.kind
    if kind in _INERT or kind in {"SimpleRNN", "Dense"}:
        return
    recurrent = kind in _OTHER_RECURRENT
    allowed = "only SimpleRNN can be imported so far" if recurrent else _ALLOWED_LAYERS
    raise _Refused(f"layer {_shown(layer.name)} is of kind {_shown(kind)}; {allowed}")


def _only(layers: Sequence[_Layer], kind: str, singular: str, plural: str) -> _Layer:
    found = [layer for layer in layers if layer.kind == kind]
    if not found:
        raise _Refused(f"has no {singular}; {_ALLOWED_LAYERS}")
    if len(found) > 1:
        names = _listed([layer.name for layer in found])
        raise _Refused(f"has {len(found)} {plural} ({names}); {_ALLOWED_LAYERS}")
    return found[0]


# The stored arrays


def _stored_layers(file: h5py.File) -> list[_Layer]:
    with _damage_refused():
        if _holds(file, "model_weights"):
            return _legacy_layers(_group(file, "model_weights"))
        if "layer_names" in file.attrs or "layer_names0" in file.attrs:
            return _legacy_layers(file)
        # Keras 2.13 wrote Keras 3's layout under another name.
        for name in ("layers", "_layer_checkpoint_dependencies"):
            if _holds(file, name):
                return _keras3_layers(_group(file, name))
    raise _Refused(
        "is HDF5 without the layers of a Keras model (model_weights, layer_names or layers); "
        "allowed: a Sequential or Functional model"
    )


def _legacy_layers(group: h5py.Group) -> list[_Layer]:
    return [_legacy_layer(name, _group(group, name)) for name in _names(group, "layer_names")]


def _legacy_layer(name: str, group: h5py.Group) -> _Layer:
    arrays: dict[str, h5py.Dataset] = {}
    for path in _names(group, "weight_names"):
        # "rnn/simple_rnn_cell/kernel:0"; TensorFlow numbers a repeated name, "rnn/kernel_1:0".
        short = re.sub(r"(_\d+)?(:\d+)?$", "", path.rsplit("/", 1)[-1])
        if short in arrays:
            raise _Refused(f"layer {_shown(name)} holds two arrays {short!r}; {_ALLOWED_LAYERS}")
        arrays[short] = _dataset(group, path)
    return _Layer(name, _kind_by_arrays(name, arrays), arrays=arrays)


def _kind_by_arrays(name: str, arrays: Mapping[str, h5py.Dataset]) -> str:
    """The class of a layer in a legacy file, where the user may have given it any name."""
    names = set(arrays)
    if not names:
        return _class_named(name) or "unknown (no arrays)"
    if {"kernel", "recurrent_kernel"} <= names <= set(_CELL_ARRAYS):
        return _GATES.get(_n_gates(arrays["recurrent_kernel"].shape), "SimpleRNN")
    if {"kernel"} <= names <= set(_DENSE_ARRAYS) and len(arrays["kernel"].shape) == 2:
        return "Dense"
    return f"unknown (its arrays: {', '.join(sorted(names))})"


def _n_gates(shape: Sequence[int]) -> int:
    """How many gates share a recurrent kernel (units, gates * units); 0 for another form."""
    if len(shape) != 2 or shape[0] == 0 or shape[1] % shape[0]:
        return 0
    return shape[1] // shape[0]


def _class_named(name: str) -> str | None:
    """The class behind a name that Keras made, such as "simple_rnn_2"."""
    return _NAMED_CLASSES.get(re.sub(r"_\d+$", "", name).replace("_", ""))


def _names(group: h5py.Group, attribute: str) -> list[str]:
    """A list of names in an attribute, which Keras splits over `layer_names0`, ... when long."""
    keys = [attribute] if attribute in group.attrs else []
    if not keys:
        numbered = (f"{attribute}{i}" for i in itertools.count())
        keys = list(itertools.takewhile(lambda key: key in group.attrs, numbered))
    return [_text(name) for key in keys for name in np.ravel(group.attrs[key])]


def _text(name: Any) -> str:
    return name.decode("utf-8") if isinstance(name, bytes) else str(name)


def _keras3_layers(group: h5py.Group) -> list[_Layer]:
    # HDF5 lists groups by alphabet, not in the model's order: the readout is taken to come last.
    layers = [_keras3_layer(name, _group(group, name)) for name in group]
    return sorted(layers, key=lambda layer: layer.kind == "Dense")


def _keras3_layer(name: str, group: h5py.Group) -> _Layer:
    kind = _class_named(name) or name
    if kind == "SimpleRNN":
        _check_members(name, group, {"cell", "vars"})
        return _Layer(name, kind, arrays=_numbered(name, _group(group, "cell"), _CELL_ARRAYS))
    if kind == "TimeDistributed":
        kind, group = "Dense", _group(group, "layer")
    if kind == "Dense":
        return _Layer(name, kind, arrays=_numbered(name, group, _DENSE_ARRAYS))
    return _Layer(name, kind)  # refused, or inert: its arrays are of no use


def _numbered(name: str, group: h5py.Group, names: Sequence[str]) -> dict[str, h5py.Dataset]:
    """The arrays `vars/0`, `vars/1`, ... of one layer, under their names."""
    _check_members(name, group, {"vars", "seed_generator"})
    variables = _group(group, "vars")
    if len(variables) > len(names):
        allowed = f"allowed: {', '.join(names)}"
        raise _Refused(f"layer {_shown(name)} holds {len(variables)} arrays; {allowed}")
    return {names[i]: _dataset(variables, str(i)) for i in range(len(variables))}


def _check_members(name: str, group: h5py.Group, known: set[str]) -> None:
    """Refuse what is stored beside the arrays, such as an activation that is itself a layer."""
    others = sorted(set(group) - known)
    if others:
        parts = f"parts that cannot be imported ({_listed(others)})"
        raise _Refused(f"layer {_shown(name)} has {parts}; {_ALLOWED_LAYERS}")


def _group(parent: h5py.Group, path: str) -> h5py.Group:
    return _inside(parent, path, h5py.Group)


def _dataset(parent: h5py.Group, path: str) -> h5py.Dataset:
    dataset = _inside(parent, path, h5py.Dataset)
    if dataset.external or dataset.is_virtual:
        raise _Refused(f"its array {_shown(path)} is stored in another file; {_OWN_WEIGHTS}")
    return dataset


def _inside(parent: h5py.Group, path: str, kind: type) -> Any:
    """What stands at `path`, one hard link after another."""
    found: Any = parent
    for part in path.split("/"):
        if not isinstance(found, h5py.Group) or not _holds(found, part):
            raise _Refused(f"lists {_shown(path)} but does not hold it; {_SAVE_AGAIN}")
        if found.id.links.get_info(part.encode()).type != h5py.h5l.TYPE_HARD:
            raise _Refused(f"its {_shown(path)} is a link; {_OWN_WEIGHTS}")
        found = found[part]
    if not isinstance(found, kind):
        raise _Refused(f"its {_shown(path)} is not a {kind.__name__}; {_SAVE_AGAIN}")
    return found


def _holds(group: h5py.Group, name: str) -> bool:
    """Whether a group has a link of that name, asked without following it (h5py's `in` does)."""
    return bool(name) and group.id.links.exists(name.encode())


# The numbers


def _network(recurrent: _Layer, readout: _Layer, activation: str) -> KerasNetwork:
    units = _n_units(recurrent)
    output_weights = _to_from(readout, "kernel", (units, None))
    return KerasNetwork(
        recurrent_weights=_to_from(recurrent, "recurrent_kernel", (units, units)),
        input_weights=_to_from(recurrent, "kernel", (None, units)),
        output_weights=output_weights,
        output_bias=_optional_array(readout, "bias", (len(output_weights),)),
        bias=_optional_array(recurrent, "bias", (units,)),
        activation=activation,
    )


def _n_units(recurrent: _Layer) -> int:
    shape = _found_array(recurrent, "recurrent_kernel").shape
    if len(shape) != 2 or shape[0] != shape[1] or 0 in shape:
        where = f"the recurrent_kernel of layer {_shown(recurrent.name)}"
        raise _Refused(f"{where} has shape {shape}; allowed: a square matrix (units, units)")
    return int(shape[0])


def _to_from(layer: _Layer, name: str, shape: Shape) -> np.ndarray:
    return np.ascontiguousarray(_array(layer, name, shape).T)


def _optional_array(layer: _Layer, name: str, shape: Shape) -> np.ndarray | None:
    return _array(layer, name, shape) if name in layer.arrays else None


def _array(layer: _Layer, name: str, shape: Shape) -> np.ndarray:
    """The numbers as stored, `(from, to)`, once their shape, type and values are found sound."""
    dataset = _found_array(layer, name)
    where = f"the {name} of layer {_shown(layer.name)}"
    _check_shape(where, dataset.shape, shape)
    with _damage_refused():
        if dataset.dtype.kind != "f":
            raise _Refused(f"{where} has type {dataset.dtype}; allowed: float16, float32, float64")
        values = np.asarray(dataset[()], dtype=np.float64)
    n_bad = int(np.count_nonzero(~np.isfinite(values)))
    if n_bad:
        count = f"{n_bad} NaN or infinite values of {values.size}"
        raise _Refused(f"{where} has {count}; allowed: finite numbers")
    return values


def _found_array(layer: _Layer, name: str) -> h5py.Dataset:
    if name not in layer.arrays:
        raise _Refused(f"layer {_shown(layer.name)} has no {name}; {_SAVE_AGAIN}")
    return layer.arrays[name]


def _check_shape(where: str, shape: tuple[int, ...], allowed: Shape) -> None:
    fits = len(shape) == len(allowed) and all(
        want in (None, got) for got, want in zip(shape, allowed, strict=True)
    )
    if not fits or 0 in shape:
        wanted = ", ".join("any" if want is None else str(want) for want in allowed)
        raise _Refused(f"{where} has shape {shape}; allowed beside the others: ({wanted})")
    if np.prod(shape, dtype=float) > _MOST_NUMBERS:
        raise _Refused(f"{where} has shape {shape}; allowed: at most {_MOST_NUMBERS} numbers")


# Words


def _listed(names: Sequence[str]) -> str:
    return ", ".join(_shown(name) for name in names[:5]) + (", ..." if len(names) > 5 else "")


def _shown(value: Any) -> str:
    """A value from the file, made fit for one line of a message."""
    text = repr(value)
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}..."
