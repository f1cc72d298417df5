"""From the name of an architecture to the network for the data."""

import importlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from foldwise.core.errors import InputError
from foldwise.core.fingerprint import fingerprint, imported_modules
from foldwise.files.architecture import FILE, ArchitectureSection, BuildSection
from foldwise.files.catalogue import TIMM_PREFIX, TORCHVISION_MODELS, ZOO
from foldwise.files.dataset import DatasetInfo
from foldwise.files.network import Network
from foldwise.nets.reference import parse

ROOT = Path(__file__).parents[2]  # folder of the package foldwise
TORCHVISION_ADAPTER = "from_torchvision"
TIMM_ADAPTER = "from_timm"

Source = tuple[str, dict[str, Any]]  # builder and settings


def resolve(model: str, build: BuildSection, info: DatasetInfo) -> Network:
    """Return the network; what is frozen, and its pretrained weights, are still to come.

    Args:
        model: A name of the catalogue, or one that params.yaml defines.
        build: What params.yaml sets for it and others.
        info: The data set: channels, size and classes.

    Raises:
        InputError: If it is unknown, or its file cannot be read.
    """
    wanted = build.of(model)
    builder, settings = _source(model, wanted, build)
    return Network(
        name=model,
        builder=builder,
        settings=settings,
        channels=info.channels,
        height=info.height,
        width=info.width,
        n_classes=len(info.classes),
        heads=[],
        frozen=[],
        thaw=[],
        cut=None,
        normalisation=None,
        training=wanted.training,
        keep_weights=wanted.keep_weights,
        code=_code(builder, settings),
        weights_sha256=None,
    )


def frozen_by_default(network: Network) -> Sequence[str]:
    """Return what the file of an architecture freezes."""
    frozen: Sequence[str] = getattr(_module(network.builder), "FROZEN", ())
    return frozen


def architecture_of(model: str, build: BuildSection) -> str:
    """Return the name under which the weights of a network are published."""
    return build.of(model).base or model


def title_of(network: Network) -> str:
    """Return one line: what the architecture is, and its source."""
    settings = network.settings
    stem = ", small stem" if "stem" in settings else ""
    if network.builder == TORCHVISION_ADAPTER:
        name = str(settings["name"])
        return f"{name} of torchvision{stem}: {TORCHVISION_MODELS[name]}"
    if network.builder == TIMM_ADAPTER:
        return f"{settings['name']} of timm{stem}"
    if "file" in settings:
        return f"{settings['attribute']} of {settings['file']}"
    if "layers" in settings:
        return f"Composition of {len(settings['layers'])} layers"
    title: str = _module(network.builder).TITLE
    return title


def origin_of(network: Network) -> str:
    """Return the Python module that defines the architecture."""
    return str(network.settings.get("file", _module(network.builder).__name__))


def _source(model: str, wanted: ArchitectureSection, build: BuildSection) -> Source:
    if wanted.base is not None:
        builder, settings = _source(wanted.base, build.of(wanted.base), build)
    elif wanted.file is not None:
        match = FILE.fullmatch(wanted.file)
        assert match is not None
        builder, settings = "from_file", {"file": match[1], "attribute": match[2]}
    elif wanted.layers is not None:
        builder, settings = "composition", _composition(model, wanted, build)
    else:
        builder, settings = _known(model)
    if wanted.stem is not None:
        if builder not in (TORCHVISION_ADAPTER, TIMM_ADAPTER):
            raise InputError(
                f"build.architectures.{model}.stem is '{wanted.stem}'; only networks of "
                "torchvision and timm have a stem to change: leave it out"
            )
        settings = {**settings, "stem": wanted.stem}
    return builder, settings


def _known(model: str) -> Source:
    if model in ZOO:
        return f"zoo.{model}", {}
    if model in TORCHVISION_MODELS:
        return TORCHVISION_ADAPTER, {"name": model}
    return TIMM_ADAPTER, {"name": model.removeprefix(TIMM_PREFIX)}


def _composition(model: str, wanted: ArchitectureSection, build: BuildSection) -> dict[str, Any]:
    sources: dict[str, Any] = {}
    for take in wanted.takes:
        name = parse(take.take).network
        builder, settings = _source(name, build.of(name), build)
        sources[name] = {"builder": builder, "settings": settings}
    layers = [_as_written(layer.model_dump(mode="json")) for layer in wanted.layers or []]
    return {"name": model, "layers": layers, "sources": sources}


def _as_written(layer: dict[str, Any]) -> dict[str, Any]:
    """Return a layer without its source of weights and without what is left to its default."""
    beside = ("weights", "weights_sha256", "trust_pickle", "frozen")
    return {key: one for key, one in layer.items() if key not in beside and one is not None}


def _module(builder: str) -> Any:  # noqa: ANN401 - a module has what it has
    return importlib.import_module(f"foldwise.nets.{builder}")


def _code(builder: str, settings: Mapping[str, Any]) -> dict[str, str]:
    """Fingerprint what makes the network; the contracts that it imports decide nothing here."""
    found = imported_modules(
        ROOT, *(f"foldwise.nets.{name}" for name in _builders(builder, settings))
    )
    ours = {
        name: module.fingerprint
        for name, module in found.items()
        if name.startswith("foldwise.nets.")
    }
    return ours | {file: _fingerprint(file) for file in _files(settings)}


def _builders(builder: str, settings: Mapping[str, Any]) -> Iterator[str]:
    yield builder
    for source in settings.get("sources", {}).values():
        yield source["builder"]


def _files(settings: Mapping[str, Any]) -> Iterator[str]:
    for one in (settings, *(source["settings"] for source in settings.get("sources", {}).values())):
        if "file" in one:
            yield one["file"]


def _fingerprint(file: str) -> str:
    try:
        return fingerprint(Path(file).read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{file} cannot be read ({error.strerror}); correct the path") from None
    except (SyntaxError, ValueError) as error:
        raise InputError(f"{file} is not Python ({error}); mend the syntax") from None
