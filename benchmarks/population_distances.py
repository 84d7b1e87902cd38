"""How long the distances of 24 networks take, here and by the field's own packages.

Both get the same states of the same networks and give the same numbers: from the states to the
distances of all pairs, in one process, in turn, warm, with one thread each, as in `compare`; times
are seconds of the processor, which other work on the machine does not count in.
netrep is on no package registry: its Procrustes distance is timed by the operations of its code.
Writes the table of docs/populations-distances.md.

    python benchmarks/population_distances.py [--quick] [--results FOLDER]

It is run by an environment that has these packages, which `make oracles` installs.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import rsatoolbox
import torch
from DSA import DSA

import attractory as at
from attractory._cores import one_blas_thread
from attractory.models import Trajectory
from attractory.population import Subject, find_distance
from attractory.population._pairs import distances_of, every_pair
from attractory.population.distances._vector_fields import COMPONENTS, DELAYS, RANK
from harness import Options, ratios, spread, write_results
from harness.machine import versions

PAGE = Path(__file__).resolve().parents[1] / "docs" / "populations-distances.md"
BEGIN = "<!-- times: made by benchmarks/population_distances.py -->"
END = "<!-- end of times -->"
PACKAGES = ("rsatoolbox", "dsa-metric", "POT", "torch", "scikit-learn")
TASK = at.tasks.FlipFlop()
SIZES = (64, 100)  # units: half of the networks each
UPDATES = 100  # of training: most of the error is gone, and states are no longer random
TRIALS = 64
States = list[np.ndarray]  # of each network, (sample, unit) or (trial, time, unit)


class Case(NamedTuple):
    """A distance, and who else measures it.

    samples: of each network; None: whole trials. networks: how many, from the first.
    """

    distance: str
    peer: str
    theirs: Callable[[States], np.ndarray]
    samples: int | None = None
    networks: int = 24


def by_netrep(states: States) -> np.ndarray:
    """LinearMetric(alpha=1).fit_score(x, y) of each pair."""
    return np.array([_linear_metric(states[i], states[j]) for i, j in every_pair(len(states))])


def _linear_metric(x: np.ndarray, y: np.ndarray) -> float:
    units = max(x.shape[1], y.shape[1])
    x, y = (np.pad(each, ((0, 0), (0, units - each.shape[1]))) for each in (x, y))
    means = x.mean(axis=0), y.mean(axis=0)
    left, _, right = np.linalg.svd((x - means[0]).T @ (y - means[1]))
    x, y = (x - means[0]) @ left, (y - means[1]) @ right.T
    cosine = x.ravel() @ y.ravel() / (np.linalg.norm(x.ravel()) * np.linalg.norm(y.ravel()))
    return float(np.arccos(np.clip(cosine, -1, 1)))


def _similarities(states: States, comparison: str) -> np.ndarray:
    """rsatoolbox's of each pair, between squared Euclidean distances of all samples."""
    rdms = rsatoolbox.rdm.calc_rdm([rsatoolbox.data.Dataset(each) for each in states])
    found = rsatoolbox.rdm.compare(rdms, rdms, method=comparison)
    return np.array([found[i, j] for i, j in every_pair(len(states))])


def rsa_by_rsatoolbox(states: States) -> np.ndarray:
    return 1 - _similarities(states, "spearman")


def cka_by_rsatoolbox(states: States) -> np.ndarray:
    """Its cosine after whitening is linear CKA."""
    return np.arccos(np.clip(_similarities(states, "cosine_cov"), -1, 1))


def by_dsa_metric(states: States) -> np.ndarray:
    """With the delays, the rank and the score that are used here, and its own 1500 steps."""
    settings = {"n_delays": DELAYS, "rank": RANK, "score_method": "angular"}
    found = DSA([_components(each) for each in states], **settings).fit_score()
    return np.array([found[i, j] for i, j in every_pair(len(states))])


def _components(states: np.ndarray) -> np.ndarray:
    """The states along their leading principal components, which it leaves to the user."""
    flat = states.reshape(-1, states.shape[-1])
    centred = flat - flat.mean(axis=0)
    directions = np.linalg.eigh(centred.T @ centred)[1][:, ::-1][:, :COMPONENTS]
    return (centred @ directions).reshape(*states.shape[:-1], -1)


CASES = {
    "procrustes": Case("procrustes", "netrep's LinearMetric", by_netrep, 4096),
    "cka": Case("cka", "rsatoolbox", cka_by_rsatoolbox, 1024),
    "cka, few samples": Case("cka", "rsatoolbox", cka_by_rsatoolbox, 256),
    "rsa": Case("rsa", "rsatoolbox", rsa_by_rsatoolbox, 256),
    "dsa": Case("dsa", "dsa-metric", by_dsa_metric, networks=3),
}


def main() -> None:
    options = Options.parse(__doc__ or "")
    rounds = 1 if options.quick else 5
    networks = trained(4 if options.quick else 24, 2 if options.quick else UPDATES)
    found = {}
    for name, case in CASES.items():
        found[name] = timed(case, networks[: case.networks], rounds)
        print(row(name, found[name]), flush=True)
    about = {"versions_of_peers": versions(PACKAGES), "load": os.getloadavg()[0]}
    write_results("population_distances", {**about, "cases": found}, options.results)
    if not options.quick:
        write_page(found)


def trained(count: int, updates: int) -> States:
    """States (trial, time, unit) of so many networks of two sizes in the same trials, in turn."""
    trials = TASK.sample(TRIALS, seed=0)
    by_size = []
    for units in SIZES:
        model = at.models.RateRNN(units=units, tau=10.0)
        rule = at.training.rule_for(TASK, model).replace(steps=updates)
        run = at.train(TASK, model, rule, nets=count // 2, seed=units, progress=False)
        paths = [net.simulate(trials.inputs, precision="float64") for net in run.networks]
        by_size.append([path.states for path in paths])
    return [states for both in zip(*by_size, strict=True) for states in both]


def timed(case: Case, networks: States, rounds: int) -> dict[str, Any]:
    """Seconds of both, round after round, and by how much the numbers of the two differ."""
    given = [_thinned(states, case.samples) for states in networks]
    ours = _ours(case.distance, [*map(_subject, given)])  # and all is warm
    theirs = _with_one_thread(case.theirs, given)
    seconds: dict[str, list[float]] = {"ours": [], "theirs": []}
    for _ in range(rounds):
        subjects = [*map(_subject, given)]  # which keep nothing of the round before
        seconds["ours"].append(_seconds(partial(_ours, case.distance, subjects)))
        seconds["theirs"].append(_seconds(lambda: _with_one_thread(case.theirs, given)))
    differences = {"largest": float(np.abs(theirs - ours).max())}
    differences["median"] = float(np.median(theirs - ours))
    about = {"peer": case.peer, "networks": len(given), "samples": case.samples}
    return {**about, "seconds": seconds, "differences": differences}


def _thinned(states: np.ndarray, samples: int | None) -> np.ndarray:
    if samples is None:
        return states
    flat = states.reshape(-1, states.shape[-1])
    return flat[np.sort(np.random.default_rng(0).choice(len(flat), samples, replace=False))]


def _subject(states: np.ndarray) -> Subject:
    """A network of which nothing counts but these states."""
    trials = states if states.ndim == 3 else states[None]
    zeros = np.zeros((*trials.shape[:2], 1))
    path = Trajectory(zeros, trials, zeros, 1.0)
    return Subject(_any_network(), None, at.tasks.Trials(zeros, zeros), known=path)


@cache
def _any_network() -> at.models.Network:
    return at.models.RateRNN(units=1).build(1, 1)


@one_blas_thread
def _ours(name: str, subjects: list[Subject]) -> np.ndarray:
    """As `compare` does it."""
    distance = find_distance(name)
    made = [distance.prepared(each) for each in subjects]
    return distances_of(distance, made, made, every_pair(len(made)))


@one_blas_thread
def _with_one_thread(theirs: Callable[[States], np.ndarray], given: States) -> np.ndarray:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # it is not one of those that the decorator knows of
    try:
        return theirs(given)
    finally:
        torch.set_num_threads(threads)


def _seconds(work: Callable[[], np.ndarray]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


def row(name: str, found: dict[str, Any]) -> str:
    """A line of the table."""
    seconds, differences = found["seconds"], found["differences"]
    samples = "all of the trials" if found["samples"] is None else str(found["samples"])
    cells = [f"`{name.split(',')[0]}`", str(found["networks"]), samples, found["peer"]]
    cells += [f"{spread(seconds['ours']).median:.2g}", f"{spread(seconds['theirs']).median:.2g}"]
    times = ratios(seconds["theirs"], seconds["ours"])
    cells.append(f"{times.median:.3g} ({times.lower:.3g}–{times.upper:.3g})")
    # a search ends elsewhere; what is computed differs by rounding
    said = "median {median:+.4f}" if name == "dsa" else "{largest:.0e}"
    return "| " + " | ".join([*cells, said.format(**differences)]) + " |"


def write_page(found: dict[str, Any]) -> None:
    """Put the table between its marks on the page."""
    head = ["distance", "networks", "samples", "beside", "here (s)", "there (s)"]
    head += ["times ours (quartiles)", "difference of the numbers, there − here"]
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    lines += [row(name, each) for name, each in found.items()]
    before, rest = PAGE.read_text(encoding="utf-8").split(BEGIN)
    after = rest.split(END)[1]
    made = "\n".join([BEGIN, *lines, END])
    PAGE.write_text(f"{before}{made}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
