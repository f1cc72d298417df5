"""Write model.safetensors and model.json after the training."""

import hashlib
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.torch import save

from foldwise.data.digests import digest_images
from foldwise.engine.refit import Refitted
from foldwise.files.base import write_json
from foldwise.files.dataset import Dataset
from foldwise.files.final import FORMAT, Choice, FinalModel
from foldwise.files.network import Network
from foldwise.nets.weights.tensors import METADATA_KEY, TrainedOn, WeightRecord, pack
from foldwise.ship.model import DESCRIPTION, WEIGHTS


def write_model(
    folder: Path,
    choice: Choice,
    network: Network,
    members: Sequence[Refitted],
    dataset: Dataset,
    images: tuple[TrainedOn, Sequence[NDArray[np.uint64]]],
) -> None:
    """Write model.safetensors and model.json, before calibration.

    Args:
        folder: Where to write.
        choice: What is shipped.
        network: Its description.
        members: Trained tensors, normalisation and training of each.
        dataset: The data set.
        images: Description of the images that trained; digests of these, and of those that the
            initial weights had seen.
    """
    info, single = dataset.info, len(members) == 1
    n, (trained_on, seen) = info.n_train, images
    record = WeightRecord(trained_on=trained_on, seen=pack(*seen))
    tensors = {
        name if single else f"{number}.{name}": tensor
        for number, (state, _, _) in enumerate(members)
        for name, tensor in state.items()
    }
    content = save(
        {name: tensor.contiguous() for name, tensor in tensors.items()},
        {METADATA_KEY: record.model_dump_json()},
    )
    model = FinalModel(
        format=FORMAT,
        version=version("foldwise"),
        network=network,
        normalisation=[normalisation for _, normalisation, _ in members],
        preparation=choice.preparation,
        classes=info.classes,
        dataset=info.name,
        data_digest=digest_images(dataset.images[:n], dataset.labels[:n]),
        weights_sha256=hashlib.sha256(content).hexdigest(),
    )
    folder.mkdir(parents=True, exist_ok=True)
    (folder / WEIGHTS).write_bytes(content)
    write_json(folder / DESCRIPTION, model)
