"""Where the user's own code stood when a sweep was begun."""

from __future__ import annotations

import subprocess
from pathlib import Path

SECONDS = 5.0  # for git to answer: on a slow disk one, and nothing depends on it


def commit_of(folder: Path) -> str:
    """The git commit of a folder, with "+changes" where files differ from it; "" without one."""
    commit = _git(folder, "rev-parse", "HEAD")
    if not commit:
        return ""
    return commit + ("+changes" if _git(folder, "status", "--porcelain") else "")


def _git(folder: Path, *arguments: str) -> str:
    """What git answers; "" where there is no git, or it has nothing to say."""
    command = ["git", "-C", str(folder), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=True)
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip()
