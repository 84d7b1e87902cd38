"""Networks that other packages see the states of, and the packages' precision."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

import attractory as at
from attractory.models import Trajectory
from attractory.population import Subject

TASK = at.tasks.FlipFlop(bits=1, steps=40, first_onset=(5, 15), pulse=4, delay=4)


@pytest.fixture(scope="session")
def networks() -> list[Subject]:
    """Three networks of unequal sizes in 12 trials with noisy inputs."""
    trials = TASK.sample(12, seed=0)
    models = [at.models.RateRNN(units=units, recurrent_gain=1.3) for units in (12, 12, 15)]
    nets = [model.build(1, 1, seed=seed) for seed, model in enumerate(models)]
    return [Subject(net, TASK, trials) for net in nets]


def random_subject(seed: int, units: int) -> Subject:
    """States that are random, and of other variance along each direction."""
    rng = np.random.default_rng(seed)
    states = rng.normal(size=(6, 30, units)) @ rng.normal(size=(units, units))
    zeros = np.zeros((6, 30, 1))
    trials = at.tasks.Trials(zeros, zeros)
    net = at.models.RateRNN(units=units).build(1, 1)
    return Subject(net, None, trials, known=Trajectory(zeros, states, zeros, 1.0))


@pytest.fixture(scope="session")
def pairs(networks: list[Subject]) -> list[tuple[Subject, Subject]]:
    """Of random states and of networks; of equal and of unequal sizes."""
    random = [random_subject(seed, units) for seed, units in enumerate((12, 12, 14))]
    return [(made[i], made[j]) for made in (random, networks) for i, j in ((0, 1), (1, 2))]


@pytest.fixture
def torch_in_float64() -> Iterator[None]:
    """dsa-metric makes its arrays in torch's default precision, which is float32."""
    torch = pytest.importorskip("torch")
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(before)
