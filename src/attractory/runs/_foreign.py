"""All networks of a run for another framework; a network from any framework's file."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from attractory._errors import FileProblem, InvalidSetting, nearest, shown
from attractory.models import Network
from attractory.runs._keras_network import load_keras
from attractory.runs._keras_write import save_keras
from attractory.runs._onnx import to_onnx
from attractory.runs._psychrnn import load_psychrnn
from attractory.runs._run import Run, imported_run
from attractory.runs._torch import from_torch
from attractory.runs._torch_file import PICKLED
from attractory.runs._torch_write import save_torch
from attractory.tasks import FlipFlop, Task


class Format(NamedTuple):
    """The ending of its files, and what writes one."""

    ending: str
    save: Callable[[Network, str | Path], Path]


FORMATS = {
    "keras": Format(".keras", save_keras),
    "torch": Format(".safetensors", save_torch),
    "onnx": Format(".onnx", to_onnx),
}
_READERS: dict[str, Callable[..., Network]] = {
    ".keras": load_keras,
    ".h5": load_keras,
    ".hdf5": load_keras,
    ".safetensors": from_torch,
    **dict.fromkeys(PICKLED, from_torch),
    ".npz": load_psychrnn,
}


def export(
    run: Run, format: str = "keras", folder: str | Path | None = None, net: int | None = None
) -> list[Path]:
    """Write a run's networks (or the one of index `net`) for another framework: their files.

    format: "keras", "torch" (a state dict as safetensors) or "onnx". folder: `export` in the run's
    own when None. Files are called network_0 and so on. Raises InvalidSetting for an unknown
    format or index and for networks that would compute something else there, FileProblem when a
    file cannot be written.
    """
    if format not in FORMATS:
        raise InvalidSetting(f"format = {shown(format)} is not allowed; {nearest(format, FORMATS)}")
    if folder is None and run.path is None:
        raise InvalidSetting("folder = None is not allowed: this run has no folder yet; name one")
    if net is not None and not 0 <= net < len(run.networks):
        raise InvalidSetting(f"net = {net} is not allowed: 0 to {len(run.networks) - 1}")
    place = Path(folder) if folder is not None else Path(str(run.path)) / "export"
    ending, save = FORMATS[format]
    chosen = range(len(run.networks)) if net is None else [net]
    return [save(run.networks[i], place / f"network_{i}{ending}") for i in chosen]


def load_network(path: str | Path, **said: Any) -> Network:
    """A network from a file of Keras, PyTorch (.safetensors, .pt, ...) or PsychRNN, by its ending.

    said: what the file does not name, as an argument of the function that reads it (activation;
    of Keras also recurrent_activation and reset_after); None where nothing is said. Raises
    FileProblem for another ending, InvalidSetting for an argument that its function does not have,
    and what `load_keras`, `from_torch` and `load_psychrnn` raise.
    """
    ending = Path(path).suffix
    if ending not in _READERS:
        raise FileProblem(f"{path}: networks are not read from {ending!r} files; "
                          + nearest(ending, _READERS))  # fmt: skip
    reader = _READERS[ending]
    given = {name: value for name, value in said.items() if value is not None}
    known = list(inspect.signature(reader).parameters)[1:]
    for name in given:
        if name not in known:
            raise InvalidSetting(
                f"{name} = {shown(given[name])} is not allowed for {ending} files; "
                + nearest(name, known)
            )
    return reader(path, **given)


def imported(path: str | Path, task: Task | None = None, **said: Any) -> Run:
    """A run of a network from another framework's file, to be scored and analysed on a task.

    task None: the paper's flip-flop, of as many bits as the network has inputs; the spoiled last
    step is left out of scores. said: as in `load_network`. Raises as `load_network`;
    InvalidSetting when inputs or outputs are not as many as the task's.
    """
    network = load_network(path, **said)
    if task is None:
        if network.n_inputs != network.n_outputs:
            raise InvalidSetting(
                f"{path}: {network.n_inputs} inputs and {network.n_outputs} outputs; a flip-flop "
                "memory has as many outputs as inputs: say which task it is for"
            )
        task = FlipFlop.paper(bits=network.n_inputs, score_last_step=False)
    return imported_run(network, task, path)
