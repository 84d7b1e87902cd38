"""One side of `force_step.py`: does steps on request, and says how long one of them took.

    python benchmarks/contenders/force_steps.py SIDE UNITS

SIDE is "attractory", "reservoirpy", or "limit": what memory and BLAS allow. The first line of
standard output is a list of what can be asked for, as JSON; then each line of standard input is one
of these, and the answer is the seconds of a processor that a step took.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

STEPS = 512  # in one turn
THEIR_STEPS = 64  # in one of reservoirpy's turns: about as long


def main() -> None:
    runs = SIDES[sys.argv[1]](int(sys.argv[2]))
    for run, _ in 2 * list(runs.values()):  # compiled, also for what an update hands to the next
        run()
    print(json.dumps(list(runs)), flush=True)
    for line in sys.stdin:
        run, steps = runs[line.strip()]
        began = time.process_time()
        run()
        print((time.process_time() - began) / steps, flush=True)


def limit(units: int) -> dict[str, tuple[Callable[[], Any], int]]:
    """An update of P of rank 1 by BLAS, and P read and written once."""
    from scipy.linalg.blas import dger

    matrix = np.asfortranarray(np.eye(units))
    gain = np.random.default_rng(0).normal(size=units)

    def rank_one() -> None:
        for _ in range(STEPS):
            dger(-1e-9, gain, gain, a=matrix, overwrite_a=1)

    def once() -> None:
        for _ in range(STEPS):
            np.multiply(matrix, 1.0, out=matrix)

    return {"rank one": (rank_one, STEPS), "pass": (once, STEPS)}


def attractory(units: int) -> dict[str, tuple[Callable[[], Any], int]]:
    """A change of the readout alone, and a step of the network with one."""
    import jax

    import attractory as at
    from attractory.training import Population

    task = at.tasks.SumOfSinusoids(period=float(STEPS), sigma=0.0)
    model = at.models.CurrentRNN(
        units=units, tau=10.0, bias=False, output_bias=False, recurrent_gain=1.5
    )

    def updates(rule: at.rules.FORCE) -> Callable[[], Any]:
        population = Population(task, rule.adapt(model), rule, 1, 0)
        states = [population.initial_state()]
        turn = iter(range(10**9))

        def run() -> None:
            states[0], _ = population.update(states[0], np.ones(1, bool), next(turn))
            jax.block_until_ready(states[0].weights)

        return run

    return {
        "change": (changes(units), STEPS),
        "step": (updates(at.rules.FORCE(every=1, carry=True)), STEPS),
        "internal step": (updates(at.rules.FORCE(every=1, carry=True, internal=True)), STEPS),
    }


def changes(units: int) -> Callable[[], Any]:
    """Changes of a readout for given rates, in the blocks in which the rule makes them."""
    import jax
    import jax.numpy as jnp

    from attractory.kernels import compiled
    from attractory.rules._least_squares import after_sample, with_pending
    from attractory.rules._online import SAMPLES_OF_BLOCK

    def block(own: Any, given: jax.Array) -> Any:
        inverse, readout = own
        one = jnp.ones(())

        def sample(own: Any, now: Any) -> Any:
            readout, pending = own
            place, rates = now
            made = after_sample(inverse, pending, readout, rates, one[None], one[None], one)
            return (made.solved, pending.at[place].set(made.factor)), None

        first = (readout, jnp.zeros_like(given))
        (readout, pending), _ = jax.lax.scan(sample, first, (jnp.arange(len(given)), given))
        return (with_pending(inverse, pending), readout), None

    with jax.enable_x64(True):
        rates = np.random.default_rng(0).normal(
            size=(STEPS // SAMPLES_OF_BLOCK, SAMPLES_OF_BLOCK, units)
        )
        given = jnp.asarray(rates)
        start = (jnp.eye(units), jnp.zeros((1, units)))
        made = compiled(lambda start, rates: jax.lax.scan(block, start, rates)[0])

    def run() -> None:
        with jax.enable_x64(True):
            jax.block_until_ready(made(start, given))

    return run


def reservoirpy(units: int) -> dict[str, tuple[Callable[[], Any], int]]:
    """The same two by its nodes RLS and Reservoir, which hears the output of RLS."""
    from reservoirpy.nodes import RLS, Reservoir

    rng = np.random.default_rng(0)
    rates = rng.normal(size=(THEIR_STEPS, units))
    inputs = np.zeros((THEIR_STEPS, 1))
    targets = np.sin(2 * np.pi * np.arange(THEIR_STEPS) / THEIR_STEPS)[:, None]
    alone = RLS(alpha=1.0, fit_bias=False)
    pool = Reservoir(units, sr=1.5, lr=0.1, rc_connectivity=0.1, input_connectivity=1.0, seed=0)
    readout = RLS(alpha=1.0, fit_bias=False)
    network = (pool >> readout) & (pool << readout)
    return {
        "change": (lambda: alone.partial_fit(rates, targets), THEIR_STEPS),
        "step": (lambda: network.partial_fit(inputs, targets), THEIR_STEPS),
    }


SIDES = {"attractory": attractory, "reservoirpy": reservoirpy, "limit": limit}

if __name__ == "__main__":
    main()
