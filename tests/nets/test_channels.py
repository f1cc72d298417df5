import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional

from foldwise.nets.adapt import adapt_channels, adapt_kernel, first_convolution


def test_grey_image_gets_the_answer_of_the_same_image_in_colour():
    torch.manual_seed(0)
    kernel, grey = torch.randn(8, 3, 5, 5), torch.randn(2, 1, 9, 9)
    colour = functional.conv2d(grey.expand(2, 3, 9, 9), kernel)
    assert torch.allclose(functional.conv2d(grey, adapt_kernel(kernel, 1)), colour, atol=1e-4)


def test_same_channels_change_nothing():
    kernel = torch.randn(8, 3, 5, 5)
    assert adapt_kernel(kernel, 3) is kernel


def test_more_channels_repeat_in_turn():
    kernel = torch.randn(8, 3, 5, 5)
    expected = torch.cat([kernel, kernel], dim=1)[:, :5] * (3 / 5)
    assert torch.equal(adapt_kernel(kernel, 5), expected)
    assert torch.equal(adapt_kernel(kernel, 2), kernel[:, :2] * 1.5)


@pytest.mark.parametrize("channels", range(1, 9))
def test_kernel_is_that_of_timm(channels):
    timm = pytest.importorskip("timm.models")
    kernel = torch.randn(8, 3, 7, 7)
    theirs = timm.adapt_input_conv(channels, kernel.clone())
    assert torch.equal(adapt_kernel(kernel, channels), theirs)


@given(st.integers(1, 8), st.integers(1, 8), st.integers(1, 5))
def test_kernel_of_any_number_of_channels_becomes_one_of_any_other(given, channels, side):
    kernel = torch.randn(2, given, side, side)
    adapted = adapt_kernel(kernel, channels)
    assert adapted.shape == (2, channels, side, side)
    assert adapted.is_contiguous()
    if channels > 1:  # each channel is one of those given, up to the one factor
        for channel in range(channels):
            same = kernel[:, channel % given] * (1 if channels == given else given / channels)
            assert torch.equal(adapted[:, channel], same)


@given(st.integers(1, 4))
def test_images_of_repeated_channels_are_answered_as_strongly(times):
    kernel, image = torch.randn(8, 3, 5, 5), torch.randn(2, 3, 9, 9)
    answer = functional.conv2d(image.repeat(1, times, 1, 1), adapt_kernel(kernel, 3 * times))
    assert torch.allclose(answer, functional.conv2d(image, kernel), atol=1e-4)


@given(st.integers(1, 8))
def test_equal_channels_are_answered_as_strongly(channels):
    kernel = torch.ones(1, 3, 2, 2)
    adapted = adapt_kernel(kernel, channels)
    assert adapted.shape == (1, channels, 2, 2)
    assert adapted.sum().item() == pytest.approx(12)


def test_nothing_but_the_first_convolution_changes():
    module = nn.Sequential(
        nn.Sequential(nn.Conv2d(3, 4, 3, stride=2, padding=1, dilation=2)), nn.Conv2d(4, 5, 1)
    )
    bias, second = module[0][0].bias.detach().clone(), module[1].weight
    adapt_channels(module, 1)
    convolution = first_convolution(module)
    assert convolution is module[0][0]
    assert convolution.weight.requires_grad
    assert (convolution.stride, convolution.padding, convolution.dilation) == (
        *((2, 2), (1, 1)),
        (2, 2),
    )
    assert torch.equal(convolution.bias, bias)
    assert module[1].weight is second
    assert module(torch.randn(1, 1, 8, 8)).shape[1] == 5


@pytest.mark.parametrize(
    "first", [nn.Linear(9, 2), nn.Conv2d(3, 6, 3, groups=3)], ids=["linear", "separate channels"]
)
def test_network_that_begins_in_another_way_stays_as_it_is(first):
    module = nn.Sequential(nn.Identity(), first)
    weight = first.weight
    adapt_channels(module, 1)
    assert first.weight is weight
