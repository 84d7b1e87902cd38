"""The layers whose weights a Keras file holds, in the layouts of Keras 2 and Keras 3.

- Keras 2 (`model.save("m.h5")`, `model.save_weights("w.h5")`, `ModelCheckpoint`), which Keras 3
  still writes for `model.save("m.h5")`: a group for each layer, listed in the attribute
  `layer_names`; each group lists its arrays in `weight_names`. A full model has them under
  `model_weights`.
- Keras 3 (`model.save_weights("m.weights.h5")`, and within `.keras`): `layers/gru/cell/vars/0`,
  `1`, `2` are kernel, recurrent kernel and bias; `layers/dense/vars/0`, `1` are kernel and bias.
  The groups are called after the classes, whatever the user called the layers, and numbered within
  a class: `gru`, `gru_1`.

The layouts are those of `legacy_h5_format.py` and `saving_lib.py` in Keras 3.15, and of files that
Keras 2.3.1 wrote.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from attractory.exchange._layers import GATES
from attractory.exchange.keras._hdf5 import Group
from attractory.exchange.keras._layer import (
    ALLOWED_LAYERS,
    NAMED_CLASSES,
    RECURRENT,
    SAVE_AGAIN,
    Array,
    KerasLayer,
    Refused,
    listed,
    shown,
)
from attractory.exchange.keras._versions import RECENT

_MOST_LISTED = 500  # layers or arrays: each takes a moment to look at
# Keras 2.13 wrote Keras 3's layout under another name.
_OTHER_LAYERS = "_layer_checkpoint_dependencies"
_CELL_ARRAYS = ("kernel", "recurrent_kernel", "bias")
_DENSE_ARRAYS = ("kernel", "bias")
_KINDS = {GATES[ours]: kind for kind, ours in RECURRENT.items()}


@dataclass(frozen=True, eq=False)
class Stored:
    """The layers of a file; whether they stand in the model's order (where they do not, those of
    one class do, and a Dense comes last); the version of Keras, None where it cannot be told."""

    layers: list[KerasLayer]
    ordered: bool
    version: str | None


def stored_layers(file: Group) -> Stored:
    """The layers of a file, in the layout of Keras 2 or 3."""
    version = _version(file)
    if file.holds("model_weights"):
        weights = file.group("model_weights")
        names = weights.names("layer_names") or []
        return Stored(_legacy_layers(weights, names), True, version or _version(weights))
    listed_names = file.names("layer_names")
    if listed_names is not None:
        return Stored(_legacy_layers(file, listed_names), True, version)
    if file.holds("layers"):
        return Stored(_keras3_layers(file.group("layers")), False, version or RECENT)
    if file.holds(_OTHER_LAYERS):
        return Stored(_keras3_layers(file.group(_OTHER_LAYERS)), False, version or "2.13")
    raise Refused(
        "is HDF5 without the layers of a Keras model (model_weights, layer_names or layers); "
        "allowed: a Sequential or Functional model"
    )


def holds_layers(file: Group) -> bool:
    """Whether a file has one of these layouts; nothing but its outermost group is looked at."""
    groups = ("model_weights", "layers", _OTHER_LAYERS)
    return any(file.holds(name) for name in groups) or file.names("layer_names") is not None


def _check_count(count: int, things: str) -> None:
    if count > _MOST_LISTED:
        raise Refused(f"lists {count} {things}; allowed: at most {_MOST_LISTED}")


def _version(group: Group) -> str | None:
    texts = group.texts("keras_version")
    return texts[0] if texts else None


# Keras 2


def _legacy_layers(group: Group, names: list[str]) -> list[KerasLayer]:
    _check_count(len(names), "layers")
    if len(set(names)) < len(names):
        often, times = Counter(names).most_common(1)[0]
        raise Refused(f"lists layer {shown(often)} {times} times; {SAVE_AGAIN}")
    return [_legacy_layer(name, group.group(name)) for name in names]


def _legacy_layer(name: str, group: Group) -> KerasLayer:
    paths = group.names("weight_names") or []
    _check_count(len(paths), f"arrays in layer {shown(name)}")
    return layer_of(name, [(path, group.array(path)) for path in paths])


def layer_of(name: str, arrays: Iterable[tuple[str, Array]]) -> KerasLayer:
    """A layer from its arrays, each with the path that Keras 2 or 3 gives it."""
    named: dict[str, Array] = {}
    for path, array in arrays:
        # "rnn/simple_rnn_cell/kernel:0"; TensorFlow numbers a repeated name, "rnn/kernel_1:0".
        short = re.sub(r"(_\d+)?(:\d+)?$", "", path.rsplit("/", 1)[-1])
        if short in named:
            raise Refused(f"layer {shown(name)} holds two arrays {shown(short)}; {ALLOWED_LAYERS}")
        named[short] = array
    return KerasLayer(name, _kind_by_arrays(name, named), arrays=named)


def _kind_by_arrays(name: str, arrays: Mapping[str, Array]) -> str:
    """The class of a layer in a legacy file, where the user may have given it any name."""
    names = set(arrays)
    if not names:
        return _class_named(name) or "unknown (no arrays)"
    if {"kernel", "recurrent_kernel"} <= names <= set(_CELL_ARRAYS):
        return _recurrent_kind(arrays)
    if {"kernel"} <= names <= set(_DENSE_ARRAYS) and len(arrays["kernel"].shape) == 2:
        return "Dense"
    return f"unknown (its arrays: {', '.join(sorted(names)[:4])})"


def _recurrent_kind(arrays: Mapping[str, Array]) -> str:
    """By the number of gates; a form that no class has counts as a SimpleRNN of a wrong shape."""
    shape = arrays["recurrent_kernel"].shape
    kind = _KINDS.get(_n_gates(shape), "SimpleRNN")
    doubled = kind != "SimpleRNN" and "bias" in arrays and arrays["bias"].shape == (2 * shape[1],)
    return f"CuDNN{kind}" if doubled else kind


def _n_gates(shape: Sequence[int]) -> int:
    """How many gates share a recurrent kernel (units, gates * units); 0 for another form."""
    if len(shape) != 2 or shape[0] == 0 or shape[1] % shape[0]:
        return 0
    return shape[1] // shape[0]


# Keras 3


def _keras3_layers(group: Group) -> list[KerasLayer]:
    # HDF5 lists groups by alphabet, "gru_10" before "gru_2".
    names = sorted(group, key=_number)
    _check_count(len(names), "layers")
    layers = [_keras3_layer(name, group.group(name)) for name in names]
    return sorted(layers, key=lambda layer: layer.kind == "Dense")


def _keras3_layer(name: str, group: Group) -> KerasLayer:
    kind = _class_named(name) or name
    if kind in RECURRENT:
        _check_members(name, group, {"cell", "vars"})
        return KerasLayer(name, kind, arrays=_numbered(name, group.group("cell"), _CELL_ARRAYS))
    if kind == "TimeDistributed" and group.holds("layer"):
        group = group.group("layer")
        # A Dropout inside holds no arrays; what it is stands in the config.
        if group.holds("vars") and list(group.group("vars")):
            kind = "Dense"
    if kind == "Dense":
        return KerasLayer(name, kind, arrays=_numbered(name, group, _DENSE_ARRAYS))
    return KerasLayer(name, kind)  # refused, or inert: its arrays are of no use


def _numbered(name: str, group: Group, names: Sequence[str]) -> dict[str, Array]:
    """The arrays `vars/0`, `vars/1`, ... of one layer, under their names."""
    _check_members(name, group, {"vars", "seed_generator"})
    variables = group.group("vars")
    count = len(list(variables))
    if count > len(names):
        allowed = f"allowed: {', '.join(names)}"
        raise Refused(f"layer {shown(name)} holds {count} arrays; {allowed}")
    return {names[i]: variables.array(str(i)) for i in range(count)}


def _check_members(name: str, group: Group, known: set[str]) -> None:
    """Refuse what is stored beside the arrays, such as an activation that is itself a layer."""
    others = sorted(set(group) - known)
    if others:
        parts = f"parts that cannot be imported ({listed(others)})"
        raise Refused(f"layer {shown(name)} has {parts}; {ALLOWED_LAYERS}")


# Names that Keras made


def _class_named(name: str) -> str | None:
    """The class behind a name that Keras made, such as "simple_rnn_2"."""
    return NAMED_CLASSES.get(re.sub(r"_\d+$", "", name).replace("_", ""))


def _number(name: str) -> int:
    found = re.search(r"_(\d{1,9})$", name)
    return int(found[1]) if found else 0
