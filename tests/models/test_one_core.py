"""On one processor core nothing waits for itself.

JAX runs a program on one thread a device. A program that calls back to Python, whose answer needs
the device again, waits for ever where there is no second thread.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import attractory

TESTS = Path(__file__).resolve().parents[1]
BUILDS = """
import attractory as at
model = at.models.RateRNN(units=260, constraints=at.models.Constraints(excitatory=0.8))
for seed in range(8):
    model.build(3, 2, seed=seed)
"""
TRAINING = """
import numpy as np
import attractory as at
rules = at.models.Constraints(excitatory=0.8, density=0.5)
model = at.models.RateRNN(units=130, activation="relu", constraints=rules)
task = at.tasks.FlipFlop(bits=1, steps=60, first_onset=(5, 10), gaps=(5, 9), pulse=5, delay=5)
run = at.train(task, model, at.rules.BPTT(steps=4, batch=4), nets=3, progress=False)
assert np.isfinite(at.evaluate(run.networks, task, n=8).mse).all()
"""

needs_affinity = pytest.mark.skipif(
    not hasattr(os, "sched_setaffinity"), reason="this system cannot pin a process to a core"
)


def pinned(code: str, seconds: float) -> subprocess.CompletedProcess[str]:
    """Run Python code in a process that has one core before JAX is imported."""
    core = min(os.sched_getaffinity(0))
    first = f"import os; os.sched_setaffinity(0, {{{core}}})\n"
    path = os.pathsep.join(filter(None, [str(TESTS), os.environ.get("PYTHONPATH")]))
    return subprocess.run(
        [sys.executable, "-c", first + code],
        capture_output=True,
        text=True,
        timeout=seconds,
        env={**os.environ, "PYTHONPATH": path},
    )


@needs_affinity
def test_constrained_networks_are_built_on_one_core():
    done = pinned(BUILDS, seconds=120)
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
@needs_affinity
def test_constrained_networks_are_trained_and_scored_on_one_core():
    done = pinned(TRAINING, seconds=240)
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
@needs_affinity
def test_the_tests_of_constraints_pass_on_one_core():
    """A time limit for the whole: a deadlock shows as one."""
    file = TESTS / "models" / "test_constraints.py"
    code = f"import pytest, sys; sys.exit(pytest.main(['-p', 'no:cacheprovider', {str(file)!r}]))"
    done = pinned(code, seconds=500)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]


def test_nothing_in_the_package_calls_back_from_a_compiled_program():
    """Each of these hands device arrays to Python in the middle of a program."""
    forbidden = r"\b(pure_callback|io_callback|host_callback|debug\.(callback|print)|error_if)\b"
    package = Path(attractory.__file__).parent
    files = sorted(package.rglob("*.py"))
    assert len(files) > 50
    found = [file for file in files if re.search(forbidden, file.read_text(encoding="utf-8"))]
    assert found == []
