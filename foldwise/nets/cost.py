"""Cost of a network, measured on the meta device: total stride, MACs, memory to train."""

from math import log2

import torch
from torch import Tensor, UntypedStorage, nn
from torch.autograd.graph import saved_tensors_hooks
from torch.nn.modules.conv import _ConvTransposeNd
from torch.utils.flop_counter import FlopCounterMode

from foldwise.files.network import MemoryNeed, Network
from foldwise.nets.network import LAST, MISFITS, loss_of, train_mode
from foldwise.nets.shapes import WHOLE, construct_shapes, empty_images, trace_modules

SIDE = 224  # pixels; large enough that borders count for little
FEW, MORE = 2, 4  # images of two batches; their difference gives the memory of an image
COPIES = 3  # of each trained tensor beside itself: its gradient and AdamW's two moments
# Measured with torch 2.14 on a CPU with AVX512, float32, 2 threads: LeNet-5, whose tensors take
# 4 MB, has a peak of 588 MB. Networks of torchvision take no more beside their tensors.
PROCESS = 580_000_000  # bytes: Python, torch, and the code that oneDNN generates
# Real memory per byte of the counted tensors: workspaces, gradients of activations, and
# fragmentation. Measured in these units at 64 images per step: mobilenet_v2 1.28 at 32×32, 1.10 at
# 96×96, 1.15 at 224×224; resnet18 1.35, 1.43, 1.58; vgg11_bn 1.19 at 96×96, 1.44 at 224×224;
# mobilenet_v3_small 1.23 and resnet50 1.33 at 224×224; slim_vgg 1.38 and vgg_resnet 1.58 at 32×32.
# So predictions were between 12 % below and 16 % above the peak.
OVERHEAD = 1.35


def total_stride(network: Network) -> int | None:
    """Return image pixels per pixel of the last feature maps, rounded to a power of two.

    Measured on images of 224 pixels, or at its own size if the network does not take these.

    Returns:
        None if the network has no feature maps of more than one pixel.
    """
    for height, width in dict.fromkeys([(SIDE, SIDE), (network.height, network.width)]):
        try:
            return total_stride_at(network, height, width)
        except MISFITS:
            continue
    return None


@torch.no_grad()
def total_stride_at(network: Network, height: int, width: int) -> int | None:
    """Return the total stride measured at one size in pixels; raises MISFITS if it does not fit."""
    sized = network.model_copy(update={"height": height, "width": width})
    images = empty_images(sized)
    trace = trace_modules(construct_shapes(sized).eval(), images)
    tensors = (output for outputs in trace.outputs.values() for output in outputs)
    sides = [side for tensor in tensors if (side := _map_side(tensor, len(images))) > 1]
    return 2 ** max(0, round(log2(min(height, width) / min(sides)))) if sides else None


def _map_side(output: Tensor | None, batch: int) -> int:
    """Return the side of square feature maps, (b, c, h, w) or (b, h, w, c); 0 for other outputs."""
    # Attention windows of the maps have another batch size.
    if output is None or output.ndim != 4 or len(output) != batch:
        return 0
    _, first, second, third = output.shape
    if second == third:
        return second
    return first if first == second else 0


def count_macs(network: Network, counted: int) -> int:
    """Return the multiply-accumulate operations (MACs) of one image in evaluation.

    The larger of two counts. torchinfo counts a linear layer as if it were applied once, not to
    each token, and no attention: 172 million for ViT-B/16, of 17,563. torch counts every matrix
    product and convolution, but no bias and no BatchNorm, .0005 % of ResNet-18. torchinfo counts a
    transposed convolution several times over, so with these torch's count holds.

    Args:
        network: Any network that takes its images.
        counted: torchinfo's count.
    """
    # Frozen attention could use a fused kernel, which torch does not count.
    whole = network.model_copy(update=WHOLE)
    module = construct_shapes(whole).eval()
    with FlopCounterMode(display=False) as counter:
        module(empty_images(whole, 1))
    macs = int(counter.get_total_flops()) // 2
    has_transposed = any(isinstance(part, _ConvTransposeNd) for part in module.modules())
    return macs if has_transposed else max(counted, macs)


def predict_memory(network: Network) -> MemoryNeed:
    """Return the memory in which one process trains the network on a CPU in float32.

    Counted for the end of training, when most layers have thawed.

    Args:
        network: A network after `resolve_freezing`.
    """
    module = train_mode(construct_shapes(network, computes=True), network, LAST)
    few, more = (_saved_bytes(module, network, n) for n in (FEW, MORE))
    total = sum(tensor.nbytes for tensor in (*module.parameters(), *module.buffers()))
    trained = sum(tensor.nbytes for tensor in module.parameters() if tensor.requires_grad)
    return MemoryNeed(
        process_bytes=PROCESS,
        weight_bytes=round(OVERHEAD * (total + COPIES * trained)),
        image_bytes=round(OVERHEAD * (more - few) / (MORE - FEW)),
    )


def _saved_bytes(module: nn.Module, network: Network, n: int) -> int:
    """Return the bytes that autograd saves of n images for the backward pass.

    Each storage counts once: torch returns the same storage object for all views of a tensor, as
    long as one exists.
    """
    images = empty_images(network, n)
    labels = torch.empty(n, dtype=torch.int64, device="meta")
    storages: dict[int, UntypedStorage] = {}

    def save(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        storages[id(storage)] = storage
        return tensor

    save(images)
    with saved_tensors_hooks(save, lambda tensor: tensor):
        loss_of(module(images), labels)
    return sum(storage.nbytes() for storage in storages.values())
