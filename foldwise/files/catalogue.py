"""Names of known architectures and data sets, readable without importing torch."""

import re
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Any, NamedTuple

from foldwise.core.errors import did_you_mean

TIMM_PREFIX = "timm_"  # before the name in timm; DVC would not accept a colon
# Pixels; images that are smaller are too small for the auxiliary head and not for the rest.
AUXILIARY_SIDES = {"inception_v3": 299}
VIT_PREFIX = "vit_"  # of torchvision's networks that are made for one image size

# Names in torchvision by the title of their paper.
_NAMES_BY_PAPER = {
    "One weird trick for parallelizing convolutional neural networks": "alexnet",
    "Very Deep Convolutional Networks for Large-Scale Image Recognition": (
        "vgg11 vgg11_bn vgg13 vgg13_bn vgg16 vgg16_bn vgg19 vgg19_bn"
    ),
    "Going Deeper with Convolutions": "googlenet",
    "Rethinking the Inception Architecture for Computer Vision": "inception_v3",
    "Deep Residual Learning for Image Recognition": (
        "resnet18 resnet34 resnet50 resnet101 resnet152"
    ),
    "Wide Residual Networks": "wide_resnet50_2 wide_resnet101_2",
    "Aggregated Residual Transformation for Deep Neural Networks": (
        "resnext50_32x4d resnext101_32x8d resnext101_64x4d"
    ),
    "Densely Connected Convolutional Networks": "densenet121 densenet161 densenet169 densenet201",
    "SqueezeNet: AlexNet-level accuracy with 50x fewer parameters": "squeezenet1_0",
    "official SqueezeNet repo": "squeezenet1_1",
    "MobileNetV2: Inverted Residuals and Linear Bottlenecks": "mobilenet_v2",
    "Searching for MobileNetV3": "mobilenet_v3_small mobilenet_v3_large",
    "MnasNet: Platform-Aware Neural Architecture Search for Mobile": (
        "mnasnet0_5 mnasnet0_75 mnasnet1_0 mnasnet1_3"
    ),
    "ShuffleNet V2: Practical Guidelines for Efficient CNN Architecture Design": (
        "shufflenet_v2_x0_5 shufflenet_v2_x1_0 shufflenet_v2_x1_5 shufflenet_v2_x2_0"
    ),
    "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks": (
        "efficientnet_b0 efficientnet_b1 efficientnet_b2 efficientnet_b3 efficientnet_b4 "
        "efficientnet_b5 efficientnet_b6 efficientnet_b7"
    ),
    "EfficientNetV2: Smaller Models and Faster Training": (
        "efficientnet_v2_s efficientnet_v2_m efficientnet_v2_l"
    ),
    "Designing Network Design Spaces": (
        "regnet_x_400mf regnet_x_800mf regnet_x_1_6gf regnet_x_3_2gf regnet_x_8gf regnet_x_16gf "
        "regnet_x_32gf regnet_y_400mf regnet_y_800mf regnet_y_1_6gf regnet_y_3_2gf regnet_y_8gf "
        "regnet_y_16gf regnet_y_32gf regnet_y_128gf"
    ),
    "A ConvNet for the 2020s": "convnext_tiny convnext_small convnext_base convnext_large",
    "An Image is Worth 16x16 Words: Transformers for Image Recognition at Scale": (
        "vit_b_16 vit_b_32 vit_l_16 vit_l_32 vit_h_14"
    ),
    "Swin Transformer: Hierarchical Vision Transformer using Shifted Windows": (
        "swin_t swin_s swin_b"
    ),
    "Swin Transformer V2: Scaling Up Capacity and Resolution": "swin_v2_t swin_v2_s swin_v2_b",
    "MaxViT: Multi-Axis Vision Transformer": "maxvit_t",
}

TORCHVISION_MODELS: dict[str, str] = {  # name -> title of the paper
    name: paper for paper, names in _NAMES_BY_PAPER.items() for name in names.split()
}
_ZOO_FILES = (Path(__file__).parents[1] / "nets" / "zoo").glob("[!_]*.py")
ZOO: tuple[str, ...] = tuple(sorted(path.stem for path in _ZOO_FILES))
MODELS: tuple[str, ...] = (*ZOO, *TORCHVISION_MODELS)
NEED_WEIGHTS: tuple[str, ...] = ("resnet18_transfer",)  # cannot be trained from scratch


def is_known(name: str) -> bool:
    """Return whether a name is a known architecture, or looks like a name of a timm network.

    The list of networks in timm would need an import of timm.
    """
    return name in MODELS or re.fullmatch(rf"{TIMM_PREFIX}[a-z0-9_]+", name) is not None


def expected_name(name: str, defined: Iterable[str] = ()) -> str:
    """Return the text after "expected" for an unknown name, with the nearest known name.

    Args:
        name: The name as the user wrote it.
        defined: Names that params.yaml defines.
    """
    near = did_you_mean(name, [*MODELS, *(known for known in defined if known != name)])
    examples = f": {', '.join(ZOO)}, or a torchvision model such as resnet18"
    return f"the name of an architecture{near or examples}"


def expected_instead(name: str, defined: Collection[str]) -> str | None:
    """Return what is expected instead of the name of an architecture; None if it is valid.

    Args:
        name: The name as the user wrote it.
        defined: Names that params.yaml defines.
    """
    if name in defined:
        return None
    if name in NEED_WEIGHTS:
        key = f"build.architectures.{name}.weights"
        return f"{key} and {key}_sha256 to be set: this network needs pretrained weights"
    return None if is_known(name) else expected_name(name, defined)


class Parts(NamedTuple):
    """Keyword arguments of a torchvision data set class for the training and the test set."""

    train: dict[str, Any]
    test: dict[str, Any] | None  # None: no official test set; hold out test_fraction


TORCHVISION_SETS: dict[str, Parts] = {
    **dict.fromkeys(
        ("MNIST", "FashionMNIST", "KMNIST", "USPS", "CIFAR10", "CIFAR100"),
        Parts({"train": True}, {"train": False}),
    ),
    **dict.fromkeys(
        ("SVHN", "STL10", "GTSRB", "Food101", "Flowers102", "RenderedSST2", "DTD", "StanfordCars"),
        Parts({"split": "train"}, {"split": "test"}),
    ),
    **dict.fromkeys(
        ("FGVCAircraft", "OxfordIIITPet"), Parts({"split": "trainval"}, {"split": "test"})
    ),
    "Country211": Parts({"split": "train"}, {"split": "test"}),
    "Imagenette": Parts({"split": "train"}, {"split": "val"}),
    **dict.fromkeys(("EuroSAT", "Caltech101", "Caltech256", "SEMEION"), Parts({}, None)),
}

DATASETS: tuple[str, ...] = ("digits", "folder", "table", *TORCHVISION_SETS)
