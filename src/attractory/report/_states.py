"""The states of every network of a run, and those of an untrained one beside them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from attractory import analysis
from attractory._cores import spread
from attractory._stored import stored
from attractory.evaluation import Responses
from attractory.models import Network, Trajectory
from attractory.runs import Run
from attractory.tasks import Trials, noise_seed

VISITS = 128  # trials in random order by whose visits memories are told from echoes


@stored
@dataclass(frozen=True)
class States:
    """What one network does in the first trial of the probe, and where its states are."""

    trajectory: Trajectory
    space: analysis.StateSpace
    principal: analysis.StateSpace
    cube: analysis.Hypercube | None


def all_states(run: Run, answers: Responses, asked: dict[str, Any]) -> tuple[list[States], States]:
    """Of each network, and the control beside them: what the same analysis says of a network that
    was not trained."""
    task, n, seed = asked["task"], asked["n"], asked["seed"]
    untrained = run.model.build(task.n_inputs, task.n_outputs, seed=seed)

    def look(net: int | None) -> States:
        network = untrained if net is None else run.networks[net]
        visits = answers.trials.first(VISITS) if n >= VISITS else task.sample(VISITS, seed)
        dimensions = min(3, run.model.state_size)
        return _states(
            network, task.probe(answers.trials), visits, dimensions, task.memory_bits, seed
        )

    def found(net: int | None) -> States:
        name = "states" if net is not None else "states of an untrained network"
        made: States = run.results.of(name, asked, partial(look, net), net)
        return made

    *states, control = spread(found, [*range(len(run.networks)), None])
    return states, control


def _states(
    network: Network, probe: Trials, visits: Trials, dimensions: int, bits: int, seed: int
) -> States:
    """One simulation of the probe for all of it; of the visits where there is a cube of `bits`.

    The cube is that of the memories on the walk, held apart on trials in random order.
    """
    path = network.simulate(probe.inputs, noise_seed(seed), precision="float64")
    space = analysis.state_space(path, probe, "svd", dimensions)
    principal = analysis.state_space(path, probe, "pca", dimensions)
    cube = None
    if 0 < bits <= dimensions:
        visited = analysis.state_space(network, visits, n=dimensions, seed=seed)
        cube = analysis.hypercube(space, visited)
    one = {name: getattr(path, name)[:1].copy() for name in ("inputs", "states", "outputs")}
    return States(replace(path, **one), space, principal, cube)
