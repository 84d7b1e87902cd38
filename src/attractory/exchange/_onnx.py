"""Networks to ONNX, to be run anywhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from attractory._arguments import takes
from attractory._files import a_path, replacing
from attractory.exchange._activations import name_there
from attractory.exchange._layers import GATES, Chain, Layer, chain_of, foreign
from attractory.models import Network, one_network

# the functions that ONNX's RNN may have
_FUNCTIONS = frozenset(
    {
        *("Relu", "Tanh", "Sigmoid", "Affine", "LeakyRelu", "ThresholdedRelu"),
        *("ScaledTanh", "HardSigmoid", "Elu", "Softsign", "Softplus"),
    }
)
_GATE_ORDER = {"RNN": (0,), "GRU": (1, 0, 2), "LSTM": (0, 3, 1, 2)}  # ours, in ONNX's order
OPSET, IR_VERSION = 17, 8


@takes(network=one_network, path=a_path)
def to_onnx(network: Network, path: str | Path) -> Path:
    """Write a network as an ONNX file (opset 17).

    Parameters
    ----------
    network : Network
        The network that is written.
    path : str or Path
        The file. An existing one is replaced.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    InvalidSetting
        For a network that would compute something else there (noise, a leak with another
        activation, a function that ONNX's RNN does not have).
    AttractoryError
        When the package onnx is missing.

    Notes
    -----
    The file maps `inputs` (trial, time, input) to `outputs` (trial, time, output) in float32,
    trials and times of any number. A leaky tanh network becomes a GRU with constant gates.
    """
    chain = chain_of(network, "ONNX")
    for layer in chain.layers:
        if layer.kind == "RNN":
            _function(layer)
    onnx = foreign("onnx")
    path = Path(path)
    content = _model(onnx, chain).SerializeToString()
    with replacing(path) as beside:
        beside.write_bytes(content)
    return path


def _function(layer: Layer) -> str:
    """ONNX's name of a layer's activation; InvalidSetting where its RNN has no such function."""
    return name_there("onnx", layer.activation, "ONNX's RNN", _FUNCTIONS)


def _model(onnx: Any, chain: Chain) -> Any:
    helper, single = onnx.helper, onnx.TensorProto.FLOAT
    nodes = [helper.make_node("Transpose", ["inputs"], ["states_0"], perm=[1, 0, 2])]
    arrays: dict[str, np.ndarray] = {"one_direction": np.array([1], np.int64)}
    for i, layer in enumerate(chain.layers, 1):
        nodes += _layer_nodes(helper, i, layer)
        arrays |= {f"{name}_{i}": array for name, array in _layer_arrays(layer).items()}
    last = f"states_{len(chain.layers)}"
    arrays["readout"] = np.ascontiguousarray(chain.output_weights.T)
    biased = chain.output_bias is not None
    nodes.append(helper.make_node("MatMul", [last, "readout"], ["read"]))
    if biased:
        arrays["readout_bias"] = np.asarray(chain.output_bias)
        nodes.append(helper.make_node("Add", ["read", "readout_bias"], ["read_biased"]))
    read = "read_biased" if biased else "read"
    nodes.append(helper.make_node("Transpose", [read], ["outputs"], perm=[1, 0, 2]))
    ends = [
        helper.make_tensor_value_info(name, single, ["trial", "time", size])
        for name, size in [
            ("inputs", chain.layers[0].input_weights.shape[1]),
            ("outputs", len(chain.output_weights)),
        ]
    ]
    graph = helper.make_graph(
        nodes,
        "network",
        ends[:1],
        ends[1:],
        [onnx.numpy_helper.from_array(array, name) for name, array in arrays.items()],
    )
    model = helper.make_model(
        graph,
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="attractory",
    )
    onnx.checker.check_model(model)
    return model


def _layer_nodes(helper: Any, i: int, layer: Layer) -> list[Any]:
    """The recurrence over (time, trial, input), and its axis of directions taken away."""
    settings: dict[str, Any] = {"hidden_size": layer.units}
    if layer.kind == "GRU":
        settings["linear_before_reset"] = int(layer.reset_after)
    if layer.kind == "RNN":
        settings["activations"] = [_function(layer)]
    elif layer.recurrent_activation != "sigmoid":
        settings |= _hard_gates(layer)
    given = [f"states_{i - 1}", f"input_weights_{i}", f"recurrent_weights_{i}", f"biases_{i}"]
    return [
        helper.make_node(layer.kind, given, [f"directions_{i}"], **settings),
        helper.make_node("Squeeze", [f"directions_{i}", "one_direction"], [f"states_{i}"]),
    ]


def _hard_gates(layer: Layer) -> dict[str, Any]:
    """ONNX's HardSigmoid is clip(alpha x + beta) between 0 and 1; an LSTM names three functions."""
    rest = ["Tanh"] * (1 if layer.kind == "GRU" else 2)
    slope = {"hard_sigmoid": 1 / 6, "hard_sigmoid_keras2": 0.2}[layer.recurrent_activation]
    return {
        "activations": ["HardSigmoid", *rest],
        "activation_alpha": [slope],
        "activation_beta": [0.5],
    }


def _layer_arrays(layer: Layer) -> dict[str, np.ndarray]:
    """Weights with an axis of directions, gates in ONNX's order; both biases in a row."""
    zero = np.zeros(GATES[layer.kind] * layer.units, np.float32)
    biases = [zero if b is None else b for b in (layer.bias, layer.recurrent_bias)]
    return {
        "input_weights": _ordered(layer.kind, layer.input_weights)[None],
        "recurrent_weights": _ordered(layer.kind, layer.recurrent_weights)[None],
        "biases": np.concatenate([_ordered(layer.kind, bias) for bias in biases])[None],
    }


def _ordered(kind: str, array: np.ndarray) -> np.ndarray:
    blocks = np.split(array, GATES[kind])
    return np.concatenate([blocks[i] for i in _GATE_ORDER[kind]])
