"""The one loop: takes a task, a model and a rule, fills a run."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from attractory._errors import FileProblem, InvalidSetting, whole_number
from attractory._machine import one_blas_thread
from attractory.kernels import native, to_compile
from attractory.models import Model, Network, Weights, in_steps_of
from attractory.rules import BPTT
from attractory.runs import (
    CHECKPOINTS,
    Run,
    claim_folder,
    load,
    run_config,
    write_manifest,
    write_weights,
)
from attractory.tasks import Task
from attractory.training._checkpoint import read_checkpoint, write_checkpoint
from attractory.training._divergence import DivergenceWatch
from attractory.training._history import History
from attractory.training._interrupt import InterruptRequest
from attractory.training._population import Population, PopulationState
from attractory.training._progress import TrainingProgress
from attractory.training._recipe import recipe, rule_for

CHECKPOINT_SECONDS = 20.0
MOST_RETRIES = 3
SMALL = 128  # units whose eigenvalues take no more than an update


def train(
    task: Task,
    model: Model | None = None,
    rule: BPTT | None = None,
    *,
    nets: int = 1,
    seed: int = 0,
    path: str | Path | None = None,
    progress: bool = True,
) -> Run:
    """Train networks of a model on a task by a rule; what is not given is the task's `recipe`.

    A model that never said its dt takes the task's (with a tau of one step where it said none);
    one that says another dt is refused: tau would mean another time than it says.

    `nets` networks are trained together; each has its own initial weights, trials and noise, which
    depend on the seed and its index alone. With a path the run is kept there: interrupted at any
    moment, the same call goes on from the last checkpoint and ends with the same weights, bit for
    bit; finished, it is loaded. Ctrl-C stops after the current update, with a checkpoint.

    A network that diverges is noted in its row of `run.status` and dealt with as the rule says
    (`on_divergence`); the others are not affected.

    Raises InvalidSetting for arguments of the wrong kind; FileProblem when the folder belongs to
    another run or cannot be written; KeyboardInterrupt after Ctrl-C.
    """
    model, rule = _checked_arguments(task, model, rule, nets)
    config = run_config(task, model, rule, nets, seed)
    folder = None if path is None else Path(path)
    if folder is not None:
        manifest = claim_folder(folder, config)
        if manifest is not None and manifest["status"] == "finished":
            return load(folder, **_functions(model))
    training = _Training(task, model, rule, nets, seed, folder)
    training.go(progress)
    run = training.run()
    if folder is not None:
        run.save(folder)
    return run


class _Training:
    """A population on its way, and all that a checkpoint must hold."""

    def __init__(
        self,
        task: Task,
        model: Model,
        rule: BPTT,
        nets: int,
        seed: int,
        folder: Path | None,
    ) -> None:
        self.task, self.model, self.rule, self.nets, self.seed = task, model, rule, nets, seed
        self.folder = folder
        self.population = Population(task, model, rule, nets, seed)
        with ThreadPoolExecutor(1) as pool:  # each compiles for a second, and one thread compiles
            silent_loss = pool.submit(_silent_loss, task)
            self.state = self.good = self.best = self.population.initial_state()
        self.watch = DivergenceWatch(nets, silent_loss.result())
        self.history = History(nets)
        self.step = 0
        self.seconds = 0.0
        self.active = np.ones(nets, bool)
        self.best_validation = np.full(nets, np.inf)
        self.checks_without_better = np.zeros(nets, int)
        self.rows: list[dict[str, Any]] = [
            {"net": net, "seed": [seed, net], "status": "training", "step": 0, "events": []}
            for net in range(nets)
        ]
        self._restore()

    @one_blas_thread
    def go(self, progress: bool) -> None:
        """Train to the end, or to an interruption."""
        self._write_manifest()
        before = self.seconds
        with (
            TrainingProgress(self.rule.n_steps, self.step, progress) as self.progress,
            InterruptRequest() as interrupt,
        ):
            self._say_precision()
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
        self._finish()
        self._checkpoint()

    def _compile(self) -> None:
        """Before the first update, so that the time of compiling is told apart from training."""
        if to_compile():
            self.progress.say("compiling the kernels for this machine, once: about ten seconds")
        began = time.monotonic()
        self.population.compile(self.state)
        seconds = time.monotonic() - began
        self.progress.say(f"compiled in {seconds:.1f} s; kernels: {native()}")

    def _say_precision(self) -> None:
        if self.rule.precision == "bfloat16":
            reason = self.model.bfloat16_missing()
            if reason:
                self.progress.say(f"precision = 'bfloat16': {reason}; training in float32")

    def run(self) -> Run:
        """The finished run."""
        networks = [
            Network(self.model, {n: np.asarray(w[i]) for n, w in self.state.weights.items()})
            for i in range(self.nets)
        ]
        return Run(
            self.task,
            self.model,
            networks,
            self.rows,
            self.rule,
            self.seed,
            self.history.table(),
        )

    def _advance(self) -> None:
        """One update of all active networks, and what follows from it."""
        self.state, losses, norms = self.population.update(self.state, self.active, self.step)
        rate = self.rule.rate(self.step)
        self.history.add(self.active, losses, norms, rate)
        self.step += 1
        diverged = self.watch.see(losses, norms, self.active)
        if diverged.any():
            self._answer_divergence(diverged, losses)
        elif self.step % 10 == 0:
            good = self.watch.good() & self.active
            self.good = self.population.choose(good, self.state, self.good)
        if self.step % self.rule.check_interval == 0 or self.step == self.rule.n_steps:
            self._check()
        if self._radius_due():
            self.history.radius(self._radii())
        self.progress.show(self.step, float(np.median(losses)))

    def _answer_divergence(self, diverged: np.ndarray, losses: np.ndarray) -> None:
        """Note it, and go back, stop or go on as the rule says."""
        finite = np.isfinite(losses)
        if self.rule.on_divergence == "continue":
            stop = diverged & ~finite
        elif self.rule.on_divergence == "stop":
            stop = diverged
        else:
            spent = np.array([len(row["events"]) >= MOST_RETRIES for row in self.rows])
            stop = diverged & spent
        retry = diverged & ~stop if self.rule.on_divergence == "retry" else np.zeros_like(stop)
        self._note_divergence(diverged, losses, stop, retry)
        halved = self.population.slowed(self.good, np.where(retry, 0.5, 1.0))
        self.good = self.population.choose(retry, halved, self.good)
        self.state = self.population.choose(retry | stop, self.good, self.state)
        self.watch.forget(diverged, best_too=self.rule.on_divergence == "continue")
        self.active = self.active & ~stop
        self._write_manifest()

    def _note_divergence(
        self, diverged: np.ndarray, losses: np.ndarray, stop: np.ndarray, retry: np.ndarray
    ) -> None:
        for net in np.flatnonzero(diverged):
            action = "stopped" if stop[net] else "half the rate" if retry[net] else "continued"
            loss = float(losses[net])
            event = {"step": self.step, "loss": loss if np.isfinite(loss) else str(loss)}
            row = self.rows[net]
            row["events"].append({**event, "what": "diverged", "action": action})
            if not retry[net]:
                row.update(status="diverged", step=self.step)
            self.progress.say(
                f"network {net} diverged at step {self.step} (loss {loss:.3g}): {action}"
            )

    def _check(self) -> None:
        """Validation, early stopping, and the weights of this check where they are kept."""
        stop = np.zeros(self.nets, bool)
        if self.rule.validation:
            validation = self.population.validate(self.state)
            self.history.validated(np.where(self.active, validation, np.nan))
            stop |= self._out_of_patience(validation)
        if self.rule.stop_below is not None:
            mean = self.history.mean_loss(self.rule.check_interval)
            stop |= self.active & (mean < self.rule.stop_below)
        for net in np.flatnonzero(stop & self.active):
            self.rows[net].update(status="stopped early", step=self.step)
        self.active = self.active & ~stop
        if self.rule.keep_checks and self.folder is not None:
            check = -(-self.step // self.rule.check_interval)
            file = self.folder / CHECKPOINTS / f"weights-{check:02d}.safetensors"
            write_weights(file, {n: np.asarray(w) for n, w in self.state.weights.items()})

    def _radius_due(self) -> bool:
        """Whether spectral radii are measured now: after the first update, and at checks.

        At all of them where there is a validation too or networks are small, else at three: the
        eigenvalues of 400 units take as long as several updates.
        """
        if self.step == 1 or self.step == self.rule.n_steps:
            return True
        checks = -(-self.rule.n_steps // self.rule.check_interval)
        cheap = self.rule.validation > 0 or self.model.units <= SMALL
        every = 1 if cheap else max(1, checks // 3)
        return self.step % (every * self.rule.check_interval) == 0

    def _radii(self) -> np.ndarray:
        """Spectral radius of each network's recurrent weights, (net,)."""
        weights = {name: np.asarray(w) for name, w in self.state.weights.items()}
        return np.array(
            [
                spectral_radius(self.model, {n: w[net] for n, w in weights.items()})
                if self.active[net]
                else np.nan
                for net in range(self.nets)
            ]
        )

    def _out_of_patience(self, validation: np.ndarray) -> np.ndarray:
        if self.rule.patience is None:
            return np.zeros(self.nets, bool)
        better = self.active & (validation < self.best_validation)
        self.best_validation = np.where(better, validation, self.best_validation)
        self.checks_without_better = np.where(better, 0, self.checks_without_better + 1)
        self.best = self.population.choose(better, self.state, self.best)
        spent = self.active & (self.checks_without_better >= self.rule.patience)
        self.state = self.population.choose(spent, self.best, self.state)
        return spent

    def _finish(self) -> None:
        forgotten = self.watch.forgotten()
        for net, row in enumerate(self.rows):
            if row["status"] == "training" or (row["status"] == "diverged" and self.active[net]):
                row["status"] = "diverged" if forgotten[net] and row["events"] else "finished"
                row["step"] = self.step

    def _write_manifest(self) -> None:
        if self.folder is not None:
            config = run_config(self.task, self.model, self.rule, self.nets, self.seed)
            write_manifest(self.folder, config, "running", self.rows)

    def _checkpoint(self) -> None:
        if self.folder is None:
            return
        host = {
            "step": self.step,
            "seconds": self.seconds,
            "active": self.active.tolist(),
            "best_validation": self.best_validation.tolist(),
            "checks_without_better": self.checks_without_better.tolist(),
            "rows": self.rows,
            "watch": self.watch.to_json(),
        }
        try:
            write_checkpoint(self.folder / CHECKPOINTS, self._states(), self.history.arrays(), host)
        except FileProblem as problem:
            raise FileProblem(
                f"{problem}; training stopped at step {self.step}: what was written before is "
                "whole, and the same command goes on from there"
            ) from None

    def _restore(self) -> None:
        found = self.folder and read_checkpoint(self.folder / CHECKPOINTS, self._states())
        if not found:
            return
        states, history, host = found
        self.state, self.good, self.best = states["state"], states["good"], states["best"]
        self.history = History.from_arrays(history)
        self.step, self.seconds, self.rows = host["step"], host["seconds"], host["rows"]
        self.active = np.array(host["active"])
        self.best_validation = np.array(host["best_validation"])
        self.checks_without_better = np.array(host["checks_without_better"])
        self.watch = DivergenceWatch.from_json(host["watch"])

    def _states(self) -> dict[str, PopulationState]:
        return {"state": self.state, "good": self.good, "best": self.best}


def _functions(model: Model) -> dict[str, Any]:
    """The functions among a model's settings, which a run's folder does not hold."""
    values = {name: getattr(model, name) for name in type(model).model_fields}
    return {name: value for name, value in values.items() if callable(value)}


def spectral_radius(model: Model, weights: Weights) -> float:
    """Of the recurrent weights; NaN for a model without one square matrix, or of no finite one."""
    matrix = model.square_recurrent_weights(weights)
    if matrix is None or not np.isfinite(matrix).all():
        return np.nan
    return float(np.abs(np.linalg.eigvals(np.asarray(matrix, np.float64))).max())


def _silent_loss(task: Task) -> float:
    """What a network that always says 0 would lose."""
    trials = task.sample(64, seed=0)
    return float((trials.mask * trials.targets**2).sum() / max(trials.mask.sum(), 1e-12))


def _checked_arguments(task: Any, model: Any, rule: Any, nets: Any) -> tuple[Model, BPTT]:
    """Model and rule, those of the task's recipe where they are None."""
    _check_kind("task", task, Task)
    model = recipe(task).model if model is None else model
    _check_kind("model", model, Model)
    model = in_steps_of(model, task.dt, task.name)
    rule = rule_for(task, model) if rule is None else rule
    _check_kind("rule", rule, BPTT)
    whole_number("nets", nets)
    task.n_inputs  # noqa: B018  a task whose trial is malformed is reported before any work
    return model, rule


def _check_kind(name: str, value: Any, kind: type) -> None:
    if not isinstance(value, kind):
        hint = f"; did you mean {value.__name__}()?" if isinstance(value, type) else ""
        raise InvalidSetting(
            f"{name} = {value!r} is not allowed: a {kind.__name__} is needed{hint}"
        )
