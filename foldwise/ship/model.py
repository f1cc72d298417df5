"""The final model: its two files, and the module that turns pixels into probabilities."""

import contextlib
import hashlib
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load, save
from torch import Tensor, nn

from foldwise.core.errors import InputError
from foldwise.data.split import digest_folds
from foldwise.engine.refit import Refitted
from foldwise.files.base import existing, read_json, write_json
from foldwise.files.dataset import Dataset
from foldwise.files.final import FORMAT, Choice, FinalModel
from foldwise.files.network import ChannelStatistics, Network
from foldwise.nets.network import construct
from foldwise.nets.weights.tensors import METADATA_KEY, TrainedOn, WeightRecord, pack

WEIGHTS, DESCRIPTION = "model.safetensors", "model.json"
PIXEL_MAX = 255
AGAIN = "run 'dvc repro final/dvc.yaml' to make it again"


class Classifier(nn.Module):
    """Probabilities of images, the mean over the members.

    Attributes:
        members: The trained networks.
        mean: (members, 1, channels, 1, 1) of pixel values in 0 .. 255.
        scale: Likewise, 1 / standard deviation.
        temperature: Divides the logits.
    """

    mean: Tensor
    scale: Tensor
    temperature: Tensor

    def __init__(
        self,
        members: Sequence[nn.Module],
        normalisation: Sequence[ChannelStatistics],
        temperature: float,
    ) -> None:
        """Join networks with their normalisations, and divide their logits by a temperature."""
        super().__init__()
        self.members = nn.ModuleList(members)
        mean = torch.tensor([each.mean for each in normalisation])
        std = torch.tensor([each.std for each in normalisation])
        self.register_buffer("mean", mean[:, None, :, None, None] * PIXEL_MAX)
        self.register_buffer("scale", 1 / (std[:, None, :, None, None] * PIXEL_MAX))
        self.register_buffer("temperature", torch.tensor(temperature))

    def forward(self, images: Tensor) -> Tensor:
        """Return probabilities, (n, n_classes).

        Args:
            images: (n, height, width, channels) uint8.
        """
        pixels = images.permute(0, 3, 1, 2).float()
        parts = [
            torch.softmax(member((pixels - self.mean[n]) * self.scale[n]) / self.temperature, dim=1)
            for n, member in enumerate(self.members)
        ]
        return parts[0] if len(parts) == 1 else torch.stack(parts).mean(dim=0)


def write_model(
    folder: Path,
    choice: Choice,
    network: Network,
    members: Sequence[Refitted],
    dataset: Dataset,
    seen: Sequence[NDArray[np.uint64]] = (),
) -> None:
    """Write model.safetensors and model.json, before calibration.

    Args:
        folder: Where to write.
        choice: What is shipped.
        network: Its description.
        members: Trained tensors, normalisation and training of each.
        dataset: The data set.
        seen: Digests of the images that trained, and of those that the initial weights had seen.
    """
    info, single = dataset.info, len(members) == 1
    n, whole = info.n_train, np.zeros(info.n_train, dtype=np.int64)
    digest = digest_folds(dataset.images[:n], dataset.labels[:n], whole, 1).validation[0]
    tensors = {
        name if single else f"{number}.{name}": tensor
        for number, (state, _, _) in enumerate(members)
        for name, tensor in state.items()
    }
    statistics = members[0][1]
    trained_on = TrainedOn(
        data=info.name,
        channels=info.channels,
        height=info.height,
        width=info.width,
        mean=statistics.mean,
        std=statistics.std,
    )
    record = WeightRecord(trained_on=trained_on, seen=pack(*seen))
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
        data_digest=digest,
        weights_sha256=hashlib.sha256(content).hexdigest(),
    )
    folder.mkdir(parents=True, exist_ok=True)
    (folder / WEIGHTS).write_bytes(content)
    write_json(folder / DESCRIPTION, model)


def read_description(folder: Path) -> FinalModel:
    """Read model.json.

    Raises:
        InputError: If it is missing, damaged, or of another version of the format.
    """
    path = folder / DESCRIPTION
    if not path.is_file():
        raise InputError(f"{folder} holds no {DESCRIPTION}; give the folder of an exported model")
    model = read_json(path, FinalModel)
    if model.format != FORMAT:
        raise InputError(
            f"{path} has the format {model.format} of Foldwise {model.version}; this version reads "
            f"format {FORMAT}: install Foldwise {model.version}, or export the model again"
        )
    return model


def read_model(folder: Path) -> tuple[FinalModel, Classifier]:
    """Return the description and the module, in eval mode on the CPU.

    Raises:
        InputError: If a file is missing, damaged, changed, or of another version.
    """
    model = read_description(folder)
    content = existing(folder / WEIGHTS).read_bytes()
    if hashlib.sha256(content).hexdigest() != model.weights_sha256:
        raise InputError(
            f"{folder / WEIGHTS} ({len(content):,} bytes) is not the file that {DESCRIPTION} "
            f"names: it is cut or changed; copy it again, or {AGAIN}"
        )
    tensors, n = load(content), len(model.normalisation)
    parts = [
        tensors
        if n == 1
        else {
            name.removeprefix(f"{number}."): tensor
            for name, tensor in tensors.items()
            if name.startswith(f"{number}.")
        }
        for number in range(n)
    ]
    # The files of own networks are found below the folder, if they were exported with it.
    has_own = (folder / "nets").is_dir()
    with contextlib.chdir(folder) if has_own else contextlib.nullcontext():
        members = [construct(model.network, part) for part in parts]
    temperature = model.calibrated.temperature if model.calibrated else 1.0
    return model, Classifier(members, model.normalisation, temperature).eval()
