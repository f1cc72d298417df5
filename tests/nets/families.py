"""Of every family of torchvision, the smallest network, and which tests are slow."""

import pytest

from foldwise.files.catalogue import TORCHVISION_MODELS

FAMILIES = (
    *("alexnet", "vgg11", "vgg11_bn", "googlenet", "inception_v3", "resnet18"),
    *("wide_resnet50_2", "resnext50_32x4d", "densenet121", "squeezenet1_1", "mobilenet_v2"),
    *("mobilenet_v3_small", "mnasnet0_5", "shufflenet_v2_x0_5", "efficientnet_b0"),
    *("efficientnet_v2_s", "regnet_x_400mf", "regnet_y_400mf", "convnext_tiny", "vit_b_32"),
    *("swin_t", "swin_v2_t", "maxvit_t"),
)
# The code of a network that is tested, repeated more often or wider.
DEEPER = {"resnet56", "resnet110", *TORCHVISION_MODELS} - {*FAMILIES}


def mostly_slow(names, quick):
    """Return the parameters of a test; those that are not quick run with the slow tests."""
    marks = [() if name in quick else pytest.mark.slow for name in names]
    return [
        pytest.param(*(name if isinstance(name, tuple) else (name,)), marks=mark)
        for name, mark in zip(names, marks, strict=True)
    ]
