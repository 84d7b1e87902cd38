"""The one loop: takes a task, a model and a rule, fills a run."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from attractory._arguments import instance_of, optional, takes
from attractory._cores import one_blas_thread
from attractory._errors import FileProblem
from attractory._files import as_path, json_digest
from attractory._settings import as_json
from attractory.kernels import native, to_compile
from attractory.models import Model, Network
from attractory.rules import Rule
from attractory.runs import (
    CHECKPOINTS,
    Claim,
    Run,
    claim_folder,
    given_functions,
    load,
    own_manifest,
    run_config,
    tidy_up,
    write_manifest,
    write_weights,
)
from attractory.tasks import Task, as_task
from attractory.training._arguments import (
    OnCheck,
    a_function,
    checked_arguments,
    checked_stages,
    network_indices,
)
from attractory.training._checkpoint import (
    NAME,
    Checkpoint,
    check_host,
    read_checkpoint,
    write_checkpoint,
)
from attractory.training._course import STAGE, Course, Ended
from attractory.training._curriculum import Curriculum, Stage
from attractory.training._divergence import DivergenceWatch
from attractory.training._history import History
from attractory.training._interrupt import InterruptRequest
from attractory.training._measures import radii, radius_due, silent_loss
from attractory.training._programs import PopulationState
from attractory.training._progress import TrainingProgress
from attractory.training._rows import (
    answers,
    finish,
    first_rows,
    note_divergences,
    note_stage,
)
from attractory.training._start import Start

CHECKPOINT_SECONDS = 20.0


@takes(
    task=as_task,
    curriculum=optional(instance_of(Curriculum)),
    on_check=optional(a_function),
)
def train(
    task: Task,
    model: Model | None = None,
    rule: Rule | None = None,
    *,
    nets: int | range = 1,
    seed: int = 0,
    start: Run | Network | Sequence[Network] | None = None,
    curriculum: Curriculum | None = None,
    path: str | Path | None = None,
    progress: bool = True,
    on_check: OnCheck | None = None,
) -> Run:
    """Train networks of a model on a task by a rule; what is not given is the task's `recipe`.

    `nets` networks are trained together; each has its own initial weights, trials and noise, and
    what becomes of it depends on the seed and its index alone: bit for bit the same on any number
    of cores. Ctrl-C and SIGTERM stop after the current update, with a checkpoint.

    A network that diverges is noted in its row of `run.status` and dealt with as the rule says
    (`on_divergence`); the others are not affected.

    Parameters
    ----------
    task : Task
        What the networks learn.
    model : Model, optional
        What they are. A model that never said its dt takes the task's (with a tau of one step where
        it said none); one that says another dt is refused: tau would mean another time than it
        says.
    rule : Rule, optional
        How they learn.
    nets : int or range
        Number of networks; or the indices of some of them, as range(4, 8): these four are what they
        are among the networks of `nets=8`, and `Run.join` makes one run of such parts.
    seed : int
        What all random numbers follow from.
    start : Run, Network or sequence of Network, optional
        Networks to begin with, of this task or one with as many inputs and outputs (fine-tuning):
        one for any number of `nets`, of several each is trained once.
    curriculum : Curriculum, optional
        Tasks that the networks are trained on before this one.
    path : str or Path, optional
        A folder in which the run is kept: interrupted at any moment, the same call goes on from the
        last checkpoint and ends with the same weights, bit for bit; finished, it is loaded.
    progress : bool
        Whether to show how far it is.
    on_check : callable, optional
        Called at each check of a rule with validation trials, with the step and the validation
        losses (net,), NaN of networks that have ended. What it raises ends the training.

    Returns
    -------
    Run
        The networks, and what happened in their training.

    Raises
    ------
    InvalidSetting
        For arguments of the wrong kind, or for more than fits into memory.
    FileProblem
        When the folder belongs to another run, when another process works on it, or when it cannot
        be written.
    KeyboardInterrupt
        After Ctrl-C or SIGTERM.
    """
    indices = network_indices(nets, start)
    asked = (task, model, rule, len(indices), seed, start)
    model, rule, number, seed, begun = checked_arguments(*asked)
    stages = checked_stages(curriculum, task, model, rule, number)
    described = [stage.to_json() for stage in stages]
    what = (task, model, rule, number, seed)
    config = run_config(*what, None, begun.sha256, described, indices.start)
    if path is None:
        return _Training(*what, begun, stages, config).go(progress, on_check)
    folder = as_path(path)
    found = own_manifest(folder, config)  # a finished run may lie where nothing can be written
    if found is not None and found["status"] == "finished":
        tidy_up(folder, config)
        return load(folder, **given_functions(task, model, rule))
    with claim_folder(folder, config) as claim:
        if claim.manifest is not None and claim.manifest["status"] == "finished":
            return load(folder, **given_functions(task, model, rule))
        return _Training(*what, begun, stages, config, folder, claim).go(progress, on_check)


class _Training:
    """A population on its way, and all that a checkpoint must hold."""

    @one_blas_thread  # initial weights come from decompositions: the same on any number of cores
    def __init__(
        self,
        task: Task,
        model: Model,
        rule: Rule,
        nets: int,
        seed: int,
        begun: Start,
        stages: tuple[Stage, ...],
        config: dict[str, Any],
        folder: Path | None = None,
        claim: Claim | None = None,
    ) -> None:
        self.task, self.model, self.rule, self.nets, self.seed = task, model, rule, nets, seed
        self.folder, self.claim, self.config = folder, claim, config
        self.identity = json_digest(as_json(config))  # whose a checkpoint is
        first = config.get("first", 0)
        self.course = Course(task, stages, model, rule, nets, seed, first)
        self.population = self.course.populations[-1]
        with ThreadPoolExecutor(1) as pool:  # each compiles for a second, and one thread compiles
            losses = [pool.submit(silent_loss, t, rule.loss_function) for t in self.course.tasks]
            self.state = self.good = self.best = self.population.initial_state(begun.weights)
        self.silent_losses = np.array([loss.result() for loss in losses])
        self.watch = DivergenceWatch(nets, self._silent_loss())
        self.history = History(nets)
        self.step = 0
        self.seconds = 0.0
        self.active = np.ones(nets, bool)
        self.best_validation = np.full(nets, np.inf)
        self.checks_without_better = np.zeros(nets, int)
        self.rows = first_rows(nets, seed, first)
        self.kept: dict[str, str] = {}  # SHA-256 of the weights of checks, by their files
        self._restore()

    @one_blas_thread
    def go(self, progress: bool, on_check: OnCheck | None = None) -> Run:
        """Train to the end, or to an interruption; the run, written where it has a folder."""
        self.on_check = on_check
        self._write_manifest()
        before = self.seconds
        with (
            TrainingProgress(self.rule.n_steps, self.step, progress) as self.progress,
            InterruptRequest() as interrupt,
        ):
            remark = self.rule.remark(self.model)
            if remark is not None:
                self.progress.say(remark)
            self._compile()
            began = last_checkpoint = time.monotonic()
            while self.step < self.rule.n_steps and self.active.any():
                self._advance()
                self.seconds = before + time.monotonic() - began
                self.history.seconds[-1] = self.seconds
                if interrupt.requested:
                    self._checkpoint()
                    raise KeyboardInterrupt
                if time.monotonic() - last_checkpoint > CHECKPOINT_SECONDS:
                    self._checkpoint()
                    last_checkpoint = time.monotonic()
        finish(self.rows, self.active, self.watch.forgotten(), self.step)
        self._checkpoint()
        run = self._run()
        if self.folder is not None:
            run.write(self.folder, self.kept)
        return run

    def _compile(self) -> None:
        """Before the first update, so that the time of compiling is told apart from training."""
        if to_compile():
            self.progress.say("compiling the kernels for this machine, once: about ten seconds")
        began = time.monotonic()
        self.course.compile(self.state)
        seconds = time.monotonic() - began
        self.progress.say(f"compiled in {seconds:.1f} s; kernels: {native()}")

    def _run(self) -> Run:
        """The run as it stands."""
        weights, report = self.population.finished(self.state)
        networks = [
            Network(self.model, {n: np.asarray(w[i]) for n, w in weights.items()})
            for i in range(self.nets)
        ]
        return Run(
            self.task,
            self.model,
            networks,
            self.rows,
            self.rule,
            self.seed,
            self.history.table().astype({STAGE: int} if self.course.stages else {}),
            start=self.config.get("start"),
            rule_report={name: np.asarray(array) for name, array in report.items()},
            curriculum=self.config.get("curriculum", ()),
            first=self.config.get("first", 0),
        )

    def _advance(self) -> None:
        """One update of all active networks, and what follows from it."""
        self.state, info = self.course.update(self.state, self.active, self.step)
        self.history.add(self.active, info, self.rule.rate(self.step))
        self.step += 1
        losses = info["loss"]
        diverged = self.watch.see(losses, self.active)
        if diverged.any():
            self._answer_divergence(diverged, losses)
        elif self.step % 10 == 0:
            good = self.watch.good() & self.active
            self.good = self.population.choose(good, self.state, self.good)
        is_check = self.step % self.rule.check_interval == 0 or self.step == self.rule.n_steps
        if is_check:
            self._check()
        ended = self.course.ended(self.state, self.active, self.step, is_check)
        if ended:
            self._begin_stages(ended, losses)
        if radius_due(self.model, self.rule, self.step):
            self.history.radius(radii(self.model, self.state.weights, self.active))
        self.progress.show(self.step, float(np.median(losses)))

    def _begin_stages(self, ended: list[Ended], losses: np.ndarray) -> None:
        """Note which networks have gone on; what they do from now on is judged anew."""
        for end in ended:
            note_stage(self.rows[end.net], self.step, float(losses[end.net]), end)
            self.progress.say(f"network {end.net} ended stage {end.number} at step {self.step}")
        moved = np.isin(np.arange(self.nets), [end.net for end in ended])
        self.good = self.population.choose(moved, self.state, self.good)
        self.watch.forget(moved, best_too=True)
        self.watch.silent_loss = self._silent_loss()
        self._write_manifest()

    def _silent_loss(self) -> float | np.ndarray:
        """What silence costs each network at its stage; one number without stages."""
        each: np.ndarray = self.silent_losses[self.course.stage]
        return each if self.course.stages else float(each[0])

    def _answer_divergence(self, diverged: np.ndarray, losses: np.ndarray) -> None:
        """Note it, and go back, stop or go on as the rule says."""
        stop, retry = answers(self.rule.on_divergence, diverged, losses, self.rows)
        lines = note_divergences(self.rows, self.step, losses, diverged, stop, retry)
        for line in lines:
            self.progress.say(line)
        halved = self.population.slowed(self.good, np.where(retry, 0.5, 1.0))
        self.good = self.population.choose(retry, halved, self.good)
        self.state = self.population.choose(retry | stop, self.good, self.state)
        self.watch.forget(diverged, best_too=self.rule.on_divergence == "continue")
        self.active = self.active & ~stop
        self._write_manifest()

    def _check(self) -> None:
        """Validation, early stopping, and the weights of this check where they are kept."""
        stop = np.zeros(self.nets, bool)
        if self.rule.validation:
            validation = self.population.validate(self.state)
            self.history.validated(np.where(self.active, validation, np.nan))
            if self.on_check is not None:
                self.on_check(self.step, self.history.validation_loss[-1].copy())
            stop |= self._out_of_patience(validation)
        if self.rule.stop_below is not None:
            mean = self.history.mean_loss(self.rule.check_interval)
            # the losses of the task itself, not of a stage before it
            counted = self.course.updates >= min(self.rule.check_interval, self.step)
            stop |= self.active & self.course.at_last & counted & (mean < self.rule.stop_below)
        for net in np.flatnonzero(stop & self.active):
            self.rows[net].update(status="stopped early", step=self.step)
        self.active = self.active & ~stop
        if self.rule.keep_checks and self.folder is not None:
            check = -(-self.step // self.rule.check_interval)
            name = f"{CHECKPOINTS}/weights-{check:02d}.safetensors"
            weights = {n: np.asarray(w) for n, w in self.state.weights.items()}
            self.kept[name] = write_weights(self.folder / name, weights)

    def _out_of_patience(self, validation: np.ndarray) -> np.ndarray:
        if self.rule.patience is None:
            return np.zeros(self.nets, bool)
        judged = self.course.at_last
        better = self.active & judged & (validation < self.best_validation)
        self.best_validation = np.where(better, validation, self.best_validation)
        self.checks_without_better = np.where(better, 0, self.checks_without_better + judged)
        self.best = self.population.choose(better, self.state, self.best)
        spent = self.active & (self.checks_without_better >= self.rule.patience)
        self.state = self.population.choose(spent, self.best, self.state)
        return spent

    def _write_manifest(self) -> None:
        if self.folder is not None:
            write_manifest(self.folder, self.config, "running", self.rows)

    def _checkpoint(self) -> None:
        if self.folder is None or self.claim is None:
            return
        self.claim.lock.touch()
        host = {
            "step": self.step,
            "seconds": self.seconds,
            "active": self.active.tolist(),
            "best_validation": self.best_validation.tolist(),
            "checks_without_better": self.checks_without_better.tolist(),
            "rows": self.rows,
            "watch": self.watch.to_json(),
            "kept": self.kept,
            **self.course.to_json(),
        }
        checkpoint = Checkpoint(self._states(), self.history.arrays(), as_json(host))
        try:
            write_checkpoint(self.folder / CHECKPOINTS, self.identity, checkpoint)
        except FileProblem as problem:
            raise FileProblem(
                f"{problem}; training stopped at step {self.step}: what was written before is "
                "whole, and the same command goes on from there"
            ) from None

    def _restore(self) -> None:
        """Go back to the newest checkpoint, where there is one."""
        if self.folder is None or self.claim is None:
            return
        manifest = self.claim.manifest
        place = self.folder / CHECKPOINTS
        may_be_unsigned = manifest is not None and manifest["schema"] == 1
        found = read_checkpoint(place, self.identity, self._states(), may_be_unsigned)
        if found is None:
            return
        self.history = History.from_arrays(found.records, self.nets, str(place / NAME))
        host = found.host
        check_host(host, self.nets, len(self.history.loss), place / NAME)
        self.state, self.good, self.best = (found.tree[n] for n in ("state", "good", "best"))
        self.step, self.seconds, self.rows = host["step"], host["seconds"], host["rows"]
        self.active = np.array(host["active"])
        self.best_validation = np.array(host["best_validation"], float)
        self.checks_without_better = np.array(host["checks_without_better"])
        self.watch = DivergenceWatch.from_json(host["watch"])
        self.course.goes_on(host, self.step)
        self.kept = host.get("kept", {})
        if not found.signed:  # before the manifest says that checkpoints are
            self._checkpoint()

    def _states(self) -> dict[str, PopulationState]:
        return {"state": self.state, "good": self.good, "best": self.best}
