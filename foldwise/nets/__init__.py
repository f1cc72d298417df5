"""Networks: architectures, adapting, composing, weights and freezing.

>>> import numpy as np
>>> from foldwise.data import dataset_from_arrays
>>> from foldwise.nets import BuildSection, construct, count_macs, fit_network
>>> images = np.zeros((20, 28, 28, 1), dtype=np.uint8)
>>> dataset = dataset_from_arrays(images, np.arange(20) % 10, list("abcdefghij"))
>>> network = fit_network("resnet18", BuildSection(architectures={}), dataset.info)
>>> module = construct(network, weights={})
>>> sum(parameter.numel() for parameter in module.parameters())
11175370
"""

from foldwise.core.exports import lazy_exports

__getattr__, __all__ = lazy_exports(
    {
        "foldwise.files.architecture": "ArchitectureSection BuildSection",
        "foldwise.files.network": "Network",
        "foldwise.nets.cost": "count_macs",
        "foldwise.nets.network": "construct loss_of",
        "foldwise.nets.resolve": "fit_network",
    }
)
