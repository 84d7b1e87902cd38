"""All networks of a run for another framework; a run of a network from any framework's file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from attractory import exchange
from attractory._arguments import optional, takes
from attractory._errors import InvalidSetting
from attractory._files import a_path, digest, read_bytes
from attractory.models import Network, check_meeting
from attractory.runs._run import Run, a_run
from attractory.tasks import Task, as_task, of_the_paper


@takes(run=a_run, folder=optional(a_path))
def export(
    run: Run, format: str = "keras", folder: str | Path | None = None, net: int | None = None
) -> list[Path]:
    """Write a run's networks for another framework.

    Parameters
    ----------
    run : Run
        Whose networks are written.
    format : str
        The name of one that is written ("keras", "torch" for a state dict as safetensors, "onnx",
        or one of your own; see `attractory.exchange`).
    folder : str or Path, optional
        `export` in the run's own when None.
    net : int, optional
        The index of the only network that is written; all when None.

    Returns
    -------
    list of Path
        The files, called network_0 and so on.

    Raises
    ------
    InvalidSetting
        For an unknown format or index and for networks that would compute something else there.
    FileProblem
        When a file cannot be written.
    """
    ending = exchange.named(format, "writes").endings[0]
    if folder is None and run.path is None:
        raise InvalidSetting("folder = None is not allowed: this run has no folder yet; name one")
    if net is not None and not 0 <= net < len(run.networks):
        raise InvalidSetting(f"net = {net} is not allowed: 0 to {len(run.networks) - 1}")
    place = Path(folder) if folder is not None else Path(str(run.path)) / "export"
    chosen = range(len(run.networks)) if net is None else [net]
    return [exchange.write(run.networks[i], place / f"network_{i}{ending}", format) for i in chosen]


@takes(task=optional(as_task))
def imported(
    path: str | Path, task: Task | None = None, format: str | None = None, **said: Any
) -> Run:
    """A run of a network from another framework's file, to be scored and analysed on a task.

    Parameters
    ----------
    path : str or Path
        The file.
    task : Task, optional
        None: the paper's flip-flop, of as many bits as the network has inputs; the spoiled last
        step is left out of scores.
    format : str, optional
        As in `attractory.exchange.read`.
    **said : object
        What the file does not say, as the settings of `attractory.exchange.read`.

    Returns
    -------
    Run
        A run of one network, in memory.

    Raises
    ------
    InvalidSetting
        When inputs or outputs are not as many as the task's, and as `attractory.exchange.read`.
    FileProblem
        As `attractory.exchange.read`.
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


def imported_run(network: Network, task: Task, file: str | Path) -> Run:
    """A run that holds one network from a file of another framework, to be analysed on a task."""
    for name in ("n_inputs", "n_outputs"):
        if getattr(network, name) != getattr(task, name):
            raise InvalidSetting(
                f"{file}: the network has {name} = {getattr(network, name)}, "
                f"the task {task.name} has {getattr(task, name)}; they must be equal"
            )
    check_meeting(network.model, task)
    # its file may not say how long its steps are: now it is said
    network = network.with_dt(task.dt)
    source = {"file": Path(file).name, "sha256": digest(read_bytes(Path(file)))}
    return Run(task, network.model, [network], source=source)
