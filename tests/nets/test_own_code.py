"""Networks as people write them: what trains as it is, and what is refused with the true reason."""

import pytest
import torch

from foldwise.core.errors import InputError
from foldwise.engine.hardware import choose_hardware
from foldwise.files.network import Thaw
from foldwise.files.params import HardwareSection
from foldwise.nets.network import construct, train_mode
from foldwise.nets.proof import CONTIGUOUS, prove_trainable, require_fit

TEMPLATE = """
import torch
from torch import nn
from torch.nn import functional as F


class Net(nn.Module):
    def __init__(self, n_classes):
        super().__init__()
        self.body = nn.Conv2d({channels}, 8, 3, padding=1)
        self.head = nn.Linear({width}, n_classes)
        {extra}

    def forward(self, x):
        {forward}
"""


def source(forward, extra="pass", width=8, channels=3):
    lines = "\n        ".join(forward.split("; "))
    return TEMPLATE.format(forward=lines, extra=extra, width=width, channels=channels)


POOLED = "return self.head(self.body(x).mean((2, 3)))"
VIEW = source(
    "x = F.max_pool2d(F.relu(self.body(x)), 2); return self.head(x.view(-1, 128))", width=128
)
SPECTRUM = source(
    "y = torch.fft.rfft2(self.body(x)) * torch.view_as_complex(self.filter); "
    "return self.head(torch.fft.irfft2(y).mean((2, 3)))",
    extra="self.filter = nn.Parameter(torch.randn(8, 8, 5, 2))",
)


@pytest.fixture
def own(network_of, tmp_path, monkeypatch):
    """Return a network of a source in the user's own file, for 8×8 images."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "nets").mkdir()

    def own(text, channels=3, **section):
        (tmp_path / "nets" / "mine.py").write_text(text)
        network = network_of("net", channels, 8, file="nets/mine.py:Net", **section)
        require_fit(network)
        return network

    return own


def rejection(own, text, *given, **section):
    with pytest.raises(InputError) as caught:
        prove_trainable(own(text, *given, **section), {}, seed=0)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("text", [VIEW, SPECTRUM], ids=["view", "complex filter"])
def test_code_that_does_not_take_channels_last_trains_contiguous(own, text, channels):
    network, cautions = prove_trainable(own(text, channels), {}, seed=0)
    assert network.contiguous
    assert cautions == [CONTIGUOUS]
    hardware = choose_hardware(HardwareSection(device="cpu", precision="float32", threads=1))
    module = hardware.place(construct(network, {}), contiguous=True)
    images = torch.randn(4, 8, 8, channels).permute(0, 3, 1, 2)
    module(images).sum().backward()
    assert module.body.weight.grad is not None
    torch.testing.assert_close(module(images), module(images.contiguous()))


def test_other_code_trains_with_channels_last(own):
    network, cautions = prove_trainable(own(source(POOLED)), {}, seed=0)
    assert not network.contiguous
    assert cautions == []


FIXED = source(
    "return self.head((self.body(x) * self.scale).mean((2, 3)))",
    extra="self.scale = nn.Parameter(torch.ones(8, 1, 1), requires_grad=False)",
)


def test_parameters_that_its_own_code_freezes_never_train(own):
    network = own(FIXED, policy="scratch")
    assert network.fixed == ["scale"]
    module = construct(network, {})
    assert {n for n, one in module.named_parameters() if not one.requires_grad} == {"scale"}
    prove_trainable(network, {}, seed=0)


def test_what_thaws_trains_but_for_what_its_own_code_freezes(own):
    text = source(
        "return self.head((self.body(x) + self.fine(x)).mean((2, 3)))",
        extra="self.fine = nn.Conv2d(3, 8, 3, padding=1); self.fine.weight = self.body.weight; "
        "self.fine.bias.requires_grad_(False)",
    )
    # The tied weight has the name body.weight, and thaws with fine.
    thaw = [Thaw(at_epoch=2, layers=["fine"], learning_rate=None)]
    network = own(text, policy="scratch").model_copy(update={"frozen": ["fine"], "thaw": thaw})
    module = construct(network, {})
    assert not module.fine.weight.requires_grad
    train_mode(module, network, 2)
    assert module.fine.weight.requires_grad
    assert not module.fine.bias.requires_grad


def test_batch_norm_with_fixed_scales_still_follows_its_batches(own):
    text = source(
        "return self.head(self.norm(self.body(x)).mean((2, 3)))",
        extra="self.norm = nn.BatchNorm2d(8).requires_grad_(False)",
    )
    assert construct(own(text, policy="scratch"), {}).norm.training


TIED = source(
    "return self.head((self.body(x) + self.fine(x)).mean((2, 3)))",
    extra="self.fine = nn.Conv2d(3, 8, 3, padding=1); self.fine.weight = self.body.weight",
)
SPECTRAL = source(POOLED, extra="nn.utils.spectral_norm(self.body)")


def test_what_takes_the_channels_already_stays_as_it_is(own):
    module = construct(own(TIED), {})
    assert module.fine.weight is module.body.weight
    prove_trainable(own(SPECTRAL), {}, seed=0)


@pytest.mark.parametrize(
    ("forward", "channels"),
    [
        (
            "line = torch.linspace(-1, 1, 8, device=x.device).expand(len(x), 2, 8, 8); "
            "return self.head(self.body(torch.cat([x, line], 1)).mean((2, 3)))",
            5,
        ),
        ("return self.head(self.body(F.pixel_unshuffle(x, 2)).mean((2, 3)))", 12),
    ],
    ids=["coordinates", "pixels as channels"],
)
def test_a_convolution_of_more_than_the_image_keeps_its_channels(own, forward, channels):
    network = own(source(forward, channels=channels))
    assert construct(network, {}).body.in_channels == channels


def test_layers_that_are_skipped_at_random_are_no_unused_ones(own):
    text = source(
        "x = self.body(x); x = x if self.training and torch.rand(1).item() < .5 else self.more(x); "
        "return self.head(x.mean((2, 3)))",
        extra="self.more = nn.Conv2d(8, 8, 3, padding=1)",
    )
    for seed in range(4):
        prove_trainable(own(text), {}, seed=seed)


def test_a_single_image_gives_a_single_row(own):
    text = source("return self.head(F.adaptive_avg_pool2d(self.body(x), 1).squeeze())")
    assert "tensor of shape (10,) in eval mode; expected logits of shape (1, 10)" in rejection(
        own, text
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            source("return self.head(self.boody(x))"),
            "net cannot run: AttributeError: 'Net' object has no attribute 'boody', in line 15 of "
            "mine.py; mend nets/mine.py",
        ),
        (
            source(POOLED, extra="self.size = 8 + None"),
            "'NoneType', in line 12 of mine.py; mend it",
        ),
        (
            source("return self.head(self.body(x).mean((2, 3)) * torch.linspace(-1, 1, 8))"),
            "create tensors with device=images.device",
        ),
        (
            source("x = x / 2 if x.max() > 1 else x; " + POOLED),
            "let no branch depend on their values",
        ),
    ],
)
def test_a_mistake_in_the_file_is_named_with_its_line(own, text, message):
    assert message in rejection(own, text)


PROTOTYPES = source(
    "return F.normalize(self.body(x).mean((2, 3))) @ self.prototypes.T",
    extra="del self.head; self.prototypes = nn.Parameter(torch.randn(n_classes, 8))",
)


def test_a_head_may_be_a_parameter(own):
    network = own(PROTOTYPES, body_learning_rate=0.1)
    assert network.heads == ["prototypes"]
    prove_trainable(network, {}, seed=0)


@pytest.mark.parametrize("width", ["10", "{10: 10}[n_classes]", "[10][n_classes - 10]"])
def test_a_head_that_does_not_depend_on_the_classes_is_none(own, width):
    text = source(POOLED).replace("nn.Linear(8, n_classes)", f"nn.Linear(8, {width})")
    prove_trainable(own(text), {}, seed=0)
    assert "its head is unknown" in rejection(own, text, body_learning_rate=0.1)
