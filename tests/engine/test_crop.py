import itertools

import pytest
import torch
from torch import nn
from torchvision.models import resnet18

from foldwise.engine.crop import CroppedConv2d, crop_kernels, useful_taps

AXES = [
    (size, kernel, stride, padding)
    for size, kernel, stride, padding in itertools.product(
        range(1, 7), (1, 2, 3, 5, 7), (1, 2, 3), (0, 1, 2, 3)
    )
    if size + 2 * padding >= kernel
]


def outcome(images, conv, upstream):
    """Return the output of a convolution, and the gradients of all that went in."""
    out = conv(images)
    if upstream is None:
        upstream = torch.randn_like(out)
    grads = torch.autograd.grad(out, (images, *conv.parameters()), upstream)
    return (out, *grads), upstream


def test_outputs_and_gradients_are_those_of_the_whole_kernel():
    """All shapes that small maps may have, of unlike height and width."""
    torch.manual_seed(0)
    cropped = 0
    for axis, other in zip(AXES, reversed(AXES), strict=True):
        sizes, kernels, strides, paddings = zip(axis, other, strict=True)
        conv = nn.Conv2d(4, 6, kernels, strides, paddings, groups=2, dtype=torch.float64)
        images = torch.randn(3, 4, *sizes, dtype=torch.float64, requires_grad=True)
        whole, upstream = outcome(images, conv, None)
        part, _ = outcome(images, crop_kernels(conv), upstream)
        torch.testing.assert_close(part, whole)
        cropped += useful_taps(*axis)[0] != slice(0, axis[1])
    assert cropped > len(AXES) / 10


def test_taps_are_left_out_up_to_the_first_that_sees_a_pixel_and_from_the_last():
    """Taps that see nothing have a gradient of zero."""
    torch.manual_seed(0)
    for size, kernel, stride, padding in AXES:
        weight = torch.randn(1, 1, kernel, requires_grad=True)
        signal = torch.rand(1, 1, size) + 1
        nn.functional.conv1d(signal, weight, None, stride, padding).sum().backward()
        (see,) = weight.grad[0, 0].numpy().nonzero()
        taps, _ = useful_taps(size, kernel, stride, padding)
        if len(see) == 0:
            assert taps == slice(0, kernel)
            continue
        is_usual = stride == 1 and padding == kernel // 2 and kernel % 2
        if is_usual or taps != slice(0, kernel):
            assert (taps.start, taps.stop) == (see[0], see[-1] + 1)


@pytest.mark.parametrize(
    "keywords",
    [
        {"padding": "same"},
        {"padding": "valid"},
        {"padding": 2, "dilation": 2},
        {"padding": 1, "padding_mode": "reflect"},
        {"padding": (1, 2)},
    ],
)
def test_other_convolutions_are_left_alone(keywords):
    torch.manual_seed(0)
    conv, images = nn.Conv2d(3, 4, 3, **keywords), torch.randn(2, 3, 5, 5)
    whole = conv(images)
    assert torch.equal(crop_kernels(conv)(images), whole)


def test_a_class_of_its_own_stays():
    class Doubled(nn.Conv2d):
        def forward(self, images):
            return 2 * super().forward(images)

    assert type(crop_kernels(Doubled(3, 4, 3))) is Doubled


def test_torch_still_lets_a_convolution_change_its_class():
    conv, calls = nn.Conv2d(1, 2, 3, padding=1), []
    conv.register_forward_hook(lambda *_: calls.append(1))
    parameters = list(conv.parameters())
    reason = "this torch forbids changing the class of nn.Conv2d: build a new module in crop.py"
    assert type(crop_kernels(conv)) is CroppedConv2d, reason
    assert vars(conv).keys() == vars(CroppedConv2d(1, 2, 3)).keys(), reason
    conv(torch.zeros(1, 1, 1, 1))
    assert calls == [1], reason
    kept = zip(conv.parameters(), parameters, strict=True)
    assert all(after is before for after, before in kept), reason


def test_a_network_gives_what_it_gave():
    torch.manual_seed(0)
    network, images = resnet18(num_classes=10).eval(), torch.randn(2, 3, 28, 28)
    names = list(network.state_dict())
    with torch.inference_mode():
        whole = network(images)
        torch.testing.assert_close(crop_kernels(network)(images), whole)
    assert list(network.state_dict()) == names
