"""A run's folder as the first versions wrote it: without digests."""

from __future__ import annotations

import json


def as_first_version(folder, change=None):
    """Rewrite the manifest in the first schema; change(content) may alter it before."""
    place = folder / "manifest.json"
    content = json.loads(place.read_text())
    del content["files"], content["sha256"]
    content["schema"] = 1
    if change is not None:
        change(content)
    place.write_text(json.dumps(content, indent=2))
    return folder
