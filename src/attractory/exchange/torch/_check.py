"""Does a network answer as the torch module that it was read from? Both are run."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from attractory._errors import InvalidSetting
from attractory.exchange._content import reason
from attractory.exchange._layers import foreign
from attractory.models import Network

# sizes of the random inputs: unlike each other, so that axes can be told, and few
_TRIALS, _STEPS = 7, 23
_SEED = 20
_CLOSE = 1e-5  # difference over the size of the outputs that float32 explains where nothing grows
_EPSILON = 1e-7  # of float32
_ROUNDINGS = 30.0  # in each step many numbers are rounded, here the inputs alone
_LARGEST = 1e30  # beyond this, products within a step may be infinite in float32
_HOW = "give check=inputs that it takes, (trial, time, input), or check=False to leave this out"


class _Answer(NamedTuple):
    """What a module answered, in the order (trial, time, output); last: of the last step alone."""

    outputs: np.ndarray
    last: bool


def check_same(network: Network, module: Any, check: Any) -> None:
    """InvalidSetting where the module's outputs are not those of the network.

    check: True for random inputs of a fixed seed, or inputs (trial, time, input), or a tuple of
    these and of what else the module's forward takes. The module runs as a copy, in evaluation, in
    both orders of the first two axes; its first output of a fitting shape must agree in one.
    """
    torch = foreign("torch")
    inputs, *more = check if isinstance(check, tuple) else (check,)
    inputs = _random_inputs(network) if inputs is True else _given(inputs)
    expected, allowed = _expected(network, inputs)
    problems, worst = [], np.inf
    for turned in _orders(torch, module):
        try:
            answer = _answer(torch, module, inputs, tuple(more), turned, expected.shape)
        except InvalidSetting:
            raise
        except Exception as error:  # whatever a forward raises for inputs that it does not take
            problems.append(reason(error))
            continue
        if answer is None:
            problems.append(f"no output of it has the shape (trial, time, {network.n_outputs})")
            continue
        steps = slice(-1, None) if answer.last else slice(None)
        with np.errstate(invalid="ignore"):
            difference = np.abs(answer.outputs - expected[:, steps])
        if (difference <= allowed[:, steps])[np.isfinite(allowed[:, steps])].all():
            return
        worst = min(worst, float(np.nan_to_num(difference, nan=np.inf).max()))
    if len(problems) == 2:
        raise InvalidSetting(f"the module cannot be compared ({problems[0]}); {_HOW}")
    raise InvalidSetting(
        f"the module's own outputs differ by {worst:.2g} from those of its layers and readout: its "
        "forward does something else, too (a function of the outputs, an initial state, ...); "
        "check=False reads the layers alone"
    )


def _expected(network: Network, inputs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The network's outputs in float64, and how far others may be from them (infinite: anywhere).

    As much as float32 explains: a little of what outputs have been up to then, and where dynamics
    make rounding grow, as in chaos, some multiple of what inputs as slightly changed come to.
    """
    rng = np.random.default_rng(_SEED)
    changes = _EPSILON * (1 + np.abs(inputs)) * rng.normal(size=inputs.shape)
    both = np.concatenate([inputs, inputs + changes])  # one program for both
    exact, changed = np.split(network.simulate(both, precision="float64").outputs, 2)
    with np.errstate(invalid="ignore"):
        apart = np.nan_to_num(np.abs(changed - exact), nan=np.inf, posinf=np.inf)
    size = np.maximum.accumulate(np.abs(exact).max(2, keepdims=True), axis=1)
    grown = np.maximum.accumulate(apart.max((0, 2)))[None, :, None]
    allowed = _CLOSE * (1 + size) + _ROUNDINGS * grown
    beyond = np.maximum.accumulate(size > _LARGEST, axis=1)  # where float32 has no number
    allowed = np.where(beyond, np.inf, np.nan_to_num(allowed, nan=np.inf))
    return exact, np.broadcast_to(allowed, exact.shape)


def _random_inputs(network: Network) -> np.ndarray:
    """Silence, pulses and noise from weak to strong: what is beyond a bound shows, too."""
    rng = np.random.default_rng(_SEED)
    noise = rng.normal(size=(_TRIALS, _STEPS, network.n_inputs))
    sizes = np.array([0.0, 0.1, 0.5, 1.0, 1.0, 3.0, 10.0])[:, None, None]
    noise[4] *= rng.random((_STEPS, 1)) < 0.2
    return (sizes * noise).astype(np.float32)


def _given(check: Any) -> np.ndarray:
    if hasattr(check, "detach"):
        check = check.detach().cpu().numpy()
    try:
        inputs = np.asarray(check, np.float32)
    except (TypeError, ValueError):
        raise InvalidSetting(
            f"check is of type {type(check).__name__}; allowed: True, False, an array of inputs "
            "(trial, time, input)"
        ) from None
    return inputs if inputs.ndim == 3 else inputs[None]


def _ready(torch: Any, module: Any) -> Any:
    """A copy in evaluation: nothing that a run changes stays. Itself where it cannot be copied."""
    try:
        copied = copy.deepcopy(module)
    except Exception:  # tensors of a graph, locks, open files
        return module
    number = next(copied.parameters(), None)
    if number is not None and number.dtype not in (torch.float32, torch.float64):
        copied = copied.float()  # a half has too few digits to compare with
    return copied


def _orders(torch: Any, module: Any) -> Iterator[bool]:
    """Whether the first two axes change places: as its layers have it first."""
    layers = [part for part in module.modules() if isinstance(part, torch.nn.RNNBase)]
    time_first = bool(layers) and not layers[0].batch_first
    yield time_first
    yield not time_first


def _answer(
    torch: Any,
    module: Any,
    inputs: np.ndarray,
    more: tuple[Any, ...],
    turned: bool,
    shape: tuple[int, ...],
) -> _Answer | None:
    """The module's first output of a fitting shape; InvalidSetting where two runs differ."""
    found = []
    with torch.no_grad(), torch.random.fork_rng(devices=[]), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what a user's forward warns of is not what is asked here
        torch.manual_seed(_SEED)
        for _ in range(2):
            made = _run(torch, _ready(torch, module), inputs, more, turned)
            arrays = (tensor.detach().cpu().double().numpy() for tensor in _tensors(made, torch))
            fitting = (_in_shape(array, shape, turned) for array in arrays)
            found.append(next((each for each in fitting if each is not None), None))
    first, second = found
    if first is None or second is None:
        return None
    with np.errstate(invalid="ignore"):  # outputs may be infinite where the network's are, too
        apart = float(np.nan_to_num(np.abs(first.outputs - second.outputs)).max())
    if apart > 1e-6 * (1 + np.abs(first.outputs).max()):
        raise InvalidSetting(
            f"two runs of the module on the same inputs differ by {apart:.2g}: its forward draws "
            "random numbers (noise?); take them out of it, or give check=False"
        )
    return first


def _run(torch: Any, module: Any, inputs: np.ndarray, more: tuple[Any, ...], turned: bool) -> Any:
    """forward(inputs) in evaluation, with None for a state where it asks for one."""
    given = torch.from_numpy(inputs)
    number = next(module.parameters(), None)
    given = given if number is None else given.to(number)
    given = given.transpose(0, 1).contiguous() if turned else given
    trained = [(part, part.training) for part in module.modules()]
    module.eval()
    try:
        return module(given, *more)
    except TypeError:
        if more:
            raise
        return module(given, None)
    finally:
        for part, training in trained:  # it may be the caller's own
            part.training = training


def _tensors(made: Any, torch: Any) -> Iterator[Any]:
    """All tensors in what a module returned, in their order."""
    if isinstance(made, torch.Tensor):
        if not made.is_complex():
            yield made
    elif isinstance(made, Mapping):
        for value in made.values():
            yield from _tensors(value, torch)
    elif isinstance(made, (tuple, list)):
        for value in made:
            yield from _tensors(value, torch)
    elif hasattr(made, "__dict__"):
        yield from _tensors(list(vars(made).values()), torch)


def _in_shape(array: np.ndarray, shape: tuple[int, ...], turned: bool) -> _Answer | None:
    """An output as (trial, time, output), of all steps or the last; None for another shape."""
    trials, steps, outputs = shape
    whole = (steps, trials) if turned else (trials, steps)
    if array.shape in {(*whole, outputs), whole if outputs == 1 else None}:
        array = array.reshape(*whole, outputs)
        return _Answer(array.swapaxes(0, 1) if turned else array, False)
    if turned and array.shape == (
        trials,
        steps,
        outputs,
    ):  # it takes one order, and gives the other
        return _Answer(array, False)
    if array.shape in {(trials, outputs), (trials,) if outputs == 1 else None}:
        return _Answer(array.reshape(trials, 1, outputs), True)
    if array.shape == (1, trials, outputs):
        return _Answer(array.reshape(trials, 1, outputs), True)
    return None
