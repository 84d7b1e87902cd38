"""Networks from PyTorch: modules, state dicts, checkpoints, files."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from attractory._arguments import a_flag, a_name, names_of, optional, takes
from attractory._errors import FileProblem, InvalidSetting, shown
from attractory.exchange._layers import network_of
from attractory.exchange.torch._check import check_same
from attractory.exchange.torch._current import CurrentSaid, current_network_of, has_currents
from attractory.exchange.torch._file import as_arrays, read_file
from attractory.exchange.torch._layers import Said, chain_of_arrays, has_layers, said_by_module
from attractory.exchange.torch._state import only_network, state_in, unwrapped
from attractory.exchange.torch._write import NONLINEARITIES
from attractory.models import Network, check_weights, rescaled


@takes(
    ignore=names_of,
    read=optional(a_name),
    over_units=optional(a_flag),
    bias=optional(a_name),
    key=optional(a_name),
    activation=optional(a_name),
)
def from_torch(
    source: Any,
    activation: str | None = None,
    *,
    check: Any = None,
    key: str | None = None,
    ignore: str | Collection[str] = (),
    tau: float | None = None,
    dt: float | None = None,
    read: str | None = None,
    over_units: bool | None = None,
    bias: str | None = None,
) -> Network:
    """A network from PyTorch: one or more nn.RNN, nn.GRU or nn.LSTM, then one nn.Linear.

    Or a network of currents in the names that the field gives its arrays (see the notes).

    Parameters
    ----------
    source : nn.Module, mapping, str or Path
        A module that holds these layers (in the order in which they are used; within DataParallel,
        DistributedDataParallel, AveragedModel or torch.compile, too), its state dict, a dict of
        NumPy arrays with the names of one, a checkpoint with one in it, or the path of a file with
        one: `.safetensors`, for which torch is not needed, or what torch.save wrote (`.pt`, `.pth`,
        `.pkl`, ...), which is loaded with `weights_only=True`.
    activation : str, optional
        Of every nn.RNN, "tanh" or "relu". None: as the module or file says (its metadata:
        "activation", or one for a layer, as "layers.0.activation"), and "tanh" where nothing does,
        as in a state dict. Of a network of currents any name of `CurrentRNN`.
    check : bool or array (trial, time, input), optional
        A module's forward may do what its layers do not show (a sigmoid on the outputs, an initial
        state). So a module is run, too, and refused when its outputs are not those of the network:
        on random inputs by default (True), on inputs that are given, or, with False, not at all.
    key : str, optional
        Which state dict, where a checkpoint has several (or names that begin with it).
    ignore : str or collection of str
        Names of entries that change no output (or what they begin with). Counters and losses are
        passed over by themselves; the log "attractory" names what was.
    tau : float, optional
        Of a network of currents: the time constant, in the unit of `dt`.
    dt : float, optional
        The length of a step, also where the layers are torch's: without it, their steps have no
        length.
    read : str, optional
        Of a network of currents, what the readout reads: "rates" or "currents".
    over_units : bool, optional
        Of a network of currents, whether recurrent and output weights are divided by the number of
        units.
    bias : str, optional
        Of a network of currents, where there is a bias other than 0: "inside" of phi, as in these
        authors' code, or "outside".

    Returns
    -------
    Network
        The readout is taken to read every step of the last layer. States start at 0, those of a
        network of currents at h0 or x0.

    Raises
    ------
    InvalidSetting
        In one line (FileProblem for a file) when there is something else in it: two directions,
        projections, other layers with weights, several readouts, a module with its nn.Linear first,
        arrays of recurrent layers whose names do not tell their order by a number.

    Notes
    -----
    The two biases of nn.RNN and nn.LSTM are summed. A GRU whose gates are constant is the leaky
    rate network that `to_torch` makes one of.

    A network of currents is known by the names wi, wrec (or m, n), wo, with si, so, b, h0, or
    w_inp, w_rec (or m, n), w_out, with w_inp_scale, w_out_scale, b_rec, taus_gaus, x0: it becomes a
    `CurrentRNN`, of low rank with the product of m and n. What its arrays do not say must be given:
    activation, tau and dt, read, over_units and bias. Masks that their code keeps elsewhere are
    not seen.
    """
    names = (ignore,) if isinstance(ignore, str) else tuple(ignore)
    said = CurrentSaid(activation, tau, dt, read, over_units, bias)
    check_choices(said)
    if isinstance(source, (str, Path)):
        path = Path(source)
        return network_of_file(path, read_file(path), said, names, key, check)
    if isinstance(source, Mapping):
        source = state_in(source, key, names_a_network)
    if isinstance(source, Mapping):
        return _checked(_of_state(source, said, names, Said({})), check)
    if not hasattr(source, "named_modules") or isinstance(source, type):
        raise InvalidSetting(
            f"source is of type {type(source).__name__}; allowed: an nn.Module, a state dict, the "
            "path of a .safetensors file or of one of torch.save"
        )
    return _of_module(unwrapped(source), said, names, check is None or check)


def network_of_file(
    path: Path,
    held: tuple[Mapping[str, Any], Mapping[str, str]],
    said: CurrentSaid,
    ignore: tuple[str, ...],
    key: str | None,
    check: Any = None,
) -> Network:
    """The network in what a file holds (and its metadata); FileProblem where it is none."""
    content, metadata = held
    try:
        state = state_in(content, key, names_a_network)
        return _checked(_of_state(state, said, ignore, _said_by_metadata(metadata)), check)
    except InvalidSetting as error:
        raise FileProblem(f"{path}: {error}") from None


def _of_module(module: Any, said: CurrentSaid, ignore: tuple[str, ...], check: Any) -> Network:
    state = module.state_dict()
    if not has_currents(state):
        # buffers change no weights, and what else they change is seen when the module runs
        checked = check is not False
        buffers = [name for name, _ in module.named_buffers()] if checked else []
        network = _of_state(state, said, (*ignore, *buffers), said_by_module(module))
    else:
        network = _of_state(state, said, ignore, Said({}))
    if check is not False:
        check_same(network, module, check)
    return network


def _of_state(
    state: Mapping[str, Any], said: CurrentSaid, ignore: tuple[str, ...], layers: Said
) -> Network:
    arrays = as_arrays(only_network(state, ignore))
    if has_currents(arrays):
        network = current_network_of(arrays, said)
        check_weights(network.weights)
        return network
    _check_for_layers(said)
    network = network_of(chain_of_arrays(arrays, said.activation, layers))
    return (
        network if said.dt is None else Network(rescaled(network.model, said.dt), network.weights)
    )


def names_a_network(names: Collection[str]) -> bool:
    """Whether names of arrays are those of torch's recurrent layers, or of networks of currents."""
    return has_layers(names) or has_currents(names)


def _checked(network: Network, check: Any) -> Network:
    """The network of arrays, which hold nothing that could be run."""
    if check is not None and check is not False:
        raise InvalidSetting("check needs a module that can be run; arrays alone cannot be checked")
    return network


def _said_by_metadata(metadata: Mapping[str, str]) -> Said:
    """The activations that a file names."""
    said = {
        name.removesuffix("activation"): value
        for name, value in metadata.items()
        if name == "activation" or name.endswith(".activation")
    }
    for activation in said.values():
        if activation not in NONLINEARITIES:
            raise InvalidSetting(
                f"activation = {shown(activation)} is not one of nn.RNN; allowed: 'tanh', 'relu'"
            )
    return Said(said)


def check_choices(said: CurrentSaid) -> None:
    """InvalidSetting for what is said and is none of its choices."""
    allowed = {
        "read": (None, "rates", "currents"),
        "over_units": (None, True, False),
        "bias": (None, "inside", "outside"),
    }
    for name, values in allowed.items():
        value = getattr(said, name)
        if not any(value is each for each in values) and value not in values[1:]:
            raise InvalidSetting(
                f"{name} = {shown(value)} is not allowed: {values[1]!r}, {values[2]!r}"
            )


def _check_for_layers(said: CurrentSaid) -> None:
    """InvalidSetting for what is said of a network of currents where there is none."""
    if said.activation not in (None, *NONLINEARITIES):
        raise InvalidSetting(
            f"activation = {shown(said.activation)} is not allowed: 'tanh', 'relu'"
        )
    for name in ("tau", "read", "over_units", "bias"):
        if getattr(said, name) is not None:
            raise InvalidSetting(
                f"{name} is for networks of currents (wi, wrec, wo, ...), and this is none; "
                "allowed for layers of torch: activation, dt"
            )
