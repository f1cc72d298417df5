import io
import os
import re
import zipfile
from pathlib import Path

import pytest
import torch
from safetensors.torch import save
from sourcing import PAGE, STATE, assert_same, rejection, saved, sha256, source_of

from foldwise.nets.weights import checkpoint
from foldwise.nets.weights.sources import open_checkpoint
from foldwise.nets.weights.tensors import TrainedOn, write_trained_weights


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("w.safetensors", save(STATE)),
        ("w.pt", saved(STATE)),
        ("w.pth", saved(STATE, _use_new_zipfile_serialization=False)),
    ],
)
def test_every_format_gives_the_same_state(opened, name, content):
    source = opened(content, name)
    assert_same(source.state_dict)
    assert source.sha256 == sha256(content)
    assert source.title.endswith(name)
    assert source.trained_on is None


def test_what_is_hashed_is_parsed(opened, monkeypatch):
    reads = []
    read = Path.read_bytes
    monkeypatch.setattr(Path, "read_bytes", lambda path: reads.append(path) or read(path))
    opened(save(STATE), "w.safetensors")
    assert len(reads) == 1


def test_module_named_module_stays(opened):
    state = {"module.weight": torch.ones(2), "other.weight": torch.ones(2)}
    assert_same(opened(saved(state)).state_dict, state)


def test_old_names_of_densenets_become_those_of_today(opened):
    old = "features.denseblock1.denselayer2.norm.1.weight"
    state = {old: torch.ones(2), "features.transition1.norm.weight": torch.ones(2)}
    assert opened(saved(state)).state_dict.keys() == {
        "features.denseblock1.denselayer2.norm1.weight",
        "features.transition1.norm.weight",
    }


def test_wrong_hash_names_both(tmp_path):
    (tmp_path / "w.pt").write_bytes(saved(STATE))
    source = source_of(tmp_path / "w.pt", b"another")
    message = rejection(open_checkpoint, source, "resnet18")
    assert (
        f"SHA-256 is {sha256(saved(STATE))}, but weights_sha256 is {source.weights_sha256}"
        in message
    )


@pytest.mark.parametrize(
    ("name", "reason"), [("no.pt", "No such file or directory"), ("dir.pt", "Is a directory")]
)
def test_missing_file(tmp_path, name, reason):
    (tmp_path / "dir.pt").mkdir()
    message = rejection(open_checkpoint, source_of(tmp_path / name, b""), "resnet18")
    assert f"{name} cannot be read ({reason}); correct the path" in message


@pytest.mark.parametrize("suffix", ["pt", "safetensors"])
@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x80\x02",
        b"PK\x03\x04",
        b"\xff" * 99,
    ],
)
def test_what_is_no_file_of_weights_is_refused(opened, suffix, content):
    message = rejection(opened, content, f"broken.{suffix}")
    assert "is damaged" in message
    assert message.endswith("preferably as safetensors")


def archive(*names):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as file:
        for name in names:
            file.writestr(name, "")
    return stream.getvalue()


@pytest.mark.parametrize("name", ["w.pt", "w.safetensors", "w.pt2"])
@pytest.mark.parametrize(
    ("content", "kind", "remedy"),
    [
        (PAGE, "HTML page", "download the file itself"),
        (b"version https://git-lfs.github.com/spec/v1\n", "Git LFS", "git lfs pull"),
        (b"\x89HDF\r\n\x1a\n" + bytes(9), "HDF5", "convert it"),
        (b"\x08\x08\x12\x07pytorch", "ONNX", "convert it"),
        (b'{"weight_map": {}}', "JSON", "file with the weights"),
        (bytes(257) + b"ustar", "tar archive", "unpack it"),
        (archive("a/models/model.json", "a/data/weights/0"), "torch.export", "torch.export.load"),
        (archive("a/data.pkl", "a/constants.pkl"), "TorchScript", "torch.jit.load"),
        (archive("weight.npy"), "NumPy", "convert it"),
        (archive("model.pth"), "zip archive", "unpack it"),
    ],
)
def test_file_of_another_format_is_named_with_the_remedy(opened, name, content, kind, remedy):
    what, _, mending = rejection(opened, content, name).partition("; ")
    assert kind in what
    assert remedy in mending


@pytest.mark.parametrize(
    "name", ["w.ckpt", "w.bin", "w.pth.tar", "w.pt2", "w.safetensors", "./w", "w.pt"]
)
@pytest.mark.parametrize("content", [saved(STATE), save(STATE)])
def test_bytes_tell_the_format_not_the_ending(opened, name, content):
    assert_same(opened(content, name).state_dict)


@pytest.mark.parametrize("share", [0.3, 0.5, 0.9])
@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("half.safetensors", save(STATE)),
        ("half.pt", saved(STATE)),
        ("half.pth", saved(STATE, _use_new_zipfile_serialization=False)),
    ],
)
@pytest.mark.parametrize("trust_pickle", [True, False])
def test_truncated_file_is_refused(opened, name, content, share, trust_pickle):
    cut = content[: int(share * len(content))]
    message = rejection(opened, cut, name, trust_pickle=trust_pickle)
    assert "is damaged" in message or "cannot be unpickled" in message


@pytest.mark.parametrize("step", [7, pytest.param(1, marks=pytest.mark.slow)])
def test_wherever_a_file_of_old_is_cut_it_is_refused(opened, step):
    """Its pickles hold addresses, which differ in length from run to run."""
    content = saved(STATE, _use_new_zipfile_serialization=False)
    for end in range(1, len(content), step):
        assert "is damaged" in rejection(opened, content[:end], "half.pth")


@pytest.mark.parametrize("content", [torch.ones(2), [STATE], {3: torch.ones(2)}])
def test_file_that_holds_no_names_is_refused(opened, content):
    message = rejection(opened, saved(content))
    assert f"contains a {type(content).__name__}; expected a state_dict" in message


def test_advice_of_torch_to_open_it_nevertheless_is_not_passed_on(opened):
    assert "(Unsupported operand 255); save" in rejection(opened, b"\xff" * 99)


def test_own_weights_say_what_they_were_trained_on(opened, tmp_path):
    known = TrainedOn(data="digits", channels=1, height=8, width=8, mean=[0.3], std=[0.4])
    write_trained_weights(tmp_path / "0-0", STATE, known)
    source = opened((tmp_path / "0-0" / "weights.safetensors").read_bytes(), "weights.safetensors")
    assert_same(source.state_dict)
    assert source.trained_on == known


def test_foreign_metadata_says_nothing(opened):
    assert opened(save(STATE, {"format": "pt"}), "w.safetensors").trained_on is None


@pytest.mark.parametrize(
    "record",
    [
        *("{", "{}", '{"data": 3}', "null", "[" * 9999),
        '{"data": "d\\n", "channels": 1, "height": 9, "width": 9, "mean": [0.5], "std": [0.5]}',
        '{"data": "d", "channels": -1, "height": 9, "width": 9, "mean": [0.5], "std": [0.5]}',
        '{"data": "d", "channels": 1, "height": 9, "width": 9, "mean": [1e308], "std": [0.5]}',
    ],
)
def test_broken_record_is_refused(opened, record):
    message = rejection(opened, save(STATE, {"foldwise": record}), "w.safetensors")
    assert "record of its training images is damaged" in message


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("fifo", "not a regular file"),
        ("device", "not a regular file"),
        ("20 GB", "21,474,836,480 bytes, over 4,294,967,296"),
    ],
)
@pytest.mark.parametrize("suffix", ["pt", "safetensors"])
def test_file_that_never_ends_is_not_read(tmp_path, kind, reason, suffix):
    path = tmp_path / f"w.{suffix}"
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "device":
        path.symlink_to("/dev/zero")
    else:
        path.touch()
        os.truncate(path, 20 * 2**30)
    message = rejection(open_checkpoint, source_of(path, b""), "resnet18")
    assert f"w.{suffix} cannot be read ({reason}); correct the path" in message


@pytest.mark.parametrize("record", ["data", "tensors"])
@pytest.mark.parametrize("trust_pickle", [True, False])
def test_file_that_unpacks_to_more_than_it_has_is_not_unpacked(opened, record, trust_pickle):
    stream = io.BytesIO(saved(STATE))
    name = "archive/data.pkl" if record == "data" else "archive/data/99"
    with zipfile.ZipFile(stream, "a", zipfile.ZIP_DEFLATED) as file:
        file.writestr(name.replace("data.pkl", "x/data.pkl"), bytes(10**7))
    message = rejection(opened, stream.getvalue(), trust_pickle=trust_pickle)
    assert re.search(r"unpacks to 10,\d{3},\d{3} bytes; save", message)


@pytest.mark.parametrize("new", [True, False])
def test_state_that_contains_itself_is_read_once(opened, new):
    state = dict(STATE)
    state["state_dict"] = state
    assert_same(opened(saved(state, _use_new_zipfile_serialization=new)).state_dict)


def test_many_empty_tensors_are_refused(opened, monkeypatch):
    monkeypatch.setattr(checkpoint, "MAX_TENSORS", 500)
    content = save({str(index): torch.empty(0) for index in range(501)})
    message = rejection(opened, content, "w.safetensors")
    assert "contains 501 tensors, over 500; give" in message


@pytest.mark.parametrize("name", ["a\nb", "\x1b[31m", "x" * 501])
def test_name_that_no_module_has_is_refused(opened, name):
    content = save({**STATE, name: torch.ones(1)})
    assert "expected a state_dict of names" in rejection(opened, content, "w.safetensors")


def test_network_of_another_version_of_torch_is_one_line(opened):
    module = torch.nn.ReLU()
    del module.__dict__["_parameters"]
    message = rejection(opened, saved(module), trust_pickle=True)
    assert "a network without a state_dict" in message
    assert "_parameters" in message
