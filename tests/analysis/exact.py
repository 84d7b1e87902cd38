"""Rate networks in ball arithmetic of any precision (python-flint), apart from the package."""

from __future__ import annotations

import itertools

import flint
import numpy as np

_functions = {
    "tanh": lambda u: u.tanh(),
    "linear": lambda u: u,
    "relu": lambda u: u.max(flint.arb(0)),
    "hard_tanh": lambda u: u.max(flint.arb(-1)).min(flint.arb(1)),
    "sigmoid": lambda u: 1 / (1 + (-u).exp()),
    "softplus": lambda u: (1 + u.exp()).log(),
}


def balls(numbers):
    """Exact balls of floats, any shape, as a nested list of rows or a list."""
    return [balls(row) if np.ndim(row) else flint.arb(float(row)) for row in numbers]


def dot(row, column):
    total = flint.arb(0)
    for a, b in zip(row, column, strict=True):
        total += a * b
    return total


class ExactNetwork:
    """The equation of a rate network as its docs say it, without input unless one is given."""

    def __init__(self, network):
        weights, model = network.weights, network.model
        units = network.units
        self.recurrent = balls(np.asarray(weights["recurrent_weights"], float))
        self.inputs = balls(np.asarray(weights["input_weights"], float))
        self.bias = balls(np.asarray(weights.get("bias", np.zeros(units)), float))
        self.read = balls(np.asarray(weights["output_weights"], float))
        self.read_bias = balls(
            np.asarray(weights.get("output_bias", np.zeros(len(self.read))), float)
        )
        self.leak = flint.arb(float(model.leak))
        self.function = _functions[model.activation]

    def drive(self, state, shown=None):
        drive = [dot(row, state) + b for row, b in zip(self.recurrent, self.bias, strict=True)]
        if shown is None:
            return drive
        return [u + dot(row, shown) for u, row in zip(drive, self.inputs, strict=True)]

    def step(self, state, shown=None):
        rates = [self.function(u) for u in self.drive(state, shown)]
        return [h + self.leak * (r - h) for h, r in zip(state, rates, strict=True)]

    def outputs(self, state):
        return [dot(row, state) + b for row, b in zip(self.read, self.read_bias, strict=True)]

    def fixed_point(self, near, digits=60):
        """The fixed point next to a stable one's approximation, by Newton's method with a slope
        taken once in float64: each round gains digits, the last ones are bounded by how far it
        still moves."""
        floats = np.array([[float(w) for w in row] for row in self.recurrent])
        units = len(near)
        state = balls(near)
        for _ in range(400):
            moved = self.step(state)
            residual = [(a - b).mid() for a, b in zip(moved, state, strict=True)]
            size = max(abs(float(r)) for r in residual)
            if size == 0 or size < 10.0**-digits:
                return state
            u = np.array([float(v.mid()) for v in self.drive(state)])
            step = 1e-6
            slopes = np.array(
                [
                    float(self.function(flint.arb(v) + step) - self.function(flint.arb(v) - step))
                    / (2 * step)
                    for v in u.tolist()
                ]
            )
            system = float(self.leak) * (np.eye(units) - slopes[:, None] * floats)
            scaled = np.array([float(r / flint.arb(size)) for r in residual])
            change = np.linalg.solve(system, scaled)
            state = [
                (h + flint.arb(size) * c).mid() for h, c in zip(state, change.tolist(), strict=True)
            ]
        raise AssertionError("no fixed point found")


def distance(form, one, other):
    """√((a - b)ᵀ P (a - b)) as a ball."""
    away = [a - b for a, b in zip(one, other, strict=True)]
    return dot(away, [dot(row, away) for row in balls(form)]).sqrt()


def meanings(exact, machine, state, steps):
    """What the true states mean, from the centre on (steps + 1,): -1 for what is no state.

    On the border of two levels it means none; AssertionError where it is too near to one to tell.
    """
    levels = [np.unique(column) for column in machine.outputs.T]
    found = np.full(steps + 1, -1)
    state = balls(state)
    for t in range(steps + 1):
        code = []
        for z, known in zip(exact.outputs(state), levels, strict=True):
            borders = [
                flint.arb(float(a)) / 2 + flint.arb(float(b)) / 2
                for a, b in itertools.pairwise(known)
            ]
            above = [z > border for border in borders]
            between = [z == border for border in borders]  # exactly, which is known of a number
            known_side = zip(above, between, borders, strict=True)
            assert all(a or b or z < border for a, b, border in known_side), (
                f"step {t}: the read-out {z} is too near to a border"
            )
            code.append(np.nan if any(between) else known[sum(above)])
        same = (machine.outputs == np.array(code)).all(axis=1)
        found[t] = int(same.argmax()) if same.any() else -1
        state = exact.step(state)
    return found
