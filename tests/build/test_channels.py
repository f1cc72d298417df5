import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional

from stages.build.channels import adapt_channels, adapt_kernel, first_convolution


def test_grey_image_gets_the_answer_of_the_same_image_in_colour():
    torch.manual_seed(0)
    kernel, grey = torch.randn(8, 3, 5, 5), torch.randn(2, 1, 9, 9)
    colour = functional.conv2d(grey.expand(2, 3, 9, 9), kernel)
    assert torch.allclose(functional.conv2d(grey, adapt_kernel(kernel, 1)), colour, atol=1e-4)


def test_same_channels_change_nothing():
    kernel = torch.randn(8, 3, 5, 5)
    assert adapt_kernel(kernel, 3) is kernel


def test_more_channels_repeat_in_turn():
    """As timm's adapt_input_conv: repeated, cut, and scaled by 3 / channels."""
    kernel = torch.randn(8, 3, 5, 5)
    expected = torch.cat([kernel, kernel], dim=1)[:, :5] * (3 / 5)
    assert torch.equal(adapt_kernel(kernel, 5), expected)
    assert torch.equal(adapt_kernel(kernel, 2), kernel[:, :2] * 1.5)


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
    name, convolution = first_convolution(module)
    assert name == "0.0"
    assert convolution.weight.requires_grad
    assert (convolution.stride, convolution.padding, convolution.dilation) == (
        *((2, 2), (1, 1)),
        (2, 2),
    )
    assert torch.equal(convolution.bias, bias)
    assert module[1].weight is second
    assert module(torch.randn(1, 1, 8, 8)).shape[1] == 5
