"""All networks of a run for another framework; a run of a network from any framework's file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from attractory import exchange
from attractory._errors import InvalidSetting
from attractory.runs._run import Run, imported_run
from attractory.tasks import Task, of_the_paper


def export(
    run: Run, format: str = "keras", folder: str | Path | None = None, net: int | None = None
) -> list[Path]:
    """Write a run's networks (or the one of index `net`) for another framework: their files.

    format: the name of one that is written ("keras", "torch" for a state dict as safetensors,
    "onnx", or one of your own; see `attractory.exchange`). folder: `export` in the run's own when
    None. Files are called network_0 and so on. Raises InvalidSetting for an unknown format or index
    and for networks that would compute something else there, FileProblem when a file cannot be
    written.
    """
    ending = exchange.named(format, "writes").endings[0]
    if folder is None and run.path is None:
        raise InvalidSetting("folder = None is not allowed: this run has no folder yet; name one")
    if net is not None and not 0 <= net < len(run.networks):
        raise InvalidSetting(f"net = {net} is not allowed: 0 to {len(run.networks) - 1}")
    place = Path(folder) if folder is not None else Path(str(run.path)) / "export"
    chosen = range(len(run.networks)) if net is None else [net]
    return [exchange.write(run.networks[i], place / f"network_{i}{ending}", format) for i in chosen]


def imported(
    path: str | Path, task: Task | None = None, format: str | None = None, **said: Any
) -> Run:
    """A run of a network from another framework's file, to be scored and analysed on a task.

    task None: the paper's flip-flop, of as many bits as the network has inputs; the spoiled last
    step is left out of scores. format, said: as in `attractory.exchange.read`. Raises as it does;
    InvalidSetting when inputs or outputs are not as many as the task's.
    """
    network = exchange.read(path, format, **said)
    if task is None:
        if network.n_inputs != network.n_outputs:
            raise InvalidSetting(
                f"{path}: {network.n_inputs} inputs and {network.n_outputs} outputs; a flip-flop "
                "memory has as many outputs as inputs: say which task it is for"
            )
        task = of_the_paper(bits=network.n_inputs, score_last_step=False)
    return imported_run(network, task, path)
