"""What all tests share. JAX shows two devices, so that the spreading over cores is tested too."""

from __future__ import annotations

import gc
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

# before JAX is imported: a test run compiles for longer than it computes. Without the fusion
# emitters a program compiles in half the time, at level 0 a fifth sooner than at 1, in one part an
# eighth sooner than in 32 on threads. `make test-slow` and `make docs` compile as users do
os.environ.setdefault(
    "XLA_FLAGS",
    "--xla_backend_optimization_level=0 --xla_cpu_use_fusion_emitters=false "
    "--xla_cpu_parallel_codegen_split_count=1",
)
# two processes test on two cores: a second thread of either takes its time from the other, and
# OpenBLAS's waits for work by turning round
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("KERAS_BACKEND", "jax")

import jax
import pytest
from jax._src import pjit
from jax._src.interpreters import pxla
from matplotlib.figure import Figure

from attractory import _own_files
from attractory._registry import Registry
from attractory.tasks import FlipFlop

jax.config.update("jax_num_cpu_devices", 2)
# compiled programs stay, millions of objects: looking for garbage among them all the time, as
# Python does by default, takes a tenth of a test run
gc.set_threshold(500_000, 20, 100)

AUTHORS_DATA = Path(__file__).resolve().parents[2] / "shared" / "data" / "jarne2024"
MOST_MAPS = 40_000  # a module of tests adds some thousands, and at the limit compiling crashes
PROGRAMS = "JAX_COMPILATION_CACHE_DIR"  # a folder in which one test run keeps compiled programs


def pytest_configure(config: pytest.Config) -> None:
    """Programs that several tests need are compiled once, whichever process needs them first.

    In the environment, for the processes that tests start, and because `use_cores` leaves such a
    folder in force.
    """
    if PROGRAMS not in os.environ:
        os.environ[PROGRAMS] = tempfile.mkdtemp(prefix="attractory-tests-")
        config.add_cleanup(lambda: shutil.rmtree(os.environ.pop(PROGRAMS), ignore_errors=True))
    os.environ["JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"] = "0"
    jax.config.update("jax_compilation_cache_dir", os.environ[PROGRAMS])
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)


def pytest_sessionfinish() -> None:
    """The programs of a whole run are not looked through for garbage again before it ends."""
    gc.freeze()


def pytest_runtest_teardown() -> None:
    """The texts that programs were compiled from go; the programs stay.

    JAX keeps them, and MLIR looks through all it has whenever a text is begun: after 2 000 programs
    that of an addition takes 13 ms, not 3.
    """
    pjit._pjit_lower.cache_clear()
    pxla._cached_lowering_to_hlo.cache_clear()


# folders whose files take longest: begun first, so that no process waits for another at the end
LONG = ("training", "report", "contracts", "cli", "sweeps", "tests", "analysis")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long files first; the order within a file stays."""
    items.sort(key=lambda item: _rank(Path(item.fspath).parent.name))


def _rank(folder: str) -> int:
    return LONG.index(folder) if folder in LONG else len(LONG)


@pytest.fixture(autouse=True, scope="module")
def room_for_programs() -> Iterator[None]:
    """Programs are dropped before the process has as many memory maps as Linux allows (65 530).

    Until then what earlier files of tests have left is not looked through for garbage.
    """
    yield
    maps = Path("/proc/self/maps")
    if maps.exists() and len(maps.read_bytes().splitlines()) > MOST_MAPS:
        jax.clear_caches()
        gc.unfreeze()
        gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True, scope="module")
def no_files_of_other_modules() -> None:
    """What a module of tests trains once names the files of its own parts, not those of others."""
    _own_files._noted.clear()


@pytest.fixture(autouse=True)
def no_noted_files() -> None:
    """Runs of a test name the files of its own parts, not those of other tests in the process."""
    _own_files._noted.clear()


@pytest.fixture
def registries() -> Iterator[Callable[[], None]]:
    """What a test registers, of any kind, is gone after it, or once it calls what it is given."""
    before = [registry.parts for registry in Registry.every] + [_own_files._noted]
    kept = [dict(parts) for parts in before]

    def forget() -> None:
        for parts, known in zip(before, kept, strict=True):
            parts.clear()
            parts.update(known)

    yield forget
    forget()


@pytest.fixture(scope="module")
def few_conditions() -> Iterator[None]:
    """Robustness curves of the flip-flop have two points, not eight: for tests of what is made of
    curves. What the points are, `tests/evaluation` looks at."""
    every = FlipFlop.conditions

    def two_of_each(task: FlipFlop) -> dict[str, list[Any]]:
        return {
            name: sorted({values[0], getattr(task, name)}) for name, values in every(task).items()
        }

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(FlipFlop, "conditions", two_of_each)
        yield


@pytest.fixture
def undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Figures are made, but not drawn into files, and chance is not searched for: for tests of a
    page's words, which are quick."""
    from attractory import figures
    from attractory.report import _story

    def of_one_pixel(figure: Figure, folder: str | Path, name: str) -> list[Path]:
        written = [Path(folder) / f"{name}.{suffix}" for suffix in ("png", "svg")]
        for path in written:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text('<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"/>')
        return written

    monkeypatch.setattr(figures, "save", of_one_pixel)
    monkeypatch.setattr(_story, "chance_of", lambda run, task: 0.5)


@pytest.fixture(scope="session")
def authors_data() -> Path:
    """The folder with the paper's author's networks."""
    if not AUTHORS_DATA.is_dir():
        pytest.skip(f"the author's networks are not at {AUTHORS_DATA}")
    return AUTHORS_DATA
