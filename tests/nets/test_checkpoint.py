import argparse
import io
import os
import pickle

import pytest
import torch
from sourcing import STATE, assert_same, rejection, saved
from torch import nn


class Evil:
    """Unpickled, it makes a folder."""

    def __init__(self, canary):
        self.canary = canary

    def __reduce__(self):
        return os.mkdir, (str(self.canary),)


class Missing(nn.Module):
    """A network whose file is lost once the test has removed it."""


def evils(canary):
    for protocol in (0, 2, 3, 4, 5):
        yield pickle.dumps(Evil(canary), protocol)
        yield pickle.dumps({"state_dict": STATE["one.bias"], "x": Evil(canary)}, protocol)
    for how in ({}, {"_use_new_zipfile_serialization": False}, {"pickle_protocol": 4}):
        yield saved({**STATE, "one.bias": Evil(canary)}, **how)
        yield saved(Evil(canary), **how)


def test_nothing_runs_that_is_not_trusted(opened, tmp_path):
    canary = tmp_path / "canary"
    for content in evils(canary):
        message = rejection(opened, content, "evil.pt")
        assert "would run " in message
        assert "posix.mkdir" in message
        assert "set trust_pickle: true beside weights_sha256" in message
        rejection(opened, content, "evil.safetensors")
        rejection(opened, content, "evil.safetensors", trust_pickle=True)
        assert not canary.exists()
    # The trap works: whoever unpickles it is caught.
    for content in evils(canary):
        if content.startswith(b"PK") or content.startswith(b"\x80\x02\x8a"):
            torch.load(io.BytesIO(content), weights_only=False)
        else:
            pickle.loads(content)
        canary.rmdir()


def test_pickle_with_a_state_behind_it_is_not_trusted(opened, tmp_path):
    """A zip file of tensors at the end must not hide the pickle at the beginning."""
    content = pickle.dumps(Evil(tmp_path / "canary")) + saved(STATE)
    assert "would run posix.mkdir" in rejection(opened, content)
    assert not (tmp_path / "canary").exists()


def test_options_of_a_training_script_need_no_trust(opened, tmp_path):
    options = argparse.Namespace(lr=0.1, layers=[1, 2])
    assert_same(opened(saved({"model": STATE, "args": options})).state_dict)
    options.data = Evil(tmp_path / "canary")
    assert "run posix.mkdir; " in rejection(opened, saved({"model": STATE, "args": options}))
    assert not (tmp_path / "canary").exists()


@pytest.mark.parametrize("zipped", [True, False])
def test_saved_network_needs_trust(opened, zipped):
    module = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.BatchNorm1d(3))
    content = saved(module, _use_new_zipfile_serialization=zipped)
    assert (
        "would run torch.nn.modules.activation.ReLU, torch.nn.modules.batchnorm.BatchNorm1d, "
        "torch.nn.modules.container.Sequential, torch.nn.modules.linear.Linear; give"
    ) in rejection(opened, content)
    assert_same(opened(content, trust_pickle=True).state_dict, module.state_dict())


def test_saved_network_in_a_checkpoint_is_taken_if_trusted(opened):
    module = nn.Linear(2, 3)
    source = opened(saved({"model": module, "epoch": 3}), trust_pickle=True)
    assert_same(source.state_dict, module.state_dict())


def test_trusted_file_is_first_read_as_one_that_is_not(opened, monkeypatch):
    modes = []
    load = torch.load
    monkeypatch.setattr(
        torch,
        "load",
        lambda *given, **how: modes.append(how["weights_only"]) or load(*given, **how),
    )
    opened(saved(STATE), trust_pickle=True)
    assert modes == [True]
    opened(saved(nn.Linear(2, 2)), trust_pickle=True)
    assert modes == [True, True, False]


def test_trusted_network_whose_class_is_gone(opened, monkeypatch):
    content = saved(Missing())
    monkeypatch.delattr(f"{__name__}.Missing")
    message = rejection(opened, content, trust_pickle=True)
    assert "cannot be unpickled (AttributeError: " in message
    assert "give the state_dict of the network" in message


def test_many_names_are_counted(opened):
    body = b"".join(b"cmodule\nname%02d\n0" % index for index in range(25))
    message = rejection(opened, b"\x80\x02" + body + b"N.")
    assert "would run module.name00, " in message
    assert "module.name19 and 5 more; " in message


def test_name_out_of_the_memo_is_found(opened):
    content = b"\x80\x04\x8c\x05posixq\x050h\x05\x8c\x05mkdir\x93N."
    assert "would run posix.mkdir; " in rejection(opened, content)


def test_name_that_is_put_together_later_is_a_question_mark(opened):
    content = b"\x80\x04\x8c\x02osN\x93."
    assert "would run os.?; " in rejection(opened, content)


def test_names_cannot_write_on_the_screen(opened):
    content = b"\x80\x04\x8c\x02os\x8c\x0a\n\x1b[2Jsafe!\x93."
    assert r"'os.\n\x1b[2Jsafe!'" in rejection(opened, content)
