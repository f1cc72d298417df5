"""The architectures that Foldwise knows by name.

Plain data, so that params.yaml can be checked without importing torch.
"""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from foldwise.core.errors import did_you_mean

TIMM_PREFIX = (
    "timm_"  # before the name that timm has for a network; a colon would not survive in DVC
)

_RESNET = "Deep Residual Learning for Image Recognition"
_RESNEXT = "Aggregated Residual Transformation for Deep Neural Networks"
_VGG = "Very Deep Convolutional Networks for Large-Scale Image Recognition"
_DENSENET = "Densely Connected Convolutional Networks"
_MOBILENET_V3 = "Searching for MobileNetV3"
_MNASNET = "MnasNet: Platform-Aware Neural Architecture Search for Mobile"
_SHUFFLENET = "ShuffleNet V2: Practical Guidelines for Efficient CNN Architecture Design"
_EFFICIENTNET = "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks"
_EFFICIENTNET_V2 = "EfficientNetV2: Smaller Models and Faster Training"
_REGNET = "Designing Network Design Spaces"
_CONVNEXT = "A ConvNet for the 2020s"
_VIT = "An Image is Worth 16x16 Words: Transformers for Image Recognition at Scale"
_SWIN = "Swin Transformer: Hierarchical Vision Transformer using Shifted Windows"
_SWIN_V2 = "Swin Transformer V2: Scaling Up Capacity and Resolution"

_NAMES_BY_PAPER = {
    "One weird trick for parallelizing convolutional neural networks": "alexnet",
    _VGG: "vgg11 vgg11_bn vgg13 vgg13_bn vgg16 vgg16_bn vgg19 vgg19_bn",
    "Going Deeper with Convolutions": "googlenet",
    "Rethinking the Inception Architecture for Computer Vision": "inception_v3",
    _RESNET: "resnet18 resnet34 resnet50 resnet101 resnet152",
    "Wide Residual Networks": "wide_resnet50_2 wide_resnet101_2",
    _RESNEXT: "resnext50_32x4d resnext101_32x8d resnext101_64x4d",
    _DENSENET: "densenet121 densenet161 densenet169 densenet201",
    "SqueezeNet: AlexNet-level accuracy with 50x fewer parameters": "squeezenet1_0",
    "official SqueezeNet repo": "squeezenet1_1",
    "MobileNetV2: Inverted Residuals and Linear Bottlenecks": "mobilenet_v2",
    _MOBILENET_V3: "mobilenet_v3_small mobilenet_v3_large",
    _MNASNET: "mnasnet0_5 mnasnet0_75 mnasnet1_0 mnasnet1_3",
    _SHUFFLENET: "shufflenet_v2_x0_5 shufflenet_v2_x1_0 shufflenet_v2_x1_5 shufflenet_v2_x2_0",
    _EFFICIENTNET: " ".join(f"efficientnet_b{depth}" for depth in range(8)),
    _EFFICIENTNET_V2: "efficientnet_v2_s efficientnet_v2_m efficientnet_v2_l",
    _REGNET: (
        "regnet_x_400mf regnet_x_800mf regnet_x_1_6gf regnet_x_3_2gf regnet_x_8gf regnet_x_16gf "
        "regnet_x_32gf regnet_y_400mf regnet_y_800mf regnet_y_1_6gf regnet_y_3_2gf regnet_y_8gf "
        "regnet_y_16gf regnet_y_32gf regnet_y_128gf"
    ),
    _CONVNEXT: "convnext_tiny convnext_small convnext_base convnext_large",
    _VIT: "vit_b_16 vit_b_32 vit_l_16 vit_l_32 vit_h_14",
    _SWIN: "swin_t swin_s swin_b",
    _SWIN_V2: "swin_v2_t swin_v2_s swin_v2_b",
    "MaxViT: Multi-Axis Vision Transformer": "maxvit_t",
}

TORCHVISION_MODELS: dict[str, str] = {  # name -> where it was published
    name: paper for paper, names in _NAMES_BY_PAPER.items() for name in names.split()
}
ZOO: tuple[str, ...] = tuple(
    sorted(
        path.stem
        for path in (Path(__file__).parents[1] / "nets" / "zoo").glob("*.py")
        if path.stem != "__init__"
    )
)
MODELS: tuple[str, ...] = (*ZOO, *TORCHVISION_MODELS)
NEED_WEIGHTS: tuple[str, ...] = ("resnet18_transfer",)  # and do not work without


def is_known(name: str) -> bool:
    """Return whether a name is an architecture's, or has the form of one of timm's.

    Which networks timm has is known only once it is imported.
    """
    return name in MODELS or re.fullmatch(rf"{TIMM_PREFIX}[a-z0-9_]+", name) is not None


def expected_name(name: str, defined: Iterable[str] = ()) -> str:
    """Return what is expected instead of an unknown name, and which known one is near.

    Args:
        name: As the user wrote it.
        defined: Names that params.yaml defines.
    """
    some = f": {', '.join(ZOO)}, or one of torchvision's such as resnet18"
    near = did_you_mean(name, [*MODELS, *(one for one in defined if one != name)])
    return f"the name of an architecture{near or some}"


class Parts(NamedTuple):
    """Keyword arguments of a torchvision data set class for its training and its test part."""

    train: dict[str, Any]
    test: dict[str, Any] | None  # None: no official test set, test_fraction is held out


_BY_FLAG = Parts({"train": True}, {"train": False})
_BY_SPLIT = Parts({"split": "train"}, {"split": "test"})

TORCHVISION_SETS: dict[str, Parts] = {
    "MNIST": _BY_FLAG,
    "FashionMNIST": _BY_FLAG,
    "KMNIST": _BY_FLAG,
    "USPS": _BY_FLAG,
    "CIFAR10": _BY_FLAG,
    "CIFAR100": _BY_FLAG,
    "SVHN": _BY_SPLIT,
    "STL10": _BY_SPLIT,
    "GTSRB": _BY_SPLIT,
    "Food101": _BY_SPLIT,
    "Flowers102": _BY_SPLIT,
    "RenderedSST2": _BY_SPLIT,
    "DTD": _BY_SPLIT,
    "StanfordCars": _BY_SPLIT,
    "FGVCAircraft": Parts({"split": "trainval"}, {"split": "test"}),
    "OxfordIIITPet": Parts({"split": "trainval"}, {"split": "test"}),
    "Country211": Parts({"split": "train"}, {"split": "test"}),
    "Imagenette": Parts({"split": "train"}, {"split": "val"}),
    "EuroSAT": Parts({}, None),
    "Caltech101": Parts({}, None),
    "Caltech256": Parts({}, None),
    "SEMEION": Parts({}, None),
}

DATASETS: tuple[str, ...] = ("digits", "folder", *TORCHVISION_SETS)
