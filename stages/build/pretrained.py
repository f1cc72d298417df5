"""Weights from a file that someone else made: verified, never unpickled, checked one by one."""

import hashlib
import io
import pickle
import warnings
from pathlib import Path

import safetensors
import safetensors.torch
import torch
from torch import Tensor

from stages.build.channels import adapt_kernel, first_convolution
from stages.build.shapes import construct_shapes
from stages.contracts.command import InputError
from stages.contracts.network import Network

# A counter that frozen BatchNorm never reads; files of torchvision's early days lack it.
OPTIONAL = "num_batches_tracked"
UNREADABLE = (
    safetensors.SafetensorError,
    pickle.UnpicklingError,
    RuntimeError,
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    EOFError,
)


def read_pretrained(path: Path, sha256: str, network: Network) -> dict[str, Tensor]:
    """Read the pretrained part of a network: what its frozen children hold.

    The first convolution is adapted to the data's channels. Whatever else the file holds is left
    out.

    Args:
        path: A state_dict under torchvision's names, in torch's format or in safetensors'.
        sha256: Of the file.
        network: Whose weights are wanted.

    Raises:
        InputError: If the file is missing, is another than `sha256` says, holds more than
            tensors, or a wanted tensor is missing, misshapen or not finite.
    """
    key = f"build.architectures.{network.name}.weights"
    given = _parse(_read(path, sha256, key), path, key)
    module = construct_shapes(network)
    kernel = f"{first_convolution(module)[0]}.weight"
    taken: dict[str, Tensor] = {}
    problems: list[str] = []
    for name, wanted in _pretrained_part(module.state_dict(), network).items():
        tensor = given.get(name)
        if tensor is None and name.endswith(OPTIONAL):
            continue
        problem = _problem(tensor, wanted, adaptable=name == kernel)
        if tensor is None or problem:
            problems.append(f"{name} {problem}")
            continue
        if name == kernel:
            tensor = adapt_kernel(tensor.to(wanted.dtype), network.channels)
        taken[name] = tensor.to(wanted.dtype).contiguous()
    if problems:
        raise InputError(
            f"{key} is '{path}', where {', '.join(problems)}; "
            f"give the state_dict of the network that {network.name} continues"
        )
    return taken


def _read(path: Path, sha256: str, key: str) -> bytes:
    """Return the content of the file, read once so that what is hashed is what is parsed."""
    try:
        content = path.read_bytes()
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise InputError(f"{key} is '{path}', which cannot be read ({reason})") from None
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise InputError(
            f"{key} is '{path}', whose SHA-256 is {found}, but {key}_sha256 is {sha256}; "
            "if the file is the right one, set that key to the former"
        )
    return content


def _parse(content: bytes, path: Path, key: str) -> dict[str, Tensor]:
    try:
        if path.suffix == ".safetensors":
            state: object = safetensors.torch.load(content)
        else:
            state = _load_tensors(content)
    except UNREADABLE as error:
        reason = " ".join(str(error).split())
        raise InputError(
            f"{key} is '{path}', which holds something else than tensors or is damaged; save the "
            f"state_dict of the network anew, best as safetensors ({reason[:200]})"
        ) from None
    if not isinstance(state, dict):
        raise InputError(
            f"{key} is '{path}', which holds a {type(state).__name__}; expected a state_dict: "
            "names and tensors"
        )
    return state


def _load_tensors(content: bytes) -> object:
    """Return what torch saved, unless it holds more than tensors, numbers, texts and containers.

    Unpickling anything else could run any code.
    """
    with warnings.catch_warnings():  # of kinds of files that are refused afterwards
        warnings.simplefilter("ignore")
        return torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)


def _pretrained_part(state: dict[str, Tensor], network: Network) -> dict[str, Tensor]:
    return {name: tensor for name, tensor in state.items() if name.split(".")[0] in network.frozen}


def _problem(tensor: object, wanted: Tensor, *, adaptable: bool) -> str | None:
    """Return what is wrong with a tensor of the file, after its name; None if nothing is."""
    if tensor is None:
        return "is missing"
    if not isinstance(tensor, Tensor) or tensor.layout != torch.strided or tensor.is_meta:
        return "is no dense tensor"
    if tensor.dtype.is_floating_point != wanted.dtype.is_floating_point:
        return f"is of type {tensor.dtype}, not {wanted.dtype}"
    shapes = {tuple(wanted.shape)}
    if adaptable:  # kernels for colour fit any image
        shapes.add((wanted.shape[0], 3, *wanted.shape[2:]))
    if tuple(tensor.shape) not in shapes:
        return f"has shape {tuple(tensor.shape)}, not {tuple(wanted.shape)}"
    if not tensor.to(wanted.dtype).isfinite().all():
        return "is not finite"
    return None
