"""A batch in shards of one size: what is computed is the same however many devices share them.

Floating-point sums depend on their order, and a compiler arranges a program by the shapes in it. So
the number of shards follows from the batch alone; a shard is computed by one and the same compiled
loop, whether a device has one of them or all; and what is summed over shards is summed as a fixed
binary tree.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
from jax.extend import core

TRIALS_OF_SHARD = 32  # of which products are about as fast as those of more trials
MOST_SHARDS = 16


def shards_of(batch: int) -> int:
    """The number of shards of a batch: a power of two that divides it.

    Two where there are two trials, so that two devices share the smallest batch; more where each
    has `TRIALS_OF_SHARD` trials.
    """
    shards = 1
    while shards < MOST_SHARDS and batch % (2 * shards) == 0:
        if shards >= 2 and batch // (2 * shards) < TRIALS_OF_SHARD:
            break
        shards *= 2
    return shards


@dataclass(frozen=True)
class Shards:
    """The shards of a batch, and those of them that this device computes.

    total: their number. here: how many this device has; a power of two, as `total`. axis: name of
    the mesh axis of the devices that share the batch, None for one device. count: `here` as the
    compiler does not know it (an argument of the compiled program), so that it makes the same loop
    of any number.
    """

    total: int = 1
    here: int = 1
    axis: str | None = None
    count: Any = 1

    def indices(self) -> jax.Array:
        """Of the shards of this device, (here,)."""
        return self._first() + jnp.arange(self.here)

    def each(self, function: Callable[[Any], Any], shards: Any) -> Any:
        """`function` of each shard of this device; `shards`, results: trees, (here, …).

        Native kernels are called once for all of them (`jax.vmap`); everything else goes one shard
        after the other.
        """
        return _each(function, shards, self.count)

    def sum(self, parts: Any) -> Any:
        """The sum over all shards, of a tree with a leading axis of this device's shards."""
        own = jax.tree.map(_tree_sum, parts)
        if self.axis is None:
            return own
        return jax.tree.map(_tree_sum, jax.lax.all_gather(own, self.axis))

    def all(self, parts: Any) -> Any:
        """Those of all shards, (total, …), of a tree with a leading axis of this device's."""
        if self.axis is None:
            return parts
        return jax.tree.map(lambda x: jax.lax.all_gather(x, self.axis, tiled=True), parts)

    def product(self, left: jax.Array, right: jax.Array) -> jax.Array:
        """left @ right, the rows shared by the devices that share the batch.

        A product is one call of a library, which a compiler does not join with others: blocks need
        no loop, which would copy them.
        """
        rows = -(-len(left) // self.total)
        filled = jnp.pad(left, ((0, rows * self.total - len(left)), (0, 0)))
        own = jax.lax.dynamic_slice_in_dim(filled, self._first() * rows, rows * self.here)
        blocks = [own[i * rows : (i + 1) * rows] for i in range(self.here)]
        made = jnp.concatenate([block @ right for block in blocks])
        if self.axis is not None:
            made = jax.lax.all_gather(made, self.axis, tiled=True)
        return made[: len(left)]

    def _first(self) -> Any:
        return 0 if self.axis is None else jax.lax.axis_index(self.axis) * self.here


def at_once(function: Callable[..., jax.Array]) -> Callable[..., jax.Array]:
    """The function, differentiable once, as `Shards.each` calls it for all shards at once.

    For much memory and little work: picking shards one by one copies them.
    """

    @jax.custom_vjp
    def called(*operands: Any) -> jax.Array:
        return _of_all(function)(*operands)

    def forward(*operands: Any) -> tuple[jax.Array, tuple[Any, ...]]:
        return called(*operands), operands

    def backward(operands: tuple[Any, ...], gradient: jax.Array) -> tuple[Any, ...]:
        def pulled_back(gradient: jax.Array, *operands: Any) -> tuple[Any, ...]:
            return jax.vjp(function, *operands)[1](gradient)

        return _of_all(pulled_back)(gradient, *operands)

    called.defvjp(forward, backward)
    return called


def _of_all(function: Callable[..., Any]) -> Any:
    mapped = jax.custom_batching.custom_vmap(function)

    @mapped.def_vmap
    def over_shards(size: int, is_mapped: list[bool], *operands: Any) -> Any:
        axes = [0 if each else None for each in is_mapped]
        made = jax.vmap(function, in_axes=axes)(*operands)
        return made, jax.tree.map(lambda _: True, made)

    return mapped


def one_by_one(function: Callable[[Any], Any], stacked: Any, count: Any) -> Any:
    """`jax.lax.map` as a loop that the compiler arranges alike for any length of the leading axis.

    count: that length, as an argument of the compiled program: a loop of known length is unrolled
    when it is 1, and joined with what stands around it. A leading axis of 1 is made one of 2, or
    picking from it would be left out.
    """
    length = jax.tree.leaves(stacked)[0].shape[0]
    if length == 1:
        stacked = jax.tree.map(lambda x: jnp.concatenate([x, x]), stacked)
    shapes = jax.eval_shape(lambda all_of_them: function(_pick(all_of_them, 0)), stacked)

    def body(i: jax.Array, made: Any) -> Any:
        return jax.tree.map(
            lambda room, one: jax.lax.dynamic_update_index_in_dim(room, one, i, 0),
            made,
            function(_pick(stacked, i)),
        )

    room = jax.tree.map(lambda one: _room((max(length, 2), *one.shape), one.dtype), shapes)
    made = jax.lax.fori_loop(0, count, body, room)
    return jax.tree.map(lambda x: x[:length], made)


def _pick(stacked: Any, i: Any) -> Any:
    return jax.tree.map(lambda x: jax.lax.dynamic_index_in_dim(x, i, keepdims=False), stacked)


def _room(shape: tuple[int, ...], dtype: Any) -> jax.Array:
    if jnp.issubdtype(dtype, jax.dtypes.prng_key):
        return jax.random.split(jax.random.key(0), shape)
    return jnp.zeros(shape, dtype)


def _tree_sum(parts: jax.Array) -> jax.Array:
    """The sum over the leading axis, whose length is a power of two: neighbours first."""
    while len(parts) > 1:
        parts = parts[0::2] + parts[1::2]
    return parts[0]


# ---- one function, for several shards at once ---------------------------------------------------


def _each(function: Callable[[Any], Any], stacked: Any, count: Any) -> Any:
    """The function's equations, cut where a native kernel is called: these see all shards."""
    leaves, structure = jax.tree.flatten(stacked)
    one = [jax.ShapeDtypeStruct(x.shape[1:], x.dtype) for x in leaves]
    closed, shape = jax.make_jaxpr(
        lambda *of_one: function(jax.tree.unflatten(structure, of_one)), return_shape=True
    )(*one)
    values = _Values(closed.jaxpr, closed.consts, leaves, count)
    waiting: list[Any] = []
    for place, equation in enumerate(closed.jaxpr.eqns):
        if values.is_shared(equation):
            values.of_all |= values.evaluated([equation], values.of_all)
        elif equation.primitive.name == "custom_vmap_call":
            values.loop(waiting, place)
            values.call(equation)
            waiting = []
        else:
            values.are_waiting |= set(equation.outvars)
            waiting.append(equation)
    values.loop(waiting, len(closed.jaxpr.eqns))
    return jax.tree.unflatten(jax.tree.structure(shape), values.results(len(leaves[0])))


class _Values:
    """Values of a function's variables: those that shards have (stacked), those that all share."""

    def __init__(self, jaxpr: Any, consts: Any, of_shards: list[Any], count: Any) -> None:
        self.jaxpr, self.count = jaxpr, count
        self.of_all = dict(zip(jaxpr.constvars, consts, strict=True))
        self.of_shards = dict(zip(jaxpr.invars, of_shards, strict=True))
        self.are_waiting: set[Any] = set()  # variables of shards that have no values yet
        self.last_uses = _last_uses(jaxpr)

    def is_shared(self, equation: Any) -> bool:
        """Whether an equation reads nothing that is a shard's own."""
        return not any(
            v in self.of_shards or v in self.are_waiting for v in _variables(equation.invars)
        )

    def evaluated(
        self, equations: list[Any], known: dict[Any, Any], wanted: Any = None
    ) -> dict[Any, Any]:
        """The values of the wanted variables (all when None) that the equations define."""
        made = [v for equation in equations for v in equation.outvars]
        wanted = made if wanted is None else wanted
        read = {v: None for equation in equations for v in _variables(equation.invars)}
        given = [v for v in read if v in known]
        part = self.jaxpr.replace(constvars=[], invars=given, outvars=wanted, eqns=equations)
        values = core.jaxpr_as_fun(core.ClosedJaxpr(part, []))(*(known[v] for v in given))
        return dict(zip(wanted, values, strict=True))

    def loop(self, equations: list[Any], place: int) -> None:
        """Evaluate equations shard by shard; what is read from `place` on is kept."""
        made = [v for equation in equations for v in equation.outvars]
        kept = [v for v in made if self.last_uses.get(v, -1) >= place]
        self.are_waiting -= set(made)
        if not kept:
            return
        read = {v for equation in equations for v in _variables(equation.invars)}
        given = {v: value for v, value in self.of_shards.items() if v in read}

        def one(own: list[Any]) -> list[Any]:
            known = self.of_all | dict(zip(given, own, strict=True))
            return [self.evaluated(equations, known, kept)[v] for v in kept]

        stacked = one_by_one(one, list(given.values()), self.count)
        self.of_shards |= dict(zip(kept, stacked, strict=True))

    def call(self, equation: Any) -> None:
        """Evaluate an equation that knows what to do with all shards at once."""
        read = list(dict.fromkeys(_variables(equation.invars)))
        axes = [0 if v in self.of_shards else None for v in read]

        def one(*own: Any) -> list[Any]:
            made = self.evaluated([equation], dict(zip(read, own, strict=True)))
            return [made[v] for v in equation.outvars]

        operands = [self.of_shards[v] if v in self.of_shards else self.of_all[v] for v in read]
        made = jax.vmap(one, in_axes=axes)(*operands)
        self.of_shards |= dict(zip(equation.outvars, made, strict=True))

    def results(self, here: int) -> list[Any]:
        """What the function returns, each (here, …)."""
        found = []
        for variable in self.jaxpr.outvars:
            if _is_literal(variable):
                found.append(jnp.broadcast_to(variable.val, (here,)))
            elif variable in self.of_shards:
                found.append(self.of_shards[variable])
            else:
                shared = self.of_all[variable]
                found.append(jnp.broadcast_to(shared, (here, *jnp.shape(shared))))
        return found


def _last_uses(jaxpr: Any) -> dict[Any, int]:
    """The place of the last equation that reads a variable; one beyond all for results."""
    uses: dict[Any, int] = {}
    for place, equation in enumerate(jaxpr.eqns):
        uses |= dict.fromkeys(_variables(equation.invars), place)
    return uses | dict.fromkeys(_variables(jaxpr.outvars), len(jaxpr.eqns))


def _variables(atoms: Any) -> list[Any]:
    return [v for v in atoms if not _is_literal(v)]


def _is_literal(atom: Any) -> bool:
    return isinstance(atom, core.Literal)
