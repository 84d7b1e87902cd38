"""Epochs: the named parts of a trial, of fixed or random duration."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, NamedTuple

import jax
import jax.numpy as jnp
from pydantic import Field, model_validator

from attractory._errors import InvalidSetting, nearest, shown, without_tuple_names
from attractory._settings import Settings
from attractory.tasks._noise import standard_normal
from attractory.tasks._task import MOST_STEPS, Task


class TruncatedExponential(Settings):
    """A random duration: exponential, drawn again until it is in the range.

    Parameters
    ----------
    mean : float
        Mean of the exponential distribution (ms).
    shortest, longest : float
        The range of the duration (ms).
    """

    mean: float = Field(gt=0, allow_inf_nan=False)
    shortest: float = Field(ge=0, allow_inf_nan=False)
    longest: float = Field(gt=0, allow_inf_nan=False)

    @model_validator(mode="after")
    def _ordered(self) -> TruncatedExponential:
        if self.shortest > self.longest:
            raise ValueError(
                f"shortest = {self.shortest} is not allowed: at most longest = {self.longest}"
            )
        return self


class OneOf(Settings):
    """A random duration: one of several, each as likely.

    Parameters
    ----------
    values : tuple of float
        The durations (ms).
    """

    values: tuple[float, ...] = Field(min_length=1)


Milliseconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]
PositiveMilliseconds = Annotated[float, Field(gt=0, allow_inf_nan=False)]
# fixed; uniform from the first to the second (both included); another distribution
Duration = Milliseconds | tuple[Milliseconds, Milliseconds] | TruncatedExponential | OneOf


@without_tuple_names
class Timeline(NamedTuple):
    """When the epochs of one trial are: their limits, and an indicator over time for each.

    Parameters
    ----------
    limits : array (epoch + 1,)
        The steps at which each begins, and at which the last one ends.
    during : dict of array (time,)
        For every epoch, by name: 1 within it and 0 elsewhere.
    """

    limits: jax.Array
    during: dict[str, jax.Array]

    @property
    def n_steps(self) -> int:
        """Number of time steps in the trial."""
        return len(next(iter(self.during.values())))

    def anywhere_in(self, *epochs: str) -> jax.Array:
        """Where any of these epochs is.

        Parameters
        ----------
        *epochs : str
            Names of epochs.

        Returns
        -------
        array (time,)
            1 within any of them, 0 elsewhere.

        Raises
        ------
        InvalidSetting
            For the name of no epoch.
        """
        for name in epochs:
            if name not in self.during:
                raise InvalidSetting(
                    f"epoch {shown(name)} is not in the timeline; {nearest(name, self.during)}"
                )
        return sum((self.during[name] for name in epochs), jnp.zeros(()))


class EpochTask(Task):
    """A task whose trials are a sequence of named epochs.

    Its author names the epochs in order, in `parts`, has a field of that name for the duration of
    each (or overrides `durations`), and asks `timeline(key)` for a trial's times in `trial`. All
    trials are as long as the longest can be; what comes after the last epoch is not counted.
    """

    parts: ClassVar[tuple[str, ...]] = ()

    def durations(self) -> dict[str, Duration]:
        """The duration of each epoch, in the order of the trial.

        Returns
        -------
        dict of Duration
            Durations (ms) by the names of the epochs.
        """
        return {name: getattr(self, name) for name in self.parts}

    @model_validator(mode="after")
    def _durations_fit_the_step(self) -> Any:
        for name, duration in self.durations().items():
            for value in _limits(duration):
                if value / self.dt > MOST_STEPS:
                    raise ValueError(
                        f"{name} = {value:g} ms is not allowed with dt = {self.dt:g} ms: "
                        f"at most {MOST_STEPS} steps"
                    )
                steps = round(value / self.dt)
                if abs(value / self.dt - steps) > 1e-6 or (value > 0 and steps == 0):
                    raise ValueError(
                        f"{name} = {value:g} ms is not allowed: a multiple of dt = {self.dt:g} ms"
                    )
            if isinstance(duration, tuple) and duration[0] > duration[1]:
                raise ValueError(
                    f"{name} = {duration} is not allowed: the shortest first, then the longest"
                )
        if self.n_steps < 1:
            raise ValueError("all epochs last 0 ms; at least one must be longer")
        if self.n_steps > MOST_STEPS:
            raise ValueError(f"{self.n_steps} steps a trial are not allowed: at most {MOST_STEPS}")
        return self

    @property
    def epoch_names(self) -> tuple[str, ...]:
        return tuple(self.durations())

    @property
    def n_steps(self) -> int:
        return sum(self.most_steps().values())

    def most_steps(self) -> dict[str, int]:
        """How many steps each epoch lasts at the most.

        Returns
        -------
        dict of int
            Numbers of steps by the names of the epochs.
        """
        return {name: self.steps_of(max(_limits(each))) for name, each in self.durations().items()}

    def steps_of(self, milliseconds: float) -> int:
        """A duration as a number of steps.

        Parameters
        ----------
        milliseconds : float
            The duration (ms).

        Returns
        -------
        int
            The number of steps, rounded.
        """
        return round(milliseconds / self.dt)

    def timeline(self, key: jax.Array) -> Timeline:
        """The times of one trial.

        Parameters
        ----------
        key : JAX random key
            What random durations are drawn from.

        Returns
        -------
        Timeline
            The epochs' limits, and where each is.
        """
        durations = self.durations()
        keys = jax.random.split(key, len(durations))
        steps = [self._steps(each, one) for each, one in zip(durations.values(), keys, strict=True)]
        limits = jnp.concatenate([jnp.zeros(1, int), jnp.cumsum(jnp.stack(steps))])
        time = jnp.arange(self.n_steps)
        inside = ((time >= limits[:-1, None]) & (time < limits[1:, None])).astype(jnp.float32)
        return Timeline(limits, dict(zip(durations, inside, strict=True)))

    def white_noise(self, key: jax.Array, channels: int, sigma: float) -> jax.Array:
        """Gaussian noise with standard deviation sigma · √(1 ms / dt).

        Parameters
        ----------
        key : JAX random key
            What the noise is drawn from.
        channels : int
            Number of channels.
        sigma : float
            Size of the noise, per √ms.

        Returns
        -------
        array (time, channel)
            The noise.

        Notes
        -----
        Its integral over a time has a variance (sigma² times the time) that does not depend on dt.
        """
        return sigma / self.dt**0.5 * standard_normal(key, (self.n_steps, channels))

    def _steps(self, duration: Duration, key: jax.Array) -> jax.Array:
        """One draw of a duration, in steps."""
        if isinstance(duration, TruncatedExponential):
            low, high = duration.shortest / duration.mean, duration.longest / duration.mean
            chance = jax.random.uniform(key)
            drawn = low - jnp.log1p(chance * jnp.expm1(low - high))  # the inverse distribution
            steps = jnp.round(drawn * duration.mean / self.dt).astype(int)
            return jnp.clip(
                steps, self.steps_of(duration.shortest), self.steps_of(duration.longest)
            )
        if isinstance(duration, tuple):
            low, high = (self.steps_of(value) for value in duration)
            return jax.random.randint(key, (), low, high + 1)
        if isinstance(duration, OneOf):
            allowed = jnp.array([self.steps_of(value) for value in duration.values])
            return jax.random.choice(key, allowed)
        return jnp.asarray(self.steps_of(duration))


def _limits(duration: Duration) -> tuple[float, ...]:
    """All durations that limit a random one."""
    if isinstance(duration, TruncatedExponential):
        return duration.shortest, duration.longest
    if isinstance(duration, OneOf):
        return duration.values
    if isinstance(duration, tuple):
        return duration
    return (duration,)
