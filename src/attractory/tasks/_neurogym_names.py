"""The environments that an installed neurogym has, read from its files without importing it.

Importing neurogym takes seconds, and a list of names must not: its sources are parsed instead,
which takes 20 ms, once. Only what can be a task is listed: a class that says a ground truth and
needs no argument. (Those whose trials ask for what nobody can know are among them: drawing trials
says so, and there may be settings with which they can be known.)
"""

from __future__ import annotations

import ast
from functools import cache
from importlib.util import find_spec
from pathlib import Path

PREFIX = "neurogym/"
VERSION = "-v0"  # of all of its environments
TRUTH = ("set_groundtruth", "gt")  # how an environment says the correct action
NOT_REGISTERED = ("Detection",)  # which neurogym itself leaves out as broken


@cache
def environments() -> dict[str, str]:
    """Each ID with the first line of what it says of itself; none where there is no neurogym."""
    spec = find_spec("neurogym")
    if spec is None or not spec.submodule_search_locations:
        return {}
    folder = Path(spec.submodule_search_locations[0]) / "envs" / "native"
    made: dict[str, str] = {}
    for file in sorted(folder.glob("*.py")):
        for node in ast.parse(file.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and _is_task(node):
                said = (ast.get_docstring(node) or node.name).strip().splitlines()
                made[f"{node.name}{VERSION}"] = said[0]
    return made


def _is_task(node: ast.ClassDef) -> bool:
    """Whether it makes trials with a ground truth, and can be made without being told anything."""
    if node.name in NOT_REGISTERED or not any("Env" in ast.unparse(base) for base in node.bases):
        return False
    says_truth = any(getattr(each, "attr", None) in TRUTH for each in ast.walk(node))
    return says_truth and all(
        len(each.args.defaults) >= len(each.args.args) - 1  # all but self
        and None not in each.args.kw_defaults
        for each in node.body
        if isinstance(each, ast.FunctionDef) and each.name == "__init__"
    )
