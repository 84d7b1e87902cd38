"""Arrays of PyTorch's files: safetensors by themselves, torch's own formats by torch."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
from safetensors import SafetensorError, deserialize, safe_open

from attractory._errors import AttractoryError, FileProblem, InvalidSetting, shown
from attractory.exchange._content import check_there, reason
from attractory.exchange._layers import foreign

PICKLED = (".pt", ".pth", ".pkl", ".pickle", ".bin", ".ckpt", ".tar")

# safetensors' names of the types that are numbers here; the others pack several into a byte, are
# complex, or will be invented
_TYPES: dict[str, Any] = {
    "F64": np.float64,
    "F32": np.float32,
    "F16": np.float16,
    "BF16": ml_dtypes.bfloat16,
    "F8_E4M3": ml_dtypes.float8_e4m3fn,
    "F8_E5M2": ml_dtypes.float8_e5m2,
    "F8_E4M3FNUZ": ml_dtypes.float8_e4m3fnuz,
    "F8_E5M2FNUZ": ml_dtypes.float8_e5m2fnuz,
    "I64": np.int64,
    "I32": np.int32,
    "I16": np.int16,
    "I8": np.int8,
    "U64": np.uint64,
    "U32": np.uint32,
    "U16": np.uint16,
    "U8": np.uint8,
    "BOOL": np.bool_,
}
# what is made of a file's numbers may take so much of what the file takes: weights that are tied
# stand there once for several names, and a pickle can name one storage as often as it likes
_MOST_TIMES, _ALWAYS = 4, 2**20


def read_file(path: Path) -> tuple[Mapping[str, Any], dict[str, str]]:
    """What a file holds (names to arrays, or to what else a checkpoint has), and its metadata."""
    if path.suffix not in (".safetensors", *PICKLED):
        raise FileProblem(
            f"{path}: this ending is not allowed: .safetensors, or those of torch.save's files "
            f"({', '.join(PICKLED)})"
        )
    return read_safetensors(path) if path.suffix == ".safetensors" else read_saved(path)


def read_safetensors(path: Path) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """The arrays of a safetensors file, whatever it is called, and its metadata."""
    check_there(path)
    return _safetensors(path)


def read_saved(path: Path) -> tuple[Mapping[str, Any], dict[str, str]]:
    """What torch.save wrote into a file, whatever it is called; it has no metadata."""
    check_there(path)
    return _pickled(path), {}


def as_arrays(source: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """NumPy arrays by name: float32 where that holds them exactly, else float64."""
    found = {}
    for name, value in source.items():
        array = _array(str(name), value)
        if not np.isfinite(array).all():
            raise InvalidSetting(f"{shown(name)} has values that are not finite; all must be")
        found[str(name)] = array
    return found


def is_array(value: Any) -> bool:
    """Whether a value of a state dict is an array (of torch or NumPy), or a number."""
    return hasattr(value, "detach") or isinstance(value, (np.ndarray, np.generic, int, float))


def _array(name: str, value: Any) -> np.ndarray:
    refused = InvalidSetting(f"{shown(name)} is no array of numbers")
    if hasattr(value, "detach"):
        value = _from_tensor(name, value)
    try:
        array = np.asarray(value)
    except (TypeError, ValueError):
        raise refused from None
    if array.dtype.kind == "V" and hasattr(ml_dtypes, array.dtype.name):
        return array.astype(np.float32)  # bfloat16 and the types of 8 bits, all exact in float32
    if array.dtype.kind not in "fiub":
        raise refused
    exact = array.dtype.itemsize <= (4 if array.dtype.kind == "f" else 2)
    return array.astype(np.float32 if exact else np.float64, copy=False)


def _from_tensor(name: str, tensor: Any) -> np.ndarray:
    """A tensor of any device and type as NumPy's; complex ones are refused by `_array`."""
    try:
        tensor = tensor.detach()
        if tensor.layout != foreign("torch").strided:
            tensor = tensor.to_dense()
        tensor = tensor.cpu()
        if tensor.is_floating_point():
            tensor = tensor.double() if tensor.itemsize > 4 else tensor.float()
        return np.asarray(tensor.numpy())
    except (RuntimeError, NotImplementedError, TypeError, AttributeError) as error:
        raise InvalidSetting(
            f"{shown(name)} is a tensor without numbers that can be read: {reason(error)}"
        ) from None


def _safetensors(path: Path) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    try:
        with safe_open(path, framework="numpy") as file:
            metadata = file.metadata() or {}
        stored = deserialize(path.read_bytes())
    # of the library's own code an index or a name in a damaged header may be any of these
    except (SafetensorError, OSError, ValueError, TypeError, KeyError, OverflowError) as error:
        raise FileProblem(
            f"{path}: damaged, not readable as safetensors ({reason(error)})"
        ) from None
    arrays = {}
    for name, entry in stored:
        if entry["dtype"] not in _TYPES:
            raise FileProblem(
                f"{path}: {shown(name)} has the type {entry['dtype']}, which is not read; "
                "allowed: floats of 8 to 64 bits, integers"
            )
        flat = np.frombuffer(entry["data"], _TYPES[entry["dtype"]])
        arrays[name] = flat.reshape(entry["shape"])
    return arrays, metadata


def _pickled(path: Path) -> Mapping[str, Any]:
    """The object of torch.save's file, loaded by torch's reader that makes tensors alone."""
    try:
        torch = foreign("torch")
    except AttractoryError:
        raise FileProblem(
            f"{path}: {path.suffix or 'such'} files are read where torch is installed "
            "(pip install 'attractory[torch]'), without running code from them; or write "
            "safetensors.torch.save_file(module.state_dict(), path) where it was made"
        ) from None
    _check_stored(path)
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except OSError as error:
        raise FileProblem(f"{path}: cannot be read: {reason(error)}") from None
    except Exception as error:  # torch's reader raises whatever a damaged pickle leads it to
        raise FileProblem(f"{path}: {_why_not(error)}") from None
    if hasattr(content, "detach") or not isinstance(content, Mapping):
        raise FileProblem(
            f"{path}: it holds a {type(content).__name__}; a state dict, or a checkpoint with one "
            "in it, is needed"
        )
    _check_sizes(path, content)
    return content


def _why_not(error: Exception) -> str:
    """What torch's reader says, without its advice on how to load the file by running its code."""
    text = str(error).split("WeightsUnpickler error: ")[-1].split("Please file")[0]
    if "Unsupported global" in text or "Unsupported class" in text:
        named = re.search(r"GLOBAL ([\w.]{1,60})", text)
        what = f" ({named[1]})" if named else ""
        return (
            f"it holds more than tensors{what}, which would run code to load; save "
            "module.state_dict() where it was made"
        )
    return f"damaged, not readable as a file of torch.save ({reason(Exception(text))})"


def _check_stored(path: Path) -> None:
    """FileProblem for a packed archive: torch.save packs nothing, and what it unpacks to is big."""
    if not zipfile.is_zipfile(path):
        return
    try:
        with zipfile.ZipFile(path) as archive:
            packed = any(each.compress_type != zipfile.ZIP_STORED for each in archive.infolist())
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise FileProblem(
            f"{path}: damaged, not readable as a file of torch.save ({reason(error)})"
        ) from None
    if packed:
        raise FileProblem(f"{path}: its parts are compressed, which torch.save never does")


def _check_sizes(path: Path, content: Any) -> None:
    """FileProblem where tensors would take much more than the file has bytes for."""
    most = _ALWAYS + _MOST_TIMES * path.stat().st_size
    total, waiting, seen = 0, [content], 0
    while waiting:
        value = waiting.pop()
        seen += 1
        if hasattr(value, "detach"):
            total += value.numel() * value.element_size()
        elif isinstance(value, Mapping):
            waiting.extend(value.values())
        elif isinstance(value, (list, tuple)):
            waiting.extend(value)
        # a list may hold itself, and a pickle may name one list as often as it likes
        if total > most or seen > most:
            raise FileProblem(
                f"{path}: its tensors would take more than {most / 2**20:.0f} MiB, the file has "
                f"{path.stat().st_size / 2**20:.1f} MiB: it is damaged, or not what it seems"
            )
