import hashlib
import json
from pathlib import Path

import pytest
import torch

from foldwise.core.errors import InputError
from foldwise.files.network import read_card, read_network
from foldwise.nets.network import construct
from foldwise.nets.weights.tensors import digest_weights, read_initial_weights

ROOT = Path(__file__).parents[2]
FILES = ["network/network.json", "summary/card.json", "summary/latency.json", "summary/summary.txt"]

LOUD = """
from torch import nn


class Loud(nn.Sequential):
    def __init__(self, n_classes):
        super().__init__(nn.Conv2d(1, 9, 3), nn.Flatten(), nn.Linear(324, n_classes))

    def forward(self, images):
        return 1000 * super().forward(images)
"""


def contents(folder):
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_slim_vgg(build, capsys):
    network, summary = build("slim_vgg", 1, 28)
    assert capsys.readouterr().out == (
        f"build: slim_vgg, 925,482 parameters, 39.66 M MACs -> {network}\n"
    )
    card = read_card(summary)
    assert card.title == "Slim VGG: 5 convolutions in 2 blocks, after Simonyan and Zisserman 2015"
    assert card.defined_in == "foldwise.nets.zoo.slim_vgg"
    assert (card.input_shape, len(card.classes)) == ([1, 28, 28], 10)
    assert (card.parameters, card.trainable_parameters) == (925_482, 925_482)
    assert (card.macs, card.weights, card.loaded) == (39_655_434, "scratch", [])
    resolved = read_network(network)
    assert (resolved.builder, resolved.settings, resolved.frozen) == ("zoo.slim_vgg", {}, [])
    assert (resolved.channels, resolved.height, resolved.width) == (1, 28, 28)
    assert resolved.n_classes == 10
    assert resolved.weights_sha256 is None
    assert list(resolved.code) == ["foldwise.nets.zoo", "foldwise.nets.zoo.slim_vgg"]
    assert read_initial_weights(network) == {}
    text = (summary / "summary.txt").read_text()
    assert text.endswith("Weights: scratch\n")
    assert all(line == line.rstrip() for line in text.splitlines())
    assert "Total params: 925,482\n" in text
    assert "Total MACs (M): 39.66\n" in text


@pytest.mark.parametrize(
    "model", ["lenet5", pytest.param("mobilenet_v3_small", marks=pytest.mark.slow)]
)
def test_same_inputs_same_bytes_of_the_network(build, tmp_path, model):
    build(model, 3, 28, output="one")
    torch.manual_seed(99)
    build(model, 3, 28, output="other")
    assert contents(tmp_path / "one") == contents(tmp_path / "other")
    assert list(contents(tmp_path / "one")) == FILES


def test_architecture_of_torchvision(build):
    network, summary = build("resnet18", 1, 28)
    resolved, card = read_network(network), read_card(summary)
    assert resolved.builder == "from_library"
    assert resolved.settings == {"name": "resnet18"}
    assert "foldwise.nets.adapt" in resolved.code
    assert card.title == "resnet18 of torchvision: Deep Residual Learning for Image Recognition"
    assert card.parameters == 11_175_370
    assert card.changes == []  # it is as its source defines it


def test_overrides_of_another_architecture_change_nothing(build, tmp_path):
    build("lenet5", 1, 8, output="one")
    others = {"slim_vgg": {"learning_rate": 0.1}}
    network, _ = build("lenet5", 1, 8, output="other", architectures=others)
    assert contents(tmp_path / "one") == contents(tmp_path / "other")
    own = {"lenet5": {"learning_rate": 0.1, "weight_decay": 0.0}}
    network, _ = build("lenet5", 1, 8, output="own", architectures=own)
    training = json.loads((network / "network.json").read_text())["training"]
    assert training == {
        "learning_rate": 0.1,
        "weight_decay": 0.0,
        "body_learning_rate": None,
        "layer_decay": None,
    }


def test_pretrained_part_is_stored(build, weights_file, trained_state, capsys):
    said = weights_file(trained_state)
    sections = {"resnet18_transfer": said}
    network, summary = build("resnet18_transfer", 1, 32, architectures=sections)
    resolved, weights, card = (
        read_network(network),
        read_initial_weights(network),
        read_card(summary),
    )
    assert {name.split(".")[0] for name in weights} == {"conv1", "bn1", "layer1", "layer2"}
    stored = (network / "weights.safetensors").read_bytes()
    assert resolved.weights_sha256 == hashlib.sha256(stored).hexdigest() == digest_weights(weights)
    assert card.weights.endswith(f"weights.pt (SHA-256 {said['weights_sha256']})")
    assert (card.parameters, card.trainable_parameters) == (11_175_370, 10_498_570)
    assert " parameters (10,498,570 trained), " in capsys.readouterr().out
    module = construct(resolved, weights)
    assert torch.equal(module.layer1[0].conv1.weight, trained_state["layer1.0.conv1.weight"])
    text = (summary / "summary.txt").read_text()
    assert "(36,864)" in text  # torchinfo's brackets: frozen


def test_same_weights_same_bytes_and_changed_ones_are_not_loaded(
    build, weights_file, trained_state, tmp_path
):
    sections = {"resnet18_transfer": weights_file(trained_state)}
    for output in ("one", "other"):
        network, _ = build("resnet18_transfer", 3, 8, output=output, architectures=sections)
    assert contents(tmp_path / "one") == contents(tmp_path / "other")
    path = network / "weights.safetensors"
    for content in (path.read_bytes()[:-1] + b"x", b""):
        path.write_bytes(content)
        with pytest.raises(InputError, match=r"is missing or not .*network.json; run"):
            read_initial_weights(network)
    path.unlink()
    with pytest.raises(InputError, match="is missing or not the file"):
        read_initial_weights(network)


def test_weights_of_an_earlier_network_do_not_stay(build, tmp_path):
    earlier = tmp_path / "out" / "network" / "weights.safetensors"
    earlier.parent.mkdir(parents=True)
    earlier.write_bytes(b"earlier")
    network, _ = build("lenet5", 3, 32)
    assert earlier.parent == network
    assert not earlier.exists()


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ("alexnet", "alexnet needs at least 63×63 px"),
        ("resnet18_transfer", "model is 'resnet18_transfer'; expected build.architectures."),
        ("../raw", "model is '../raw'; expected the name of an architecture"),
        ("resnet8", "did you mean 'resnet18'"),
    ],
)
def test_nothing_is_written_if_refused(build, tmp_path, model, message):
    with pytest.raises(InputError, match=message):
        build(model, 1, 28)
    assert not (tmp_path / "out").exists()


def test_refusal_is_one_line_and_no_traceback(torch_process, tmp_path):
    (tmp_path / "params.yaml").write_text("build: {architectures: {}}\n")
    paths = {
        "params": tmp_path / "params.yaml",
        "dataset": tmp_path,
        "network": tmp_path / "network",
        "summary": tmp_path / "summary",
        "latency": tmp_path / "latency.json",
    }
    flags = [word for key, path in paths.items() for word in (f"--{key}", str(path))]
    words = ["-m", "stages.build", "--model", "x; touch P", *flags]
    done = torch_process.run(*words, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("error: model is 'x; touch P'; expected the name of an arch")
    assert len(done.stderr.splitlines()) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["params.yaml"]


def test_what_the_proof_finds_is_in_the_log_the_card_and_the_summary(
    build, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "nets").mkdir()
    (tmp_path / "nets" / "loud.py").write_text(LOUD)
    _, summary = build("loud", 1, 8, architectures={"loud": {"file": "nets/loud.py:Loud"}})
    (caution,) = read_card(summary).cautions
    assert caution.startswith("the first loss is ")
    assert f"build: caution: {caution}\n" in capsys.readouterr().out
    assert f"Caution: {caution}\n" in (summary / "summary.txt").read_text()
