"""The figures of the lesson that Foldwise grew from, as torchinfo 1.8.0 counts."""

import pytest
import torch
import torchinfo

from foldwise.nets.shapes import construct_shapes

FIGURES = [
    ("lenet5", (1, 28), 1, 61_706, 61_706, None),
    ("slim_vgg", (1, 28), 10, 925_482, 925_482, 396_554_340),
    ("vgg_resnet", (1, 32), 1, 2_325_002, 2_325_002, 361_633_418),
    ("vgg_resnet", (1, 32), 10, 2_325_002, 2_325_002, 3_616_334_180),
    ("resnet18_transfer", (3, 224), 10, 11_181_642, 10_498_570, 18_135_760_740),
]


@pytest.mark.parametrize(("model", "shape", "batch", "parameters", "trainable", "macs"), FIGURES)
def test_lesson_figures(network_of, model, shape, batch, parameters, trainable, macs):
    module = construct_shapes(network_of(model, *shape))
    images = torch.empty(batch, shape[0], shape[1], shape[1], device="meta")
    table = torchinfo.summary(module, input_data=images, device="meta", verbose=0)
    assert table.total_params == parameters
    assert table.trainable_params == trainable
    assert table.total_mult_adds == (macs or table.total_mult_adds)


def test_figures_without_numbers_are_those_with_numbers(network_of):
    from foldwise.nets.network import construct

    network = network_of("slim_vgg", 1, 28)
    real = torchinfo.summary(construct(network, {}), input_size=(10, 1, 28, 28), verbose=0)
    assert (real.total_params, real.total_mult_adds) == (925_482, 396_554_340)
