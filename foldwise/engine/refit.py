"""Train the final networks: one on all training images, or those of the first folds again."""

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from foldwise.core.errors import InputError
from foldwise.data.digests import digest_images
from foldwise.data.folds import draw_train_eval_subset
from foldwise.data.split import fit_normalisation
from foldwise.engine.hardware import Hardware
from foldwise.engine.inputs import Fold, Place
from foldwise.engine.progress import SILENT, Progress
from foldwise.engine.training import open_fold, open_trainer
from foldwise.files.dataset import Dataset
from foldwise.files.features import Features
from foldwise.files.final import MemberTraining
from foldwise.files.network import ChannelStatistics, Network
from foldwise.files.params import AugmentSection, TrainSection
from foldwise.files.split import FoldDigests, Normalisation, Split

Refitted = tuple[dict[str, Tensor], ChannelStatistics, MemberTraining]
MAX_CURVE_IMAGES = 2000  # that measure the training curve
NO_FOLD = -1


def open_whole(
    data: tuple[Dataset, Split, AugmentSection],
    repeat: int,
    network: Network,
    device: torch.device,
) -> Fold:
    """Return all training images as a fold that no image validates.

    The random streams are those of the fold after the last one, which no comparison uses.

    Args:
        data: Data set, split of the repeat, and augmentation of the repeat.
        repeat: Its number.
        network: Its own normalisation, if it has one, replaces that of the training images.
        device: Device of the batches.
    """
    dataset, split, recipe = data
    n_train, seed, number = dataset.info.n_train, dataset.info.seed, split.n_folds
    images, labels = dataset.images[:n_train], dataset.labels[:n_train]
    fitted = fit_normalisation(images, np.full(n_train, NO_FOLD), 1)
    digest, digests = digest_images(images, labels), split.digests
    one_more = Split(
        split.fold,
        Normalisation(
            mean=[*split.normalisation.mean, *fitted.mean],
            std=[*split.normalisation.std, *fitted.std],
        ),
        FoldDigests(train=[*digests.train, digest], validation=[*digests.validation, digest]),
    )
    fold = open_fold((dataset, one_more, recipe), (repeat, number), network, Features(), device)
    subset = draw_train_eval_subset(fold.training, MAX_CURVE_IMAGES, seed, (repeat, number))
    # The trainer needs an image that validates; its score is not used.
    return replace(fold, n_folds=number, train_eval_subset=subset, validation=subset[:1])


def open_members(
    data: tuple[Dataset, Split, AugmentSection],
    place: Place,
    network: Network,
    device: torch.device,
) -> list[Fold]:
    """Return what the members train on: all training images, or those of the first folds.

    Args:
        data: Data set, split of the repeat, and augmentation of the repeat.
        place: The repeat, and the number of members.
        network: The network.
        device: Device of the batches.
    """
    repeat, members = place
    if members == 1:
        return [open_whole(data, repeat, network, device)]
    return [open_fold(data, (repeat, n), network, Features(), device) for n in range(members)]


def refit(
    network: Network,
    weights: dict[str, Tensor],
    fold: Fold,
    section: TrainSection,
    hardware: Hardware,
    progress: Progress = SILENT,
) -> Refitted:
    """Return the trained tensors, the normalisation and the training of a member.

    On the images of a fold it gets the weights of that fold's training, except where that training
    takes cached features of frozen layers: here, each epoch draws its own augmentation.

    Args:
        network: Description of the network, with its learning rate.
        weights: Its pretrained tensors by name; empty if it has none.
        fold: What the member trains on.
        section: How to train.
        hardware: Device, precision and threads, from `set_up`.
        progress: Receives steps and epochs.

    Raises:
        InputError: If the training diverges, or ends before the epoch in which a layer thaws.
    """
    _require_thawed(network, section.epochs)
    trainer, state = open_trainer(network, weights, fold, section, hardware)
    result = trainer.fit(progress)
    if result.diverged is not None:
        raise InputError(
            f"{network.name} diverged ({result.diverged}); set a lower learning_rate for it in "
            "params.yaml, or choose another architecture in final/params.yaml"
        )
    last = result.curves[-1]
    training = MemberTraining(
        n_train=len(fold.training),
        epochs=last.epoch,
        train_loss=last.train_loss,
        train_accuracy=last.train_accuracy,
        train_seconds=round(result.train_seconds, 3),
    )
    tensors = {name: tensor.detach().cpu().clone() for name, tensor in state.items()}
    return tensors, fold.normalisation, training


def _require_thawed(network: Network, epochs: int) -> None:
    """Require what Params requires of the comparison: every layer that thaws does so in time."""
    last = max((thaw.at_epoch for thaw in network.thaw), default=0)
    if last > epochs:
        raise InputError(
            f"final/params.yaml: epochs is {epochs}; {network.name} thaws layers at epoch {last}, "
            "which would never train: set at least that"
        )
