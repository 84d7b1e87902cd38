"""Random keys from seeds: of trials, and of networks' own noise in them."""

from __future__ import annotations

import jax
import numpy as np

from attractory._errors import InvalidSetting, shown


def random_key(seed: int) -> jax.Array:
    """The key of a seed.

    Parameters
    ----------
    seed : int
        An integer from 0 to 2**63 - 1.

    Returns
    -------
    JAX random key
        What random numbers are drawn from.

    Raises
    ------
    InvalidSetting
        When the seed is no such integer.
    """
    check_seed(seed)
    return jax.random.fold_in(jax.random.key(int(seed) >> 32), int(seed) & 0xFFFFFFFF)


def check_seed(seed: int) -> None:
    """Refuse what is no seed.

    Parameters
    ----------
    seed : int
        An integer from 0 to 2**63 - 1.

    Raises
    ------
    InvalidSetting
        When the seed is no such integer.
    """
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or not 0 <= seed < 2**63:
        raise InvalidSetting(f"seed = {shown(seed)} is not allowed: an integer from 0 to 2**63 - 1")


def noise_seed(seed: int) -> int:
    """The seed of networks' own noise in the trials of a seed; independent of the trials' noise.

    (With the seed itself a network would draw the very numbers that the first trial is made of.)

    Parameters
    ----------
    seed : int
        The seed of the trials.

    Returns
    -------
    int
        The seed of the noise.
    """
    check_seed(seed)
    words = np.random.SeedSequence([int(seed), 0x6E6F6973]).generate_state(2, np.uint32)
    return (int(words[0]) << 31) ^ int(words[1])


def trial_keys(key: jax.Array, indices: jax.Array) -> jax.Array:
    """One key for each trial index: trial i of a stream depends on the stream and on i alone.

    Parameters
    ----------
    key : JAX random key
        The stream.
    indices : array of int (trial,)
        The indices of the trials.

    Returns
    -------
    array of JAX random keys (trial,)
        The keys.
    """
    return jax.vmap(jax.random.fold_in, in_axes=(None, 0))(key, indices)
