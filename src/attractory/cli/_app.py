"""The commands. Each parses, calls one public function, and prints."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from attractory._cores import use_cores
from attractory._errors import InvalidSetting, shown
from attractory.cli._ctrl_c import OF_RESULTS, OF_TRAINING, stopped_with
from attractory.cli._help import TrainCommand
from attractory.cli._tables import print_dynamics, print_frame, print_networks, table

if TYPE_CHECKING:
    from attractory.report import Study
    from attractory.runs import Run

app = typer.Typer(
    name="attractory",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
console = Console()
notes = Console(stderr=True)

Out = Annotated[Path, typer.Option("--out", help="Folder of the run.")]
Seed = Annotated[int, typer.Option(help="Seed of everything random.")]
Cores = Annotated[int | None, typer.Option(help="Processor cores to use (default: all).")]
FixedPoints = Annotated[
    bool, typer.Option("--fixed-points", help="All fixed points, proved, and their connections.")
]
AutomatonToo = Annotated[
    bool, typer.Option("--automaton", help="The network as a machine: every transition tested.")
]
Quick = Annotated[bool, typer.Option("--quick", help="Fewer starts, samples and steps for these.")]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="One setting, such as rule.steps=300."),
]
TaskSettings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="A setting of the task, such as task.dt=10."),
]
RunFolder = Annotated[Path, typer.Argument(metavar="RUN", help="Folder of a run.")]


@app.callback()
def parts(
    imports: Annotated[
        list[str] | None,
        typer.Option(
            "--import",
            metavar="FILE",
            help="A Python file, or a module, with parts of your own: run first. Commands on a run "
            "that was made with it find it again.",
        ),
    ] = None,
) -> None:
    """Train recurrent networks on neuroscience tasks, and open the black box."""
    _imports[:] = imports or []


_imports: list[str] = []  # files of this command line, run once the cores are chosen


def named_imports() -> list[str]:
    """The files and modules of this command line, files by their whole paths."""
    return [str(Path(n).absolute()) if n.endswith(".py") else n for n in _imports]


def begin(cores: int | None = None, compute: bool = True) -> None:
    """Before a command: the cores that it may use, and then the user's own parts."""
    if compute:  # cores are chosen before anything is computed, by a user's file, too
        use_cores(cores)
    if _imports:
        from attractory.runs import import_named

        for named in _imports:
            import_named(named)


def loaded(folder: Path) -> Run:
    """The run in a folder, once the parts of its user's own are known that can be."""
    from attractory.runs import import_parts_of, load

    left_out = import_parts_of(folder)
    run = load(folder)
    if left_out and not run.task.missing:  # which says it where it is missed
        _say(f"{folder} was made with {left_out}, too, not run here: --import FILE runs it")
    return run


@app.command()
def reproduce(
    preset: Annotated[
        str, typer.Option(help="fast: a better recipe; paper: the published protocol.")
    ] = "fast",
    nets: Annotated[int, typer.Option(help="Number of networks.")] = 4,
    units: Annotated[int, typer.Option(help="Units of each network.")] = 400,
    source: Annotated[
        Path | None,
        typer.Option("--from", metavar="FILE", help="Analyse this Keras network; train none."),
    ] = None,
    seed: Seed = 0,
    out: Out = Path("runs/reproduce"),
    cores: Cores = None,
) -> None:
    """The paper from one command: train the 3-bit memory, measure it, open it, show it.

    Example: attractory reproduce --nets 4 --out runs/reproduce
    """
    begin(cores)
    from attractory.reproduce import reproduce as run_all

    with stopped_with(OF_RESULTS):
        results = run_all(preset, nets, units, source, seed, out, say=_say)  # type: ignore[arg-type]
    print_networks(console, results)
    print_dynamics(console, results)
    console.print(f"report: {out / 'report.html'}", highlight=False, soft_wrap=True)


@app.command(cls=TrainCommand)
def train(
    task: Annotated[str | None, typer.Option(help="Name of the task.")] = None,
    config: Annotated[
        Path | None,
        typer.Option(
            help="YAML file with task, model, rule, curriculum, nets, seed, out, imports."
        ),
    ] = None,
    cell: Annotated[
        str | None, typer.Option(help="rate, lowrank, gru or lstm (default: rate).")
    ] = None,
    units: Annotated[int | None, typer.Option(help="Units of each network.")] = None,
    rule: Annotated[
        str | None, typer.Option(help="Name of a rule, such as force (default: the recipe's).")
    ] = None,
    dale: Annotated[
        float | None, typer.Option(help="Dale's law: the share of excitatory units, as 0.8.")
    ] = None,
    density: Annotated[
        float | None, typer.Option(help="Share of the recurrent connections that may be there.")
    ] = None,
    settings: Settings = None,
    nets: Annotated[int | None, typer.Option(help="Number of networks (default: 1).")] = None,
    seed: Annotated[int | None, typer.Option(help="Seed (default: 0).")] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder of the run (default: runs/TASK).")
    ] = None,
    cores: Cores = None,
) -> None:
    """Train networks on a task; repeated after an interruption, it goes on where it was.

    What is not given is the task's recipe (`attractory tasks NAME` shows it).

    Example: attractory train --task context_decision --cell gru --set task.sigma=2 --out runs/gru
    """
    begin(cores)
    from attractory.cli._config import read_config

    flags: dict[str, Any] = {"task": task, "nets": nets, "seed": seed, "out": out}
    flags |= {"model.name": cell, "model.units": units, "rule.name": rule}
    flags |= {"model.constraints.excitatory": dale, "model.constraints.density": density}
    asked = read_config(config, flags, settings or [])
    from attractory.training import train as train_networks

    with stopped_with(OF_TRAINING):
        run = train_networks(
            asked.task,
            asked.model,
            asked.rule,
            nets=asked.nets,
            seed=asked.seed,
            curriculum=asked.curriculum,
            path=asked.out,
        )
    rows = table("network", "status", "steps", "last loss")
    for row in run.status:
        losses = run.history[run.history["net"] == row["net"]]["loss"]
        rows.add_row(
            str(row["net"]), row["status"], str(row["step"]), f"{losses.tail(10).mean():.4f}"
        )
    console.print(rows)
    console.print(f"run: {run.path}", highlight=False, soft_wrap=True)


@app.command()
def evaluate(
    folder: RunFolder,
    trials: Annotated[int, typer.Option(help="Number of fresh trials.")] = 512,
    seed: Seed = 1,
    vary: Annotated[
        str | None, typer.Option(help="A setting of the task to vary: a robustness curve.")
    ] = None,
    values: Annotated[
        str | None, typer.Option(help="Its values, with commas between (default: the task's).")
    ] = None,
    cores: Cores = None,
) -> None:
    """Scores of a run's networks on fresh trials, or their robustness to one condition.

    Example: attractory evaluate runs/two --vary noise --values 0,0.2,0.4
    """
    begin(cores)
    from attractory import evaluation
    from attractory.cli._config import parsed_values

    run = loaded(folder)
    networks = list(run.networks)
    if vary is None:
        scores = evaluation.evaluate(networks, run.task, trials, seed).table()
    else:
        points = parsed_values(values, vary, run.task)
        scores = evaluation.robustness(networks, run.task, vary, points, trials, seed).table()
    print_frame(console, scores)


@app.command()
def analyze(
    folder: RunFolder,
    fixed_points: FixedPoints = False,
    automaton: AutomatonToo = False,
    quick: Quick = False,
    cores: Cores = None,
) -> None:
    """Weights, spectra, state space and robustness of a run: tables into RUN/analysis.

    Example: attractory analyze runs/two --fixed-points --automaton
    """
    begin(cores)
    with stopped_with(OF_RESULTS):
        results = _studied(loaded(folder), fixed_points, automaton, quick)
    results.save(folder / "analysis")
    print_networks(console, results)
    print_dynamics(console, results)
    console.print(f"tables: {folder / 'analysis'}", highlight=False, soft_wrap=True)


@app.command()
def report(
    folder: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="Of a run, of a sweep, or of a tuning.")
    ],
    out: Annotated[
        Path | None, typer.Option(help="The page (default: FOLDER/report.html).")
    ] = None,
    fixed_points: FixedPoints = False,
    automaton: AutomatonToo = False,
    quick: Quick = False,
    cores: Cores = None,
) -> None:
    """The page of a run, a sweep or a tuning, with all its figures; one file that works offline.

    Example: attractory report runs/two --fixed-points
    """
    begin(cores)
    from attractory.sweeps import open_study

    made = open_study(folder)
    if made is None:
        page = _report_of_run(folder, out, fixed_points, automaton, quick)
    elif fixed_points or automaton or quick:
        raise InvalidSetting(
            f"{folder}: --fixed-points, --automaton and --quick are for runs; this is a "
            f"{type(made).__name__.lower()}"
        )
    else:
        page = made.report(out)
    console.print(f"report: {page}", highlight=False, soft_wrap=True)


def _report_of_run(
    folder: Path, out: Path | None, fixed_points: bool, automaton: bool, quick: bool
) -> Path:
    from attractory.report import write

    run = loaded(folder)
    with stopped_with(OF_RESULTS):
        return write(run, out, _studied(run, fixed_points, automaton, quick))


@app.command("import")
def import_network(
    file: Annotated[
        Path,
        typer.Argument(help="Of Keras, PyTorch, PsychRNN, or a format of your own."),
    ],
    task: Annotated[
        str | None,
        typer.Option(help="What it is to be analysed on (default: the paper's flip-flop)."),
    ] = None,
    settings: TaskSettings = None,
    format: Annotated[
        str | None, typer.Option(help="Its format; without it the ending and the content decide.")
    ] = None,
    activation: Annotated[
        str | None, typer.Option(help="Of its units, where the file does not name it.")
    ] = None,
    recurrent_activation: Annotated[
        str | None,
        typer.Option(help="Of the gates of a Keras file: sigmoid, hard_sigmoid."),
    ] = None,
    reset_after: Annotated[
        bool | None,
        typer.Option(help="Of the GRU in a Keras file whose weights alone do not say it."),
    ] = None,
    say: Annotated[
        list[str] | None,
        typer.Option(metavar="KEY=VALUE", help="What else the file does not say, such as tau=100."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder of the run (default: runs/NAME).")
    ] = None,
) -> None:
    """Make a run of a network that was trained elsewhere, to be scored and analysed here.

    Example: attractory import weights.hdf5 --out runs/imported
    """
    begin(compute=False)
    from attractory.cli._config import said_settings, task_settings
    from attractory.runs import imported
    from attractory.tasks import get

    if settings and task is None:
        raise InvalidSetting(
            f"--set {shown(settings[0])} is a setting of a task: name it with --task"
        )
    asked = None if task is None else get(task, **task_settings(settings or []))
    flags = {
        "activation": activation,
        "recurrent_activation": recurrent_activation,
        "reset_after": reset_after,
    }
    run = imported(file, asked, format, **{**flags, **said_settings(say or [])})
    network = run.networks[0]
    folder = run.save(out or Path("runs") / file.stem)
    console.print(
        f"{type(network.model).__name__}, {network.units} units, {network.n_inputs} inputs, "
        f"{network.n_outputs} outputs\nrun: {folder}",
        highlight=False,
        soft_wrap=True,
    )


@app.command()
def export(
    folder: RunFolder,
    format: Annotated[
        str, typer.Option(help="Name of a format, such as keras, torch, onnx or one of your own.")
    ] = "keras",
    net: Annotated[int | None, typer.Option(help="Index of one network (default: all).")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder (default: RUN/export).")] = None,
) -> None:
    """Write a run's networks as files of another framework.

    Example: attractory export runs/two --format torch
    """
    begin(compute=False)
    from attractory import runs

    for file in runs.export(loaded(folder), format, out, net):
        console.print(str(file), highlight=False, soft_wrap=True)


def _say(message: str) -> None:
    notes.print(message, highlight=False, soft_wrap=True)


def _studied(run: Run, fixed_points: bool, automaton: bool, quick: bool) -> Study:
    """The study of a run; without a flag what was computed before is shown."""
    from attractory.report import Effort, study

    if run.task.missing and not (fixed_points or automaton):
        _say(f"trials, scores and states are left out: {run.task.missing}")
    effort = Effort.quick() if quick else Effort()
    return study(run, fixed_points=fixed_points or None, automaton=automaton or None, effort=effort)
