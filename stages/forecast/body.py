"""The part of a network that never trains, and what it makes of images made up."""

import numpy as np
import torch

from stages.build.network import construct
from stages.contracts.dataset import Dataset
from stages.contracts.features import Features
from stages.contracts.network import Network
from stages.extract.compute import Extractor, as_array
from stages.extract.params import ExtractSection
from stages.extract.plan import excess
from stages.forecast.made_up import first, normalisation, recipe
from stages.train.hardware import Hardware


class Body:
    """Runs once for all folds and epochs."""

    def __init__(self, network: Network, images: Dataset, hardware: Hardware) -> None:
        """Make the network.

        Args:
            network: With a cut.
            images: That go through it.
            hardware: Where.
        """
        self._network, self._images, self._hardware = network, images, hardware
        self._module = construct(network, {})
        self._one = self._extractor(1).probe()

    def extract(self, n: int) -> None:
        """Run on n augmented images."""
        extractor = self._extractor(n)
        for _ in extractor.view(0, recipe(self._images.info)):
            pass

    def features(self) -> Features:
        """Return features of all the images; of none of them the real ones."""
        one = as_array(self._one)
        array = np.repeat(one, self._images.info.n_train, axis=0)
        is_half = self._one.dtype == torch.bfloat16
        return Features("bfloat16" if is_half else "float32", array, [array])

    def is_kept(self, n_images: int, section: ExtractSection) -> bool:
        """Return whether the features of so many images are small enough."""
        n_bytes = self._one.numel() * self._one.element_size() * n_images * (1 + section.views)
        return excess(n_bytes, section) is None

    def _extractor(self, n: int) -> Extractor:
        cut = self._network.cut
        assert cut is not None
        given = normalisation(self._network)
        return Extractor(self._module, cut, first(self._images, n), given, self._hardware)
