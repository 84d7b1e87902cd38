"""Where the native kernels come from, and what happens where they cannot be had."""

from __future__ import annotations

import hashlib
import os
import platform
import stat
import subprocess
import sys
import tempfile

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from kernels.test_rate_network import assert_close, by_hand, gradients, needs_native, problem

import attractory as at
from attractory import _private
from attractory.kernels import (
    _native,
    _rate,
    _rate_native,
    activation_of,
    bfloat16_missing,
    rate_outputs,
)

TRIVIAL = 'extern "C" int attractory_has_bfloat16() { return 0; }\n'


@pytest.fixture
def fresh(monkeypatch):
    """The compiler is looked for anew, in the test and after it."""

    def forget():
        for found in (_native._identity, _native._compiler):
            found.cache_clear()

    forget()
    yield monkeypatch
    monkeypatch.undo()
    forget()


def found():
    """What `native` finds, not remembered."""
    return _native.native.__wrapped__()


def test_they_can_be_switched_off(fresh):
    fresh.setenv("ATTRACTORY_KERNELS", "jax")
    assert not found()
    assert str(found()) == "plain JAX (ATTRACTORY_KERNELS = jax)"
    assert not _native.to_compile()


def test_without_a_compiler_it_says_what_to_install(fresh):
    fresh.delenv("CXX", raising=False)
    fresh.setattr(_native.shutil, "which", lambda _: None)
    fresh.setattr(_native.importlib.util, "find_spec", lambda _: None)
    assert not found()
    assert "no C++ compiler: install g++ or clang++, or pip install" in str(found())


def test_a_compiler_that_does_not_run_is_named(fresh):
    fresh.setenv("CXX", "false --really")
    assert str(found()) == "plain JAX (false --really does not run)"


@pytest.fixture
def trivial(fresh, tmp_path):
    """A library that compiles in no time, and an empty cache for it."""
    source = tmp_path / "trivial.cpp"
    source.write_text(TRIVIAL)
    cache = tmp_path / "cache"
    fresh.setenv("ATTRACTORY_CACHE", str(cache))
    fresh.setenv("TMPDIR", str(tmp_path / "temporary"))
    fresh.setattr(tempfile, "tempdir", None)
    (tmp_path / "temporary").mkdir()
    fresh.setattr(_native, "SOURCE", source)
    return cache


def build():
    """The library, compiled or found; what `attractory_has_bfloat16` says in it."""
    return _native._library(_native._identity()[0]).attractory_has_bfloat16()


def libraries(cache):
    return sorted(cache.glob("kernels-*/*.so"))


def folder_of(cache):
    return cache / f"kernels-{os.geteuid()}"


def mode_of(path):
    return stat.S_IMODE(path.lstat().st_mode)


@needs_native
def test_a_compiler_that_refuses_is_quoted(trivial):
    _native.SOURCE.write_text("int main( {\n")
    assert _native.to_compile()
    assert not found()
    assert "cannot compile the kernels" in str(found())
    assert "error" in str(found())
    assert not list(folder_of(trivial).glob("*"))  # nothing half-made stays


@needs_native
def test_they_are_compiled_once_and_kept_for_this_user_alone(trivial, monkeypatch):
    umask = os.umask(0)
    try:
        assert build() == 0
    finally:
        os.umask(umask)
    (library,) = libraries(trivial)
    assert [mode_of(path) for path in (trivial, library.parent, library)] == [0o700, 0o700, 0o600]
    assert library.stem.endswith(hashlib.sha256(library.read_bytes()).hexdigest())
    assert not _native.to_compile()
    monkeypatch.setattr(_native, "_compile", None)
    assert build() == 0


@needs_native
@pytest.mark.parametrize("damage", ["cut", "cut early", "zeroed", "one bit", "empty"])
def test_a_damaged_library_is_seen_before_it_is_loaded_and_built_again(trivial, damage):
    build()
    (library,) = libraries(trivial)
    whole = library.read_bytes()
    flipped = bytearray(whole)
    flipped[len(whole) // 2] ^= 1
    damaged = {
        "cut": whole[: len(whole) // 2],
        "cut early": whole[:2000],
        "zeroed": whole[:3000] + bytes(2000) + whole[5000:],
        "one bit": bytes(flipped),
        "empty": b"",
    }[damage]
    library.unlink()  # which is loaded already
    library.write_bytes(damaged)
    assert _native.to_compile()
    assert build() == 0
    assert [path.read_bytes() for path in libraries(trivial)] == [whole]


PLANT = """
#include <fstream>
extern "C" int attractory_has_bfloat16() { return 0; }
__attribute__((constructor)) static void run() { std::ofstream("MARK") << "ran"; }
"""


def plant(cache, tmp_path):
    """A library that leaves a mark when it is loaded, under the name that would be loaded."""
    source = tmp_path / "plant.cpp"
    source.write_text(PLANT.replace("MARK", str(tmp_path / "mark")))
    made = tmp_path / "plant.so"
    subprocess.run([*_native._compiler()[0], "-shared", "-fPIC", "-o", made, source], check=True)
    digest = hashlib.sha256(made.read_bytes()).hexdigest()
    folder = folder_of(cache)
    folder.mkdir(parents=True, exist_ok=True)
    return made.rename(folder / f"native-{_native._identity()[0]}-{digest}.so")


needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can make others' files")
OTHER = 65534


@needs_native
def test_the_plant_runs_where_it_is_ones_own(trivial, tmp_path):
    """That the following tests would notice."""
    planted = plant(trivial, tmp_path)
    for path in (trivial, planted.parent):
        path.chmod(0o700)
    build()
    assert (tmp_path / "mark").exists()


@needs_native
@needs_root
@pytest.mark.parametrize("whose", ["file", "folder", "cache", "folder above", "linked folder"])
def test_what_another_user_put_there_is_not_loaded(trivial, fresh, tmp_path, whose):
    planted = plant(trivial, tmp_path)
    folder = planted.parent
    if whose == "linked folder":
        folder.rename(tmp_path / "elsewhere")
        folder.symlink_to(tmp_path / "elsewhere")
    else:
        if whose == "folder above":
            nested = tmp_path / "theirs" / "cache"
            nested.parent.mkdir()
            trivial.rename(nested)
            fresh.setenv("ATTRACTORY_CACHE", str(nested))
        owned = {"file": planted, "folder": folder, "cache": trivial}.get(whose)
        os.chown(owned or tmp_path / "theirs", OTHER, OTHER)
    assert build() == 0
    assert not (tmp_path / "mark").exists()
    assert list((tmp_path / "temporary").iterdir()) == []


@needs_native
@pytest.mark.parametrize("who", ["others", "a group"])
@pytest.mark.parametrize("where", ["file", "folder", "cache"])
def test_what_others_could_have_changed_is_not_loaded(trivial, fresh, tmp_path, where, who):
    planted = plant(trivial, tmp_path)
    path = {"file": planted, "folder": planted.parent, "cache": trivial}[where]
    (planted if where == "folder" else path).chmod(0o666)
    path.chmod(0o757 if who == "others" else 0o775)
    fresh.setattr(_private, "_own_group", lambda group: False)  # as a group with members
    assert build() == 0
    assert not (tmp_path / "mark").exists()


@needs_native
def test_a_cache_in_a_sticky_folder_is_one_of_ones_own(trivial, tmp_path):
    """As in /tmp: others can write there, but not exchange what is ours."""
    trivial.mkdir(mode=0o700)
    trivial.chmod(0o1777)
    assert build() == 0
    assert len(libraries(trivial)) == 1


@needs_native
@pytest.mark.parametrize("way", ["a file in the way", "not writable"])
def test_a_cache_that_cannot_be_written_leaves_nothing(trivial, fresh, tmp_path, way):
    if way == "a file in the way":
        trivial.write_text("not a folder")
    else:
        fresh.setenv("ATTRACTORY_CACHE", "/proc/nowhere")
    assert build() == 0
    assert build() == 0
    assert list((tmp_path / "temporary").iterdir()) == []
    assert "nowhere, and compiled for each process: " in _native.kept_in()


@needs_native
def test_a_library_without_our_functions_falls_back_to_jax(trivial):
    missing = "the compiled library has no function attractory_rate_forward"
    assert str(found()) == f"plain JAX ({missing})"
    assert not found()


@needs_native
def test_what_killed_builds_left_is_removed(trivial):
    build()
    folder = folder_of(trivial)
    left, fresh_one = folder / "building-old", folder / "building-new"
    for path in (left, fresh_one):
        path.mkdir()
    os.utime(left, (0, 0))
    libraries(trivial)[0].unlink()
    build()
    assert not left.exists()
    assert fresh_one.exists()


def test_without_native_kernels_everything_works_in_jax(monkeypatch):
    missing = _native.Native({}, missing="a reason")
    monkeypatch.setattr(_rate, "native", lambda: missing)
    monkeypatch.setattr(_rate_native, "native", lambda: missing)
    assert "a reason" in bfloat16_missing(jnp.tanh)
    arguments, loss = problem(5, 3, 8, drive=False)
    exact = rate_outputs(jnp.tanh, 0.5, *arguments)
    np.testing.assert_allclose(exact, by_hand(0.5, arguments, loss)[1], rtol=1e-5, atol=1e-5)
    rounded = rate_outputs(jnp.tanh, 0.5, *arguments, precision="bfloat16")
    np.testing.assert_array_equal(rounded, exact)


def test_training_says_that_bfloat16_is_missing_and_goes_on(capsys):
    task = at.tasks.FlipFlop(bits=1, steps=60, first_onset=(2, 5))
    model = at.models.RateRNN(units=6, activation="gelu")  # which the native kernels lack
    runs = [
        at.train(task, model, at.rules.BPTT(steps=2, batch=4, precision=precision))
        for precision in ("float32", "bfloat16")
    ]
    said = " ".join(capsys.readouterr().err.split())
    assert "precision = 'bfloat16': " in said
    assert "; training in float32" in said
    first, second = (run.networks[0].recurrent_weights for run in runs)
    np.testing.assert_array_equal(first, second)


def test_compiling_is_told_apart_from_training(capsys):
    task = at.tasks.FlipFlop(bits=1, steps=61, first_onset=(2, 5))
    run = at.train(task, at.models.RateRNN(units=6), at.rules.BPTT(steps=3, batch=4))
    said = " ".join(capsys.readouterr().err.split())
    assert "compiled in " in said
    assert "; kernels: " in said
    assert run.history["seconds"].iloc[-1] < 30.0


def test_use_cores_shows_devices_and_keeps_programs(tmp_path):
    code = (
        "import attractory as at; at.use_cores(1)\n"
        "import jax, jax.numpy as jnp\n"
        "task = at.tasks.FlipFlop(bits=1, steps=60, first_onset=(2, 5))\n"
        "rule = at.rules.BPTT(steps=2, batch=4, optimizer='sgd')\n"
        "at.train(task, at.models.RateRNN(units=6), rule, progress=False)\n"
        "print(jax.local_device_count())"
    )
    environment = {"ATTRACTORY_CACHE": str(tmp_path), "PATH": "", "ATTRACTORY_KERNELS": "jax"}
    environment |= {name: os.environ[name] for name in ("PYTHONPATH",) if name in os.environ}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "1"
    (kept,) = tmp_path.glob("xla-*")
    assert list(kept.iterdir())
    assert mode_of(kept) == 0o700


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library")
def test_use_cores_keeps_the_memory_that_arrays_leave():
    code = (
        "import resource, sys\n"
        "import numpy as np\n"
        "import attractory as at\n"
        "if sys.argv[1] == 'kept': at.use_cores()\n"
        "def pages():\n"
        "    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt\n"
        "for _ in range(2):\n"
        "    before = pages()\n"
        "    for _ in range(5): np.ones(2**23).sum()\n"
        "print(pages() - before)\n"
    )
    kept, fetched = (
        int(subprocess.run([sys.executable, "-c", code, how], capture_output=True).stdout)
        for how in ("kept", "fetched")
    )
    assert fetched > 100
    assert kept < fetched / 10


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make others' files")
def test_programs_of_another_user_are_not_run(tmp_path, monkeypatch):
    monkeypatch.setenv("ATTRACTORY_CACHE", str(tmp_path))
    kept = tmp_path / f"xla-{os.geteuid()}"
    kept.mkdir()
    os.chown(kept, OTHER, OTHER)
    with pytest.raises(at.FileProblem, match="belongs to another user"):
        _private.private_cache("xla")
    os.chown(kept, 0, 0)
    kept.chmod(0o777)
    theirs, ours = kept / "theirs", kept / "ours"
    for file in (theirs, ours):
        file.write_text("a program")
    os.chown(theirs, OTHER, OTHER)
    assert _private.private_cache("xla") == kept
    assert mode_of(kept) == 0o700
    assert [file.name for file in kept.iterdir()] == ["ours"]


def test_use_cores_refuses_cores_that_are_not_there():
    with pytest.raises(at.InvalidSetting, match="cores = 0 is not allowed: 1 to"):
        at.use_cores(0)


@pytest.mark.slow
@needs_native
@pytest.mark.skipif(platform.machine() != "x86_64", reason="these are flags of x86-64")
@pytest.mark.parametrize("processor", ["x86-64", "x86-64-v3"])
def test_older_processors_compute_the_same(fresh, tmp_path, processor):
    """Compiled for SSE2 and for AVX2, whose vectors are shorter and whose tiles are others."""
    fresh.setenv("ATTRACTORY_CACHE", str(tmp_path))
    flags = tuple(f for f in _native._flags() if f != "-march=native")
    fresh.setattr(_native, "_flags", lambda: (*flags, f"-march={processor}"))
    older = found()
    assert older
    assert not older.bfloat16
    fresh.setattr(_rate_native, "native", lambda: older)
    tanh = activation_of(jnp.tanh)
    for steps, trials, units, inputs, outputs in [(9, 21, 70, 5, 7), (4, 3, 11, 18, 1)]:
        arguments, loss = problem(steps, trials, units, inputs, outputs)
        for leak in (1.0, 0.3):
            made, saved = _rate_native._saving(tanh, leak, "float32", *arguments)
            gradient = _rate_native._backward(tanh, leak, "float32", saved, *loss)
            states, expected_outputs, expected = by_hand(leak, arguments, loss)
            wanted = jax.tree.map(np.float32, ((states, expected_outputs), expected))
            assert_close((made, gradient), wanted)


@needs_native
def test_values_do_not_depend_on_how_many_threads_share_the_trials(monkeypatch):
    arguments, loss = problem(12, 7, 33)
    made = []
    for threads in (1, 3):
        monkeypatch.setattr(_rate_native, "_threads", lambda threads=threads: threads)

        def kernel(*arguments):
            return _rate_native.states_and_outputs(
                activation_of(jnp.tanh), 1.0, "float32", *arguments
            )

        made.append((kernel(*arguments), gradients(kernel, loss, arguments)))
    np.testing.assert_array_equal(made[0][0][0], made[1][0][0])
    assert_close(made[0], made[1])
