"""Truth about fixed points in ball arithmetic (python-flint), independent of the package's proofs.

A state is refined to 50 digits by Newton's method in balls, the true fixed point is enclosed by
Krawczyk's operator (Krawczyk 1969; existence and uniqueness where it maps a box into its interior),
and that is compared with what was claimed.
"""

from __future__ import annotations

import flint
import numpy as np
from flint import arb, arb_mat

TINY = 2.0**-130  # radius of the boxes in which true fixed points are enclosed


def _sigmoid(u):
    return 1 / (1 + (-u).exp())


def _square(u):
    return u * u  # ** 2 is NaN for some balls around 0


def _clip(u, low, high):
    return u.max(arb(low)).min(arb(high))


def _step_at(u, places, levels):
    """A piecewise constant function of a ball: the union of the levels that it touches."""
    touched = [levels[0]] if not u > places[0] else []
    for i, level in enumerate(levels[1:]):
        below = i + 1 < len(places) and u > places[i + 1]
        if not u < places[i] and not below:
            touched.append(level)
    made = arb(touched[0])
    for level in touched[1:]:
        made = made.union(arb(level))
    return made


# phi and phi' of a ball
BALLS = {
    "tanh": (lambda u: u.tanh(), lambda u: 1 - _square(u.tanh())),
    "sigmoid": (_sigmoid, lambda u: _sigmoid(u) * _sigmoid(-u)),
    "softplus": (lambda u: u.exp().log1p(), _sigmoid),
    "silu": (
        lambda u: u * _sigmoid(u),
        lambda u: _sigmoid(u) + u * _sigmoid(u) * _sigmoid(-u),
    ),
    "elu": (lambda u: u.max(arb(0)) + u.min(arb(0)).expm1(), lambda u: u.min(arb(0)).exp()),
    "soft_sign": (lambda u: u / (1 + abs(u)), lambda u: 1 / _square(1 + abs(u))),
    "linear": (lambda u: u, lambda u: arb(1)),
    "relu": (lambda u: u.max(arb(0)), lambda u: _step_at(u, [0], [0, 1])),
    "relu6": (lambda u: _clip(u, 0, 6), lambda u: _step_at(u, [0, 6], [0, 1, 0])),
    "hard_tanh": (lambda u: _clip(u, -1, 1), lambda u: _step_at(u, [-1, 1], [0, 1, 0])),
    "leaky_relu": (
        lambda u: u.max(arb(0)) + arb(0.01) * u.min(arb(0)),
        lambda u: _step_at(u, [0], [0.01, 1]),
    ),
}
BALLS["celu"] = BALLS["elu"]


def exact_matrix(values):
    return arb_mat(np.asarray(values, np.float64).tolist())


def column(values):
    return arb_mat([[arb(v)] for v in values])


def diagonal(values):
    n = len(values)
    return arb_mat([[values[i] if i == j else 0 for j in range(n)] for i in range(n)])


def exact(network, inputs=None):
    """W, c, leak and phi, phi' of a network in ball arithmetic: its weights are exact numbers."""
    constant = arb_mat(network.units, 1)
    if inputs is not None:
        constant += exact_matrix(network.input_weights) * column(inputs)
    if network.bias is not None:
        constant += column(network.bias.astype(np.float64))
    value, slope = BALLS[network.model.activation]
    return exact_matrix(network.recurrent_weights), constant, arb(network.model.leak), value, slope


def jacobian(problem, state):
    """DF of the leaky step at a state, both in balls."""
    weights, constant, leak, _, slope = problem
    slopes = diagonal([leak * slope(u) for u in (weights * state + constant).entries()])
    return slopes * weights + identity(len(slopes.tolist())) * (1 - leak)


def identity(n):
    return diagonal([arb(1)] * n)


def residual(problem, state):
    """h - phi(W h + c): the leaky step has the same zeros."""
    weights, constant, _, value, _ = problem
    return state - column([value(u) for u in (weights * state + constant).entries()])


def system(problem, state):
    """The derivative of `residual`."""
    weights, constant, _, _, slope = problem
    slopes = diagonal([slope(u) for u in (weights * state + constant).entries()])
    return identity(state.nrows()) - slopes * weights


def krawczyk(problem, centre, radius):
    """K(X) of the box X = centre ± radius, and X."""
    inverse = system(problem, centre).mid().inv().mid()
    box = column([c + arb(0, radius) for c in centre.entries()])
    image = centre - inverse * residual(problem, centre)
    image += (identity(centre.nrows()) - inverse * system(problem, box)) * (box - centre)
    return image, box


def inside(image, box):
    pairs = zip(image.entries(), box.entries(), strict=True)
    return all(whole.contains_interior(part) for part, whole in pairs)


def true_point(problem, state, iterations=5):
    """A box of radius < 1e-39 that holds exactly one fixed point, next to a state (unit,)."""
    centre = column(state)
    for _ in range(iterations):
        move = system(problem, centre).mid().solve(residual(problem, centre).mid())
        centre = (centre - move).mid()
    image, box = krawczyk(problem, centre, TINY)
    return image if inside(image, box) else None


def distance(one, other):
    """Of two columns of balls, in the maximum norm: a ball."""
    made = arb(0)
    for difference in (one - other).entries():
        made = made.max(abs(difference))
    return made


def same(one, other):
    return bool(distance(one, other) < 4 * TINY)


def outside_circle(matrix_of_balls):
    """How many eigenvalues have modulus above 1, proved; None where one cannot be told."""
    found = matrix_of_balls.eig(multiple=False)
    moduli = [abs(value) for value in found]
    if not all(modulus > 1 or modulus < 1 for modulus in moduli):
        return None
    return sum(1 for modulus in moduli if modulus > 1)


def outside_circle_exactly(values):
    """The same of a matrix of float64 as it is stored, by the roots of its exact polynomial."""
    rational = [
        [flint.fmpq(*float(value).as_integer_ratio()) for value in row] for row in np.array(values)
    ]
    roots = flint.fmpq_mat(rational).charpoly().numer().complex_roots()
    count = 0
    for root, multiplicity in roots:
        modulus = abs(root)
        assert modulus > 1 or modulus < 1, root
        count += multiplicity if modulus > 1 else 0
    return count


def check_points(found, problem, others=()):
    """Every claim of the certified points; the true points, None for one that is not certified."""
    truth = []
    for i in range(len(found)):
        if not found.certified[i]:
            assert not found.decided[i]
            truth.append(None)
            continue
        point = true_point(problem, found.states[i])
        assert point is not None
        assert distance(point, column(found.states[i])) <= arb(found.radius[i])
        assert found.radius[i] < found.unique_radius[i]
        truth.append(point)
    for i, point in enumerate(truth):
        if point is None:
            continue
        state, reach = column(found.states[i]), arb(found.unique_radius[i])
        for other in [*truth[:i], *truth[i + 1 :]]:
            assert other is None or distance(other, state) >= reach
        for other in others:
            assert same(other, point) or distance(other, state) >= reach
    return truth
