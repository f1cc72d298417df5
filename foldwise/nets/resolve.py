"""From the name of an architecture to the description of its network for the data set."""

import importlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from foldwise.core.errors import InputError
from foldwise.core.fingerprint import imported_modules
from foldwise.files.architecture import ArchitectureSection, BuildSection
from foldwise.files.catalogue import AUXILIARY_SIDES, TIMM_PREFIX, TORCHVISION_MODELS, ZOO
from foldwise.files.dataset import DatasetInfo
from foldwise.files.layers import WeightSource
from foldwise.files.network import Network
from foldwise.files.own_network import FILE, own_modules
from foldwise.nets.freezing import resolve_freezing
from foldwise.nets.proof import require_connected_spans, require_fit
from foldwise.nets.shapes import WHOLE

ROOT = Path(__file__).parents[2]  # folder of the package foldwise
LIBRARY = "from_library"  # builder of networks of torchvision and timm

Builder = tuple[str, dict[str, Any]]  # module below foldwise.nets, and arguments of its build()


def fit_network(model: str, build: BuildSection, info: DatasetInfo) -> Network:
    """Return the network of an architecture for a data set, with its frozen layers.

    Pretrained weights are still to be loaded; see `nets.weights.pretrained`.

    Args:
        model: A name of the catalogue, or one that `build` defines.
        build: The section build of params.yaml.
        info: The data set: channels, size and classes.

    Raises:
        InputError: If the architecture is unknown, or cannot take the images.
    """
    network = resolve(model, build, info)
    require_connected_spans(network)
    require_fit(network)
    return resolve_freezing(network, build.of(model), frozen_by_default(network))


def resolve(model: str, build: BuildSection, info: DatasetInfo) -> Network:
    """Return the network, before `resolve_freezing` and `load_pretrained`.

    Args:
        model: A name of the catalogue, or one that params.yaml defines.
        build: The section build of params.yaml.
        info: The data set: channels, size and classes.

    Raises:
        InputError: If the name is unknown, or its file cannot be read.
    """
    section = build.of(model)
    builder, settings = _builder(model, section, build)
    least = AUXILIARY_SIDES.get(settings["name"], 0) if builder == LIBRARY else 0
    if min(info.height, info.width) < least:
        settings = {**settings, "auxiliary": False}
    sources = settings.get("sources", {}).values()
    return Network(
        name=model,
        builder=builder,
        settings=settings,
        channels=info.channels,
        height=info.height,
        width=info.width,
        n_classes=len(info.classes),
        **WHOLE,
        normalisation=None,
        training=section.training,
        keep_weights=section.keep_weights,
        code=_code([(builder, settings), *((s["builder"], s["settings"]) for s in sources)]),
        weights_sha256=None,
    )


def frozen_by_default(network: Network) -> Sequence[str]:
    """Return what the file of an architecture freezes."""
    frozen: Sequence[str] = getattr(_module(network.builder), "FROZEN", ())
    return frozen


def title_of(network: Network) -> str:
    """Return one line: what the architecture is, and its source."""
    settings = network.settings
    if network.builder == LIBRARY:
        name, stem = settings["name"], ", small stem" if "stem" in settings else ""
        if name not in TORCHVISION_MODELS:
            return f"{name.removeprefix(TIMM_PREFIX)} of timm{stem}"
        return f"{name} of torchvision{stem}: {TORCHVISION_MODELS[name]}"
    if "file" in settings:
        return f"{settings['attribute']} of {settings['file']}"
    if "layers" in settings:
        return f"Composition of {len(settings['layers'])} layers"
    title: str = _module(network.builder).TITLE
    return title


def defined_in(network: Network) -> str:
    """Return the Python module, or the file, that defines the architecture."""
    return str(network.settings.get("file", f"foldwise.nets.{network.builder}"))


def _builder(model: str, section: ArchitectureSection, build: BuildSection) -> Builder:
    if section.base is not None:
        builder, settings = _builder(section.base, build.of(section.base), build)
    elif section.file is not None:
        match = FILE.fullmatch(section.file)
        assert match is not None
        builder, settings = "from_file", {"file": match[1], "attribute": match[2]}
    elif section.layers is not None:
        builder, settings = "composition", _composition(model, section, build)
    elif model in ZOO:
        builder, settings = f"zoo.{model}", {}
    else:
        builder, settings = LIBRARY, {"name": model}
    if section.stem is not None:
        if builder != LIBRARY:
            raise InputError(
                f"build.architectures.{model}.stem is '{section.stem}'; only networks of "
                "torchvision and timm have a stem to change: leave it out"
            )
        settings = {**settings, "stem": section.stem}
    return builder, settings


def _composition(model: str, section: ArchitectureSection, build: BuildSection) -> dict[str, Any]:
    sources: dict[str, Any] = {}
    for take in section.takes:
        name = take.network
        builder, settings = _builder(name, build.of(name), build)
        sources[name] = {"builder": builder, "settings": settings}
    beside = {*WeightSource.model_fields, "frozen"}
    layers = [
        layer.model_dump(mode="json", exclude=beside, exclude_none=True)
        for layer in section.layers or []
    ]
    return {"name": model, "layers": layers, "sources": sources}


def _module(builder: str) -> Any:  # noqa: ANN401 - attributes differ from module to module
    return importlib.import_module(f"foldwise.nets.{builder}")


def _code(builders: Sequence[Builder]) -> dict[str, str]:
    """Return the fingerprints of all modules and own files that construct the network.

    Modules of other packages, such as `foldwise.files`, do not change the network.
    """
    names = [f"foldwise.nets.{builder}" for builder, _ in builders]
    modules = imported_modules(ROOT, *names)
    code = {
        name: module.fingerprint
        for name, module in modules.items()
        if name.startswith("foldwise.nets.")
    }
    for file in (settings["file"] for _, settings in builders if "file" in settings):
        own = own_modules(file)
        code |= {f"{name.replace('.', '/')}.py": own[name].fingerprint for name in own}
    return code
