"""The house as it stands: no circles, facts instead of classes, files of a reader's size."""

from __future__ import annotations

import ast
import statistics
from pathlib import Path

import attractory as at
from attractory import models, rules, tasks

SRC = Path(at.__file__).parent
FILES = {path: ast.parse(path.read_text(encoding="utf-8")) for path in SRC.rglob("*.py")}
BUILT_ON_CLASSES = ("models", "tasks", "rules", "exchange", "reproduce")
MOST_LINES = 400  # of a file
# of code lines of a function, without its docstring
MEDIAN, MOST_IN_95_OF_100 = 8, 30


def module_of(path):
    parts = path.relative_to(SRC.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_of(path) for path in FILES}


def imported(tree):
    """Every module that a file imports, anywhere in it, also for its types alone."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                inside = f"{node.module}.{alias.name}"
                yield inside if inside in MODULES else node.module


def concrete_classes():
    """The names of all models, tasks and rules that are no bases."""
    found = {each.__name__ for each in map(models.find, models.names())}
    found |= {each.__name__ for each in map(rules.find, rules.names())}
    found |= {kind.__name__ for kind in tasks._registry._registry.parts.values()}
    return found - {"Model", "Task", "Rule"}  # of other tests' own classes, too


def room_of(path):
    parts = path.relative_to(SRC).parts
    return parts[0] if len(parts) > 1 else ""


def test_no_module_imports_itself_by_way_of_others():
    arrows = {
        module_of(path): {name for name in imported(tree) if name in MODULES}
        for path, tree in FILES.items()
    }
    # a package's own file lists what is public: modules are asked for one by one
    packages = {module_of(path) for path in FILES if path.name == "__init__.py"}
    seen, done = set(), set()

    def visit(module, way):
        assert module not in way, " -> ".join([*way[way.index(module) :], module])
        if module in done:
            return
        seen.add(module)
        for other in sorted(arrows[module] - packages):
            visit(other, [*way, module])
        done.add(module)

    for module in sorted(MODULES - packages):
        visit(module, [])
    assert len(seen) > 150


def test_nobody_outside_asks_of_which_class_a_model_a_task_or_a_rule_is():
    classes = concrete_classes()
    for path, tree in FILES.items():
        if room_of(path) in BUILT_ON_CLASSES:
            continue
        for node in ast.walk(tree):
            asks = isinstance(node, ast.Call) and getattr(node.func, "id", "") == "isinstance"
            if asks:
                asked = {getattr(n, "id", getattr(n, "attr", "")) for n in ast.walk(node.args[1])}
                assert not asked & classes, (path.name, node.lineno, asked & classes)


def test_concrete_classes_are_imported_by_recipes_reproductions_and_exchange_alone():
    classes = concrete_classes()
    for path, tree in FILES.items():
        if room_of(path) in BUILT_ON_CLASSES or path.name in ("_recipe.py", "__init__.py"):
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom):
                names = {alias.name for alias in node.names}
                assert not names & classes, (str(path.relative_to(SRC)), names & classes)


def test_files_and_functions_have_a_readers_size():
    lengths = []
    for path, tree in FILES.items():
        lines = path.read_text(encoding="utf-8").splitlines()
        assert len(lines) <= MOST_LINES, f"{path.relative_to(SRC)}: {len(lines)} lines"
        for node in ast.walk(tree):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                body = node.body[1:] if ast.get_docstring(node) else node.body
                lengths.append(body[-1].end_lineno - body[0].lineno + 1 if body else 0)
    assert statistics.median(lengths) <= MEDIAN
    assert sorted(lengths)[int(0.95 * len(lengths))] <= MOST_IN_95_OF_100
