"""Which entries of a state dict, a checkpoint or a wrapped module are the network's."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

from attractory._errors import InvalidSetting, shown
from attractory.exchange.torch._file import is_array

log = logging.getLogger("attractory")

_DEPTH = 4  # of dictionaries in a checkpoint; deeper ones are not looked into
# what wrappers put before every name: DataParallel and DDP, torch.compile, Lightning's fabric
_WRAPPERS = re.compile(r"^(?:(?:module|_orig_mod|_forward_module)\.)+")
LAYER_ENTRY = re.compile(r"(?:weight|bias)_(?:ih|hh|hr)(?:_l\d+)?(?:_reverse)?$")
# counters and losses, by their names: what no output depends on
_COUNTERS = re.compile(
    r"(^|[._])(n_averaged|num_batches_tracked|num_updates|step|steps|global_step|epoch|epochs|"
    r"iteration|iterations|counter|initted)$"
)
_LOSSES = re.compile(r"(^|[._])(loss\w*|\w*_loss|criterion\w*|pos_weight|class_weights?)([._]|$)")


def unwrapped(module: Any) -> Any:
    """The module within DataParallel, DistributedDataParallel, AveragedModel, torch.compile."""
    for _ in range(10):  # wrappers in wrappers; one that holds itself ends, too
        if hasattr(module, "_orig_mod"):
            module = module._orig_mod
        elif type(module).__name__ in ("DataParallel", "DistributedDataParallel", "AveragedModel"):
            module = module.module
        else:
            break
    return module


def state_in(
    content: Mapping[Any, Any], key: str | None, known: Callable[[Collection[str]], bool]
) -> Any:
    """The state dict (or module) in a checkpoint: itself, or what stands under a key.

    key: which one, as the message of the refusal names it, or the beginning of the names of one of
    several networks in a state dict. known: whether names are those of a network's weights. Raises
    InvalidSetting when there are several and no key, or none.
    """
    found = dict(_states(content, (), known))
    if key is not None:
        return _chosen(content, found, key, known)
    if "" in found or not found:
        return found.get("", _only_arrays(content))
    if len(found) > 1:
        raise InvalidSetting(
            f"there are state dicts under several keys, {_listed(found)}; say which: "
            f"key={next(iter(found))!r}"
        )
    return next(iter(found.values()))


def _chosen(
    content: Mapping[Any, Any],
    found: dict[str, Any],
    key: str,
    known: Callable[[Collection[str]], bool],
) -> Any:
    if key in found:
        return found[key]
    for state in found.values():
        if not isinstance(state, Mapping):
            continue
        start = key.rstrip(".") + "."
        part = {n.removeprefix(start): v for n, v in state.items() if n.startswith(start)}
        if known(part):
            return part
    raise InvalidSetting(
        f"key = {shown(key)} is none of a state dict here; found: {_listed(found) or 'none'}"
    )


def _states(
    content: Mapping[Any, Any], path: tuple[str, ...], known: Callable[[Collection[str]], bool]
) -> Iterator[tuple[str, Any]]:
    """(key, state dict or module) of all that are in a checkpoint."""
    own = _only_arrays(content)
    if known(own):
        yield ".".join(path), own
        return
    if len(path) == _DEPTH:
        return
    for name, value in content.items():
        place = (*path, str(name))
        if isinstance(value, Mapping):
            yield from _states(value, place, known)
        elif hasattr(value, "named_modules"):
            yield ".".join(place), value


def _only_arrays(content: Mapping[Any, Any]) -> dict[str, Any]:
    """The entries that are arrays, under their names without those of wrappers.

    A state dict that holds something else under a weight's name is damaged; that is said later.
    """
    own = {
        name: value
        for name, value in content.items()
        if is_array(value) or (isinstance(name, str) and not isinstance(value, Mapping))
    }
    bare = {_WRAPPERS.sub("", str(name)): value for name, value in own.items()}
    return bare if len(bare) == len(own) else {str(name): value for name, value in own.items()}


def _listed(names: Collection[str]) -> str:
    first = [shown(name) for name in list(names)[:4]]
    return ", ".join(first) + (f" and {len(names) - 4} more" if len(names) > 4 else "")


def only_network(arrays: Mapping[str, Any], ignore: Collection[str]) -> dict[str, Any]:
    """The entries without those that change no output: counters, losses, what `ignore` names.

    ignore: names of entries, or what they begin with. Which were left out is in the log.
    """
    left = {
        name: value
        for name, value in arrays.items()
        if not (_ignored(name, ignore) or _harmless(name, value))
    }
    passed = sorted(set(arrays) - set(left))
    if passed:
        log.info("from_torch: passed over %s, which are no layers", _listed(passed))
    return left


def strange(name: str, allowed: str) -> InvalidSetting:
    """The refusal of an entry that is not known."""
    return InvalidSetting(
        f"{shown(name)} cannot be read; {allowed}; if it changes no output: ignore=[{shown(name)}]"
    )


def _ignored(name: str, ignore: Collection[str]) -> bool:
    return any(name == each or name.startswith(each.rstrip(".") + ".") for each in ignore)


def _harmless(name: str, value: Any) -> bool:
    """Whether an entry is a loss's, or a counter: one whole number under such a name."""
    if LAYER_ENTRY.search(name):
        return False
    if _LOSSES.search(name):
        return True
    if not _COUNTERS.search(name) or not is_array(value):
        return False
    try:
        number = value.item() if hasattr(value, "item") else value
    except (ValueError, RuntimeError):  # several, or none
        return False
    return isinstance(number, int) or (isinstance(number, float) and number.is_integer())
