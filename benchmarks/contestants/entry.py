"""The input of all contestants."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from foldwise.data.folds import training_indices, training_steps, validation_indices
from foldwise.engine.hardware import choose_hardware
from foldwise.engine.optimiser import one_cycle
from foldwise.files.dataset import Dataset, read_dataset
from foldwise.files.network import ChannelStatistics, Network, read_network
from foldwise.files.params import AugmentSection, HardwareSection, TrainSection, read_params
from foldwise.files.split import Split, read_recipe, read_split
from foldwise.nets.network import construct


@dataclass(frozen=True)
class Entry:
    """A case, opened for one run.

    Attributes:
        data: Images, folds and augmentation.
        network: The network, with one normalisation for all folds.
        section: The train section of params.yaml.
        hardware: The hardware section; only Foldwise uses its precision.
        folds: Numbers of the folds to train.
        seed: Seed of all random draws.
        workers: DataLoader processes, for contestants that use them.
    """

    data: tuple[Dataset, Split, AugmentSection]
    network: Network
    section: TrainSection
    hardware: HardwareSection
    folds: list[int]
    seed: int
    workers: int

    @property
    def device(self) -> torch.device:
        """Device to train on."""
        return choose_hardware(self.hardware).device

    def training(self, fold: int) -> NDArray[np.int64]:
        """Return the positions of the training images of a fold."""
        return training_indices(self.data[1], fold)

    def validation(self, fold: int) -> NDArray[np.int64]:
        """Return the positions of the validation images of a fold."""
        return validation_indices(self.data[1], fold)

    def module(self, fold: int) -> nn.Module:
        """Return the network with fresh weights."""
        self.seed_torch(fold)
        return construct(self.network, {})

    def seed_torch(self, fold: int) -> None:
        """Seed the weights and, for the peers, batches and augmentation."""
        torch.manual_seed(1000 * self.seed + fold)

    def n_steps(self, fold: int) -> int:
        """Return the number of steps of the training."""
        n_train = len(self.training(fold))
        return training_steps(n_train, self.section.epochs, self.section.batch_size)

    def relative_lr(self, step: int, n_steps: int) -> float:
        """Return the learning rate of a step, relative to the highest."""
        return one_cycle(min(step, n_steps - 1), n_steps, self.section.warmup)


def open_entry(
    folder: Path,
    precision: Literal["float32", "bfloat16"],
    folds: list[int],
    seed: int,
    workers: int,
) -> Entry:
    """Return the case in a folder from `benchmarks.case.make`.

    This sets the number of threads of torch, and nothing else: Foldwise sets the rest for itself.

    Args:
        folder: Folder of the case.
        precision: Precision of Foldwise.
        folds: Numbers of the folds to train.
        seed: Seed of all random draws.
        workers: DataLoader processes.
    """
    params = read_params(folder / "params.yaml", "train", "hardware")
    torch.set_num_threads(params.hardware.threads)
    data, split = read_dataset(folder / "prepared"), read_split(folder / "split")
    means, stds = (
        np.mean(split.normalisation.mean, axis=0),
        np.mean(split.normalisation.std, axis=0),
    )
    statistics = ChannelStatistics(mean=means.tolist(), std=stds.tolist())
    network = read_network(folder / "network").model_copy(update={"normalisation": statistics})
    seeded = data.info.model_copy(update={"seed": seed})
    return Entry(
        data=(Dataset(seeded, data.images, data.labels), split, read_recipe(folder / "recipe")),
        network=network,
        section=params.train,
        hardware=params.hardware.model_copy(update={"precision": precision}),
        folds=folds,
        seed=seed,
        workers=workers,
    )
