"""What torch.save writes, as a format that is read where torch is installed."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attractory.exchange._content import begins_with, names_in_zip
from attractory.exchange._format import register
from attractory.exchange.torch._file import PICKLED, read_saved
from attractory.exchange.torch._format import StateDict

# torch.save before 1.6: a pickle of protocol 2 whose first object is this number
_MAGIC = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."


@register
class TorchSave(StateDict):
    """A state dict or a checkpoint that torch.save wrote: an archive, or a pickle before 1.6."""

    name = "torch.save"
    endings = PICKLED
    in_words = "a file of torch.save"

    def held(self, path: Path) -> tuple[Mapping[str, Any], Mapping[str, str]]:
        return read_saved(path)

    def sniff(self, path: Path) -> bool:
        if zipfile.is_zipfile(path):
            return any(name.endswith("/data.pkl") for name in names_in_zip(path))
        return begins_with(path, _MAGIC)
