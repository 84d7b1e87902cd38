"""Attractory: a population as `attractory.train` moves it, fresh trials at every step."""

from __future__ import annotations

import os
from typing import Any

import jax
import numpy as np

import attractory as at
from attractory.training._population import Population
from harness.machine import versions
from harness.work import Work

PAPER_STEPS = 340


class AttractoryPopulation:
    """All networks in one population; making the trials is part of the step.

    kernels: "native", or "jax" for those that need no compiler.
    """

    def __init__(self, kernels: str, precision: str, device: str) -> None:
        os.environ["ATTRACTORY_KERNELS"] = kernels
        if device == "cpu":
            at.use_cores()
        if jax.default_backend() != device:
            raise ValueError(f"JAX runs on {jax.default_backend()!r} here, not on {device!r}")
        self.precision, self.device = precision, device

    def prepare(self, work: Work) -> None:
        rule = at.rules.BPTT(
            optimizer="adam",
            learning_rate=1e-4,
            schedule="constant",
            warmup=0,
            clip=None,
            batch=work.batch,
            steps=1_000_000,  # no limit that the timing could reach
            precision=self.precision,
        )
        model = at.models.RateRNN(units=work.units)
        self.population = Population(_task(work), model, rule, work.networks, seed=0)
        self.state = self.population.initial_state()
        self.active = np.ones(work.networks, bool)
        self.step = 0

    def go(self, steps: int) -> None:
        for _ in range(steps):
            self.state, info = self.population.update(self.state, self.active, self.step)
            self.step += 1
        if not np.isfinite(info["loss"]).all():
            raise FloatingPointError(f"losses {info['loss']} after {self.step} steps")

    def about(self) -> dict[str, Any]:
        return {
            "versions": versions(("attractory", "jax", "jaxlib", "numpy")),
            "device_kind": jax.devices()[0].device_kind,
        }

    def device_memory(self) -> int | None:
        if self.device == "cpu":
            return None
        statistics = jax.devices()[0].memory_stats() or {}
        return statistics.get("peak_bytes_in_use")


def _task(work: Work) -> at.tasks.FlipFlop:
    """The paper's task where trials have its length, else a flip-flop of the length asked for."""
    if work.inputs != work.outputs:
        raise ValueError(f"a flip-flop has as many inputs ({work.inputs}) as outputs")
    if work.steps == PAPER_STEPS and work.inputs == 3:
        return at.tasks.FlipFlop.paper(score_last_step=False)
    latest = min(99, work.steps - 41)  # the first answer must fit into the trial
    return at.tasks.FlipFlop(
        bits=work.inputs, steps=work.steps, first_onset=(min(10, latest), latest)
    )
