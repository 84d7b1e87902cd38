"""What the recurrent weights must be at every step: signs, zeros, blocks, fixed values, bounds."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from pydantic import Field, model_validator

from attractory._settings import Settings
from attractory.models._balance import balanced, of_radius
from attractory.models._constraint_checks import check_fit
from attractory.models._projection import FIXED, MASK, Weights, freed, projected


class Constraints(Settings):
    """Biological constraints on the weights of connected units; they combine.

    They hold from the initial weights on, after every update and in every file: the weights are
    projected on them after each step of a learning rule, so that what is stored is what is meant.
    Matrices are [to, from]; units count from 0.

    Parameters
    ----------
    excitatory : float, optional
        Dale's law: the share of excitatory units (the first ones, of each area where there are
        areas; 0.8 is 80 : 20). All weights from an excitatory unit are >= 0, all from an inhibitory
        one <= 0. None: no law.
    signs : array (unit,), optional
        Dale's law with a sign (1 or -1) for each unit instead.
    density : float, optional
        Share of recurrent connections that may be there, drawn at random for each network.
    mask : array (unit, unit), optional
        0 and 1: the recurrent connections that may be there.
    self_connections : bool
        Whether a unit may excite or inhibit itself.
    areas : tuple of int, optional
        Number of units in each of several areas (in the order of the units).
    connections : tuple of tuples of float, optional
        (area, area), [to, from]: density of the connections between areas and (on the diagonal)
        within them, 0 to 1.
    input_areas, output_areas : tuple of int, optional
        Indices of the areas that get the inputs, and that are read out. None: all.
    fixed : array (unit, unit), optional
        0 and 1: recurrent weights that keep their initial values.
    low, high : float, optional
        Bounds of the recurrent weights.
    nonnegative_rates : bool
        That no unit has a negative rate; the model's activation must see to it.
    excitatory_readout : bool
        That excitatory units alone are read out.
    radius : float, optional
        The spectral radius that the initial recurrent weights are scaled to, where signs or zeros
        are asked for (bounds and fixed weights come after). None: recurrent_gain. It is what is
        left of an orthogonal start under zeros, which is not orthogonal any more; a start that
        would be all zeros, or an identity without its diagonal, is refused.

    References
    ----------
    Song, Yang & Wang (2016), PLoS Comput. Biol. 12:e1004792 (Dale's law by columns, masks, fixed
    weights, balanced initial weights); Rajan & Abbott (2006), Phys. Rev. Lett. 97:188104 (the
    outlier eigenvalue, and how balanced rows remove it).
    """

    excitatory: float | None = Field(default=None, gt=0, lt=1)
    signs: Any = None
    density: float | None = Field(default=None, gt=0, le=1)
    mask: Any = None
    self_connections: bool = True
    areas: tuple[int, ...] | None = None
    connections: tuple[tuple[float, ...], ...] | None = None
    input_areas: tuple[int, ...] | None = None
    output_areas: tuple[int, ...] | None = None
    fixed: Any = None
    low: float | None = None
    high: float | None = None
    nonnegative_rates: bool = False
    excitatory_readout: bool = False
    radius: float | None = Field(default=None, gt=0, allow_inf_nan=False)

    @model_validator(mode="after")
    def _consistent(self) -> Any:
        if self.excitatory is not None and self.signs is not None:
            raise ValueError("excitatory and signs contradict each other: give one of them")
        if self.low is not None and self.high is not None and self.low > self.high:
            raise ValueError(f"low = {self.low} is not allowed: at most high = {self.high}")
        if self.low is not None and self.low > 0 and self.has_zeros:
            raise ValueError(f"low = {self.low} contradicts the connections that must be 0")
        if self.high is not None and self.high < 0 and self.has_zeros:
            raise ValueError(f"high = {self.high} contradicts the connections that must be 0")
        if self._has_units(-1) and self.low is not None and self.low >= 0:
            raise ValueError(f"low = {self.low} contradicts Dale's law: inhibition is negative")
        if self._has_units(1) and self.high is not None and self.high <= 0:
            raise ValueError(f"high = {self.high} contradicts Dale's law: excitation is positive")
        if self.excitatory_readout and not self.obeys_dale:
            raise ValueError("excitatory_readout = True needs Dale's law: excitatory or signs")
        self._check_areas()
        return self

    def _check_areas(self) -> None:
        if self.areas is None:
            for field in ("connections", "input_areas", "output_areas"):
                if getattr(self, field) is not None:
                    raise ValueError(f"{field} needs areas, the number of units in each")
            return
        n = len(self.areas)
        if any(size < 1 for size in self.areas):
            raise ValueError(f"areas = {self.areas} is not allowed: 1 unit or more in each")
        rows = self.connections
        if rows is not None and (len(rows) != n or any(len(row) != n for row in rows)):
            raise ValueError(f"connections must be {n} rows of {n}, [to, from], as areas has {n}")
        if rows is not None and any(not 0 <= d <= 1 for row in rows for d in row):
            raise ValueError("connections must be densities from 0 to 1")
        for field in ("input_areas", "output_areas"):
            for area in getattr(self, field) or ():
                if not 0 <= area < n:
                    raise ValueError(f"{field}: {area} is no area: 0 to {n - 1}")

    def check(self, units: int, nonnegative: bool, activation: Any, initial: Any) -> None:
        """Refuse constraints that do not fit a model or its own initial weights.

        Parameters
        ----------
        units : int
            Number of units of the model.
        nonnegative : bool
            Whether the model's activation is nowhere below 0.
        activation : str or callable
            The activation as the model says it, for messages.
        initial : str or array (unit, unit)
            The model's `recurrent_init`.

        Raises
        ------
        ValueError
            Where they do not fit.
        """
        check_fit(self, units, nonnegative, activation, initial)

    @property
    def obeys_dale(self) -> bool:
        """Whether there is Dale's law."""
        return self.excitatory is not None or self.signs is not None

    @property
    def has_zeros(self) -> bool:
        """Whether some recurrent weights must be 0."""
        return (
            self.density not in (None, 1.0)
            or self.mask is not None
            or not self.self_connections
            or self.connections is not None
        )

    def _has_units(self, sign: int) -> bool:
        """Whether Dale's law makes some units of this sign."""
        return self.excitatory is not None or (
            self.signs is not None and bool(np.any(np.asarray(self.signs) == sign))
        )

    def column_signs(self, units: int) -> np.ndarray | None:
        """The sign of each unit.

        Parameters
        ----------
        units : int
            Number of units.

        Returns
        -------
        array (unit,) or None
            1 or -1; None without Dale's law.
        """
        if self.signs is not None:
            return np.asarray(self.signs, np.float32)
        if self.excitatory is None:
            return None
        sizes = self.areas or (units,)
        excites = [np.arange(size) < round(self.excitatory * size) for size in sizes]
        return np.where(np.concatenate(excites), 1, -1).astype(np.float32)

    def area_of(self, units: int) -> np.ndarray:
        """The area of each unit.

        Parameters
        ----------
        units : int
            Number of units.

        Returns
        -------
        array of int (unit,)
            Indices of areas.
        """
        sizes = self.areas or (units,)
        return np.repeat(np.arange(len(sizes)), sizes)

    def allowed(self, units: int) -> np.ndarray:
        """Where recurrent weights may be other than 0 in any network.

        A mask that is drawn for each network is kept among its weights.

        Parameters
        ----------
        units : int
            Number of units.

        Returns
        -------
        array of bool (unit, unit)
            True where they may.
        """
        made = np.ones((units, units), bool)
        if self.connections is not None:
            area = self.area_of(units)
            made &= np.asarray(self.connections)[area[:, None], area[None, :]] > 0
        if self.mask is not None:
            made &= np.asarray(self.mask) > 0
        if not self.self_connections:
            made &= ~np.eye(units, dtype=bool)
        return made

    def in_words(self, units: int) -> list[tuple[str, str]]:
        """What the recurrent weights must obey, in a few words: terms of a cell's equation.

        Parameters
        ----------
        units : int
            Number of units.

        Returns
        -------
        list of pairs of str
            What it is, and its value.
        """
        facts: list[tuple[str, str]] = []
        signs = self.column_signs(units)
        if signs is not None:
            excitatory = int((signs > 0).sum())
            facts.append(("E : I", f"{excitatory} : {units - excitatory} (Dale's law)"))
        if self.density is not None:
            facts.append(("density", f"{self.density:g}"))
        if self.areas is not None:
            facts.append(("areas", " + ".join(map(str, self.areas))))
        return facts

    def shapes(self, units: int) -> dict[str, tuple[int, ...]]:
        """Names and shapes of the arrays kept among the weights.

        Parameters
        ----------
        units : int
            Number of units.

        Returns
        -------
        dict of tuples
            The shapes by name.
        """
        kept = {MASK: (units, units)} if self.has_zeros else {}
        return {**kept, **({FIXED: (units, units)} if self.fixed is not None else {})}

    def begin(self, weights: Weights, radius: float | None, key: jax.Array) -> Weights:
        """Initial weights that obey: masked, signed, balanced, and of the right spectral radius.

        Parameters
        ----------
        weights : dict of arrays
            Initial weights.
        radius : float or None
            Of constrained weights, unless the setting `radius` says another. None: the recurrent
            weights are the user's own, and stay as they are but for a random mask.
        key : JAX random key
            What the mask is drawn from.

        Returns
        -------
        dict of arrays
            Weights that obey, and what is kept among them.
        """
        units = weights["recurrent_weights"].shape[0]
        made = dict(weights)
        if self.has_zeros:
            made[MASK] = self._draw_mask(units, key)
        if self.fixed is not None:
            made[FIXED] = jnp.asarray(self.fixed, jnp.float32)
        recurrent = made["recurrent_weights"]
        signs = self.column_signs(units) if radius is not None else None
        if signs is not None:
            recurrent = jnp.abs(recurrent) * signs
        if MASK in made:
            recurrent = recurrent * made[MASK]
        if signs is not None:
            recurrent = balanced(recurrent)
        if radius is not None and (signs is not None or MASK in made):
            recurrent = of_radius(recurrent, self.radius or radius)
        made["recurrent_weights"] = recurrent
        if self.excitatory_readout and "output_weights" in made:
            made["output_weights"] = jnp.abs(made["output_weights"])
        return self.project(made, made)

    def project(self, weights: Weights, before: Weights) -> Weights:
        """The nearest weights that obey.

        Parameters
        ----------
        weights : dict of arrays
            The weights.
        before : dict of arrays
            Those before the update: fixed ones are as they were there.

        Returns
        -------
        dict of arrays
            Weights that obey.
        """
        return projected(self, weights, before)

    def free(self, changes: Weights, weights: Weights, gradients: Weights) -> Weights:
        """The changes that may be made: 0 for weights that must stay or would leave a bound.

        Parameters
        ----------
        changes : dict of arrays
            The changes that are meant.
        weights, gradients : dict of arrays
            The weights, and the loss's gradients there.

        Returns
        -------
        dict of arrays
            The changes that may be made.
        """
        return freed(self, changes, weights, gradients)

    def chance(self, units: int) -> np.ndarray:
        """How likely each recurrent connection is there in a network.

        Parameters
        ----------
        units : int
            Number of units.

        Returns
        -------
        array (unit, unit)
            The probabilities, in float32.
        """
        chance = np.ones((units, units), np.float32)
        if self.connections is not None:
            area = self.area_of(units)
            chance = np.asarray(self.connections, np.float32)[area[:, None], area[None, :]]
        if self.density is not None:
            chance = chance * self.density
        return np.where(self.allowed(units), chance, np.float32(0))

    def _draw_mask(self, units: int, key: jax.Array) -> jax.Array:
        return (jax.random.uniform(key, (units, units)) < self.chance(units)).astype(jnp.float32)
