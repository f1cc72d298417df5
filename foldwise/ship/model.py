"""The final model: its two files, and the module that turns pixels into probabilities."""

import contextlib
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load
from torch import Tensor, nn

from foldwise.core.errors import InputError
from foldwise.core.fingerprint import imported_modules
from foldwise.files.base import read_json
from foldwise.files.dataset import PIXEL_MAX
from foldwise.files.final import FORMAT, FinalModel
from foldwise.files.network import ChannelStatistics, Network
from foldwise.files.own_network import PACKAGE, module_name
from foldwise.nets.network import construct

WEIGHTS, DESCRIPTION = "model.safetensors", "model.json"
BATCH = 256  # images
AGAIN = "copy the whole folder again, or run 'dvc repro final/dvc.yaml' to make it again"


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
        self.requires_grad_(False)  # model.pt2 keeps it, and a user would have to detach the output

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


def read_description(folder: Path) -> FinalModel:
    """Read model.json.

    Raises:
        InputError: If it is missing, damaged, or of another version of the format.
    """
    path = folder / DESCRIPTION
    if not path.is_file():
        raise InputError(f"{folder} holds no {DESCRIPTION}; give the folder of an exported model")
    try:
        content = json.loads(path.read_bytes())
    except ValueError as error:
        raise InputError(f"{path} is not JSON ({error}): it is cut or changed; {AGAIN}") from None
    # Before the schema, because another format has other keys.
    if isinstance(content, dict) and content.get("format", FORMAT) != FORMAT:
        version = f"Foldwise {content.get('version')}"
        raise InputError(
            f"{path} has format {content['format']!r:.20}, of {version:.40}; this version reads "
            f"format {FORMAT}: install that version, or export the model again"
        )
    return read_json(path, FinalModel)


def read_model(folder: Path) -> tuple[FinalModel, Classifier]:
    """Return the description and the module, in eval mode on the CPU.

    Raises:
        InputError: If a file is missing, damaged, changed, or of another version.
    """
    model = read_description(folder)
    tensors, n = load(_read_weights(folder / WEIGHTS, model)), len(model.normalisation)
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
    root = folder if (folder / PACKAGE).is_dir() else Path()
    _require_same_files(model.network, root)
    with contextlib.chdir(root):
        members = [_construct(model.network, part, folder) for part in parts]
    temperature = model.calibrated.temperature if model.calibrated else 1.0
    return model, Classifier(members, model.normalisation, temperature).eval()


@torch.inference_mode()
def predict_all(
    classifier: Classifier, images: NDArray[np.uint8], device: torch.device, batch: int = BATCH
) -> NDArray[np.float32]:
    """Return the probabilities of images, (n, n_classes).

    Args:
        classifier: On the device, in eval mode.
        images: (n, h, w, c), may be memory-mapped.
        device: Device of the batches.
        batch: Images that are computed together.
    """
    batches = [images[at : at + batch] for at in range(0, len(images), batch)]
    parts = [classifier(torch.from_numpy(np.array(b)).to(device)).cpu() for b in batches]
    probabilities: NDArray[np.float32] = torch.cat(parts).numpy()
    return probabilities


def own_files(network: Network) -> list[str]:
    """Return the user's files that define a network, such as nets/mine.py."""
    return [name for name in network.code if name.startswith(f"{PACKAGE}/")]


def _read_weights(path: Path, model: FinalModel) -> bytes:
    if not path.is_file():
        raise InputError(f"{path} is missing; {AGAIN}")
    content = path.read_bytes()
    if hashlib.sha256(content).hexdigest() != model.weights_sha256:
        raise InputError(
            f"{path} ({len(content):,} bytes) is not the file that {DESCRIPTION} names: it is cut "
            f"or changed; {AGAIN}"
        )
    return content


def _require_same_files(network: Network, root: Path) -> None:
    """Require that the files of own networks compute what they did when the model trained."""
    for file in own_files(network):
        name = module_name(file)
        module = imported_modules(root, name, packages=(PACKAGE,))[name]
        if module.fingerprint != network.code[file]:
            raise InputError(
                f"{root / file} has changed since the model was trained; restore it: {AGAIN}"
            )


def _construct(network: Network, tensors: dict[str, Tensor], folder: Path) -> nn.Module:
    """Return the network with trained tensors, every one of which it must have."""
    try:
        module = construct(network, tensors)
        fits = module.state_dict().keys() == tensors.keys()
    except (AssertionError, RuntimeError):  # other names, or other shapes
        fits = False
    if not fits:
        raise InputError(
            f"{folder / DESCRIPTION} describes a network that {WEIGHTS} does not fit: it was "
            f"changed; {AGAIN}"
        )
    return module
