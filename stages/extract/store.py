"""From a network with a frozen part to the files of its features."""

from pathlib import Path

import torch

from stages.build.network import construct
from stages.contracts.dataset import Dataset
from stages.contracts.features import PLAIN, Dtype, FeaturesInfo, create_array
from stages.contracts.network import Network
from stages.contracts.recipe import Recipe
from stages.contracts.weights import read_start
from stages.extract.compute import Extractor, as_array
from stages.extract.params import ExtractParams
from stages.extract.plan import excess, view_names
from stages.train.hardware import set_up


def store(
    folder: Path, network: Network, start: Path, data: tuple[Dataset, Recipe], params: ExtractParams
) -> FeaturesInfo:
    """Write the features of all training images, and return what was written.

    Args:
        folder: Where to.
        network: With a cut and a normalisation of its own.
        start: Folder of its pretrained weights.
        data: The images and their augmentation.
        params: How many views, and where to run.
    """
    dataset, recipe = data
    assert network.cut is not None
    assert network.normalisation is not None
    hardware = set_up(params.hardware)
    torch.manual_seed(dataset.info.seed)  # what is not pretrained does not count here
    module = construct(network, read_start(start))
    extractor = Extractor(module, network.cut, dataset, network.normalisation, hardware)
    one = extractor.probe()
    dtype: Dtype = "bfloat16" if one.dtype == torch.bfloat16 else "float32"
    shape = (dataset.info.n_train, *as_array(one).shape[1:])
    views = view_names(recipe, params.extract)
    n_bytes = one.numel() * one.element_size() * shape[0] * (1 + len(views))
    reason = excess(n_bytes, params.extract)
    if reason is not None:
        return FeaturesInfo(views=[], dtype=dtype, reason=reason)
    array = create_array(folder, PLAIN, shape, dtype)
    for place, values in extractor.plain():
        array[place] = values
    for number, name in enumerate(views):
        array = create_array(folder, name, shape, dtype)
        for place, values in extractor.view(number, recipe):
            array[place] = values
    return FeaturesInfo(views=views or [PLAIN], dtype=dtype, reason=None)
