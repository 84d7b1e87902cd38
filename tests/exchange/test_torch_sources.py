"""Where torch's weights stand: wrapped modules, checkpoints, files of all kinds of numbers."""

from __future__ import annotations

import json
import struct
import zipfile
from copy import deepcopy

import numpy as np
import pytest
from safetensors.numpy import save_file

import attractory as at
from attractory.runs import from_torch

torch = pytest.importorskip("torch")

INPUTS, UNITS, OUTPUTS = 3, 5, 2


class Theirs(torch.nn.Module):
    def __init__(self, seed=0):
        super().__init__()
        torch.manual_seed(seed)
        self.core = torch.nn.GRU(INPUTS, UNITS, batch_first=True)
        self.out = torch.nn.Linear(UNITS, OUTPUTS)

    def forward(self, x):
        return self.out(self.core(x)[0])


@pytest.fixture(scope="module")
def module():
    return Theirs()


def averaged(module):
    swa = torch.optim.swa_utils.AveragedModel(module)
    swa.update_parameters(module)
    return swa


def prefixed(module, prefix):
    return {prefix + name: value for name, value in module.state_dict().items()}


def same(network, module):
    assert set(network.weights) == {
        *("recurrent_weights", "input_weights", "bias", "recurrent_bias"),
        *("output_weights", "output_bias"),
    }
    theirs = {"core.weight_hh_l0": "recurrent_weights", "core.weight_ih_l0": "input_weights"}
    theirs |= {"core.bias_ih_l0": "bias", "core.bias_hh_l0": "recurrent_bias"}
    theirs |= {"out.weight": "output_weights", "out.bias": "output_bias"}
    for name, ours in theirs.items():
        np.testing.assert_array_equal(network.weights[ours], module.state_dict()[name].numpy())


WRAPPED = {
    "DataParallel": torch.nn.DataParallel,
    "AveragedModel": averaged,
    "compiled": lambda m: torch.compile(m, backend="eager"),
    "compiled in DataParallel": lambda m: torch.nn.DataParallel(torch.compile(m, backend="eager")),
    "averaged DataParallel": lambda m: averaged(torch.nn.DataParallel(m)),
}


def slow(name):
    """Importing what compiles takes ten seconds."""
    return pytest.param(name, marks=pytest.mark.slow) if "compiled" in name else name


@pytest.mark.parametrize("name", [slow(name) for name in WRAPPED])
def test_wrapped_modules_and_their_state_dicts_are_the_module(name, module):
    wrapped = WRAPPED[name](module)
    same(from_torch(wrapped), module)
    same(from_torch(wrapped.state_dict()), module)


class Weighted(Theirs):
    """Entries that are no layers: a loss's weights, a counter, a buffer that nothing reads."""

    def __init__(self):
        super().__init__()
        self.loss = torch.nn.CrossEntropyLoss(weight=torch.ones(OUTPUTS))
        self.register_buffer("n_updates", torch.tensor(3))
        self.register_buffer("scale", torch.ones(()))


def test_entries_that_are_no_layers_are_named_and_passed_over(module, caplog):
    caplog.set_level("INFO", logger="attractory")
    same(from_torch(Weighted()), module)
    assert "'loss.weight', 'n_updates', 'scale'" in caplog.text
    state = module.state_dict() | {
        "criterion.pos_weight": torch.ones(2),
        "norm.num_batches_tracked": torch.tensor(7),
        "global_step": torch.tensor(100),
    }
    same(from_torch(state), module)
    state["scale"] = torch.tensor(2.0)
    with pytest.raises(at.InvalidSetting, match=r"'scale' cannot be read.*ignore=\['scale'\]"):
        from_torch(state)
    state["head.weight"] = torch.ones(4, UNITS)
    same(from_torch(state, ignore=["scale", "head"]), module)
    state["step"] = torch.tensor(0.1)  # no count of anything
    with pytest.raises(at.InvalidSetting, match="'step' cannot be read"):
        from_torch(state, ignore=["scale", "head"])


def test_a_buffer_that_the_outputs_depend_on_is_seen():
    class Scaled(Weighted):
        def forward(self, x):
            return 2 * self.scale * super().forward(x)

    with pytest.raises(at.InvalidSetting, match="differ by"):
        from_torch(Scaled())


def test_the_state_dict_of_a_checkpoint_is_found(module):
    checkpoint = {
        "epoch": 12,
        "state_dict": prefixed(module, "model."),
        "optimizer": {"state": {0: {"exp_avg": torch.ones(3)}}, "param_groups": [{"lr": 0.1}]},
        "config": {"dt": 20, "name": "a"},
    }
    same(from_torch(checkpoint), module)
    same(from_torch({"all": {"nets": checkpoint}}), module)
    same(from_torch({"model": module, "epoch": 1}), module)


def test_of_several_state_dicts_one_is_asked_for(module):
    other = Theirs(seed=1)
    checkpoint = {"model": module.state_dict(), "ema": {"shadow": other.state_dict()}}
    with pytest.raises(at.InvalidSetting, match=r"'model', 'ema.shadow'; say which: key='model'"):
        from_torch(checkpoint)
    same(from_torch(checkpoint, key="ema.shadow"), other)
    with pytest.raises(at.InvalidSetting, match=r"key = 'emma' is none.*'model', 'ema.shadow'"):
        from_torch(checkpoint, key="emma")
    beside = prefixed(module, "online_model.") | prefixed(other, "ema_model.") | {"step": 5}
    with pytest.raises(at.InvalidSetting, match="arrays do not tell"):
        from_torch(beside)
    same(from_torch(beside, key="ema_model"), other)


@pytest.mark.parametrize("ending", [".pt", ".pth", ".pkl"])
def test_files_of_torch_are_read_without_running_code(ending, module, tmp_path):
    path = tmp_path / f"net{ending}"
    torch.save({"model": module.state_dict(), "epoch": 3}, path)
    same(from_torch(path), module)
    torch.save(module.state_dict(), path, _use_new_zipfile_serialization=False)
    same(from_torch(path), module)


def test_a_whole_module_in_a_file_is_refused(module, tmp_path):
    path = tmp_path / "net.pt"
    torch.save(torch.nn.Linear(2, 3), path)
    with pytest.raises(at.FileProblem, match=r"more than tensors.*save module.state_dict\(\)"):
        from_torch(path)
    torch.save(torch.ones(3), path)
    with pytest.raises(at.FileProblem, match="it holds a Tensor; a state dict"):
        from_torch(path)
    path.write_bytes(b"\x80\x02nothing")
    with pytest.raises(at.FileProblem, match="damaged, not readable"):
        from_torch(path)


def test_without_torch_its_files_are_refused_and_safetensors_read(module, tmp_path, monkeypatch):
    path = tmp_path / "net.pt"
    torch.save(module.state_dict(), path)
    arrays = {name: array.numpy() for name, array in module.state_dict().items()}
    save_file(arrays, tmp_path / "net.safetensors")
    monkeypatch.setitem(__import__("sys").modules, "torch", None)
    same(from_torch(tmp_path / "net.safetensors"), module)
    with pytest.raises(at.FileProblem, match=r"are read where torch is installed.*safetensors"):
        from_torch(path)


TYPES = ["float64", "float16", "bfloat16", "float8_e4m3fn", "float8_e5m2"]


@pytest.mark.parametrize("name", TYPES)
def test_numbers_of_all_sizes_are_exact(name, module, tmp_path):
    from safetensors.torch import save_file as save

    rounded = {n: a.to(getattr(torch, name)) for n, a in module.state_dict().items()}
    expected = Theirs().double()
    expected.load_state_dict({n: a.double() for n, a in rounded.items()})
    save(rounded, tmp_path / "net.safetensors")
    torch.save(rounded, tmp_path / "net.pt")
    for source in (rounded, tmp_path / "net.safetensors", tmp_path / "net.pt"):
        network = from_torch(source)
        same(network, expected)
        assert network.weights["bias"].dtype == (np.float64 if name == "float64" else np.float32)


def safetensors(path, kind, shape, data):
    header = json.dumps(
        {"core.weight_hh_l0": {"dtype": kind, "shape": shape, "data_offsets": [0, len(data)]}}
    ).encode()
    path.write_bytes(struct.pack("<Q", len(header)) + header + data)
    return path


def test_numbers_that_cannot_be_read_are_refused(module, tmp_path):
    path = safetensors(tmp_path / "a.safetensors", "C64", [2, 2], bytes(32))
    with pytest.raises(at.FileProblem, match="'core.weight_hh_l0' has the type C64"):
        from_torch(path)
    for changed, said in [
        (torch.ones(2, dtype=torch.complex64), "'out.bias' is no array of numbers"),
        (torch.ones(2, device="meta"), "'out.bias' is a tensor without numbers"),
        (np.array([1, 2], "datetime64[s]"), "'out.bias' is no array of numbers"),
        (np.array([1.0, np.inf]), "'out.bias' has values that are not finite"),
        (np.array([1.0, 1e300]), r"output_bias has a value of size 1e\+300; at most 3.4e\+38"),
    ]:
        with pytest.raises(at.InvalidSetting, match=said):
            from_torch(module.state_dict() | {"out.bias": changed})
    huge = {"core.bias_hh_l0": np.full(UNITS, 3e38), "core.bias_ih_l0": np.full(UNITS, 3e38)}
    rnn = torch.nn.RNN(INPUTS, UNITS)
    state = prefixed(rnn, "core.") | {"out.weight": np.ones((2, UNITS))} | huge
    with pytest.raises(at.InvalidSetting, match=r"bias has a value of size 6e\+38"):
        from_torch(state)  # each is a number, their sum is none
    single = {n: np.asarray(a, np.float32) for n, a in state.items()}
    with np.errstate(over="ignore"), pytest.raises(at.InvalidSetting, match="bias has values that"):
        from_torch(single)


def test_a_small_file_does_not_take_much_memory(tmp_path):
    one = torch.ones(1)
    torch.save({"core.weight_hh_l0": one.expand(40000, 40000)}, tmp_path / "a.pt")
    with pytest.raises(at.FileProblem, match="its tensors would take more than"):
        from_torch(tmp_path / "a.pt")
    torch.save({"core.weight_hh_l0": torch.zeros(1000, 1000)}, tmp_path / "b.pt")
    with (
        zipfile.ZipFile(tmp_path / "b.pt") as stored,
        zipfile.ZipFile(tmp_path / "c.pt", "w", zipfile.ZIP_DEFLATED) as packed,
    ):
        for name in stored.namelist():
            packed.writestr(name, stored.read(name))
    with pytest.raises(at.FileProblem, match="its parts are compressed"):
        from_torch(tmp_path / "c.pt")


def test_steps_may_be_given_a_length(module):
    network = from_torch(module.state_dict(), dt=20.0)
    assert (network.model.tau, network.model.dt) == (20.0, 20.0)
    with pytest.raises(at.InvalidSetting, match="tau is for networks of currents"):
        from_torch(module.state_dict(), tau=20.0)


def test_sparse_tensors_and_tied_weights_are_read(module):
    state = deepcopy(module.state_dict())
    state["out.weight"] = state["out.weight"].to_sparse()
    same(from_torch(state), module)
