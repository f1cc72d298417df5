"""Section build of params.yaml: settings of single architectures, and whether they agree."""

import re
from collections.abc import Iterable, Iterator
from typing import Annotated, Literal

from pydantic import Field, field_validator

from foldwise.core.errors import InputError
from foldwise.files.base import Positive, Strict
from foldwise.files.catalogue import (
    MODELS,
    NEED_WEIGHTS,
    TIMM_PREFIX,
    expected_instead,
    expected_name,
    is_known,
)
from foldwise.files.layers import Layer, Take, WeightSource
from foldwise.files.network import ChannelStatistics, HyperParameters
from foldwise.files.own_network import FILE
from foldwise.files.validation import raise_schema_errors

SLUG = re.compile(r"[A-Za-z0-9_]+", re.ASCII)


class ThawSection(Strict):
    """Frozen layers that train from some epoch on."""

    at_epoch: Annotated[int, Field(ge=2)]  # counted from 1
    layers: str | list[str]  # a module, a span, or several of them
    learning_rate: Positive | None = None  # peak, from then on

    @property
    def names(self) -> list[str]:
        """The layers, as the user wrote them."""
        return [self.layers] if isinstance(self.layers, str) else self.layers


class ArchitectureSection(WeightSource, HyperParameters):
    """Settings of one architecture; the others are the same for all architectures.

    One of `base`, `file` and `layers` defines the architecture, unless its name is known.
    """

    base: str | None = None  # a known architecture, of which this is a variant
    file: str | None = None  # the user's own network: nets/FILE.py:CLASS
    layers: Annotated[list[Layer], Field(min_length=1)] | None = None  # a composition
    stem: Literal["small"] | None = None  # for small images: 3×3, stride 1, no pooling
    policy: Literal["scratch", "finetune", "frozen"] | None = None
    # Modules and spans; null: all but the head, if frozen.
    frozen: Annotated[list[str], Field(min_length=1)] | None = None
    thaw: list[ThawSection] = Field(default_factory=list)
    normalisation: Literal["folds", "imagenet"] | ChannelStatistics | None = None
    allow_seen: bool = False  # weights that have seen images of this comparison; never chosen
    keep_weights: bool = False  # write the trained weights of each fold into data/runs

    @property
    def training(self) -> HyperParameters:
        """The values that override the section train."""
        return HyperParameters(**{key: getattr(self, key) for key in HyperParameters.model_fields})

    @property
    def takes(self) -> list[Take]:
        """The layers that are taken from known networks."""
        return [layer for layer in self.layers or [] if isinstance(layer, Take)]

    @property
    def has_weights(self) -> bool:
        """Whether any part of the architecture is pretrained."""
        return any(source.weights is not None for source in (self, *self.takes))

    @property
    def is_frozen(self) -> bool:
        """Whether the section freezes any part from the start."""
        return self.policy == "frozen" or bool(self.frozen) or bool(self.thaw)

    @field_validator("file")
    @classmethod
    def _is_in_nets(cls, file: str | None) -> str | None:
        if file is not None and not FILE.fullmatch(file):
            raise ValueError(
                "nets/FILE.py:CLASS; changes of files elsewhere would not run any stage again"
            )
        return file


Key = tuple[str | int, ...]  # below the section; () for its name
Error = tuple[Key, str]  # where, and what is expected there
Sections = dict[str, ArchitectureSection]

NO_WEIGHTS = "a source of weights: frozen layers need pretrained weights"


def architecture_errors(
    model: str, section: ArchitectureSection, sections: Sections
) -> Iterator[Error]:
    """Yield the errors between the keys of one section.

    Args:
        model: Name of the section.
        section: The section.
        sections: All sections.
    """
    yield from _name_errors(model, section, sections)
    yield from (((key,), expected) for key, expected in _hash_errors(section))
    if model in NEED_WEIGHTS and section.weights is None:
        yield ("weights",), f"the weights that {model} starts from"
    if section.weights is not None and any(take.weights for take in section.takes):
        yield ("weights",), "null: its layers have weights of their own"
    if section.allow_seen and not section.has_weights:
        yield ("allow_seen",), "false: there are no weights"
    if section.is_frozen and not section.has_weights:
        yield ("weights",), NO_WEIGHTS
    yield from _policy_errors(section)
    for index, layer in enumerate(section.layers or []):
        if isinstance(layer, Take):
            errors = _take_errors(layer, section, sections)
            yield from ((("layers", index, key), expected) for key, expected in errors)


def _name_errors(model: str, section: ArchitectureSection, sections: Sections) -> Iterator[Error]:
    keys = [key for key in ("base", "file", "layers") if getattr(section, key) is not None]
    if not SLUG.fullmatch(model):
        yield (), f"{expected_name(model, sections)}; letters, digits and underscores only"
    elif not keys and not is_known(model):
        yield (), f"{expected_name(model)} (a new one needs base, file or layers)"
    elif keys and is_known(model):
        yield (keys[0],), f"null, or a name for the section that {_taken_by(model)}"
    elif len(keys) > 1:
        yield (keys[1],), f"null: {keys[0]} defines {model} already"
    if section.base is not None:
        defined = [name for name, other in sections.items() if other.file or other.layers]
        if not is_known(section.base) and section.base not in defined:
            yield ("base",), expected_name(section.base, defined)
        elif any(take.weights for take in sections.get(section.base, section).takes):
            yield ("base",), "an architecture without weights in its layers; copy its layers here"


def _taken_by(model: str) -> str:
    """Return what a name of the user's own may not be."""
    if model in MODELS:
        return "no known architecture has"
    return f"does not begin with {TIMM_PREFIX}, as those of timm's networks do"


def _hash_errors(source: WeightSource) -> Iterator[tuple[str, str]]:
    if source.weights is None:
        for key in ("weights_sha256", "weights_key"):
            if getattr(source, key) is not None:
                yield key, "null: there are no weights"
        if source.weights_match != "name":
            yield "weights_match", "name: there are no weights"
    elif source.kind_of_source != "name" and source.weights_sha256 is None:
        file = source.weights if source.kind_of_source == "file" else "FILE"
        yield "weights_sha256", f"the output of 'sha256sum {file}'"


def _policy_errors(section: ArchitectureSection) -> Iterator[Error]:
    if section.policy == "scratch" and section.has_weights:
        yield ("policy",), "finetune or frozen, because weights are set"
    elif section.policy == "finetune" and not section.has_weights:
        yield ("policy",), "scratch, because no weights are set"
    if section.policy in ("scratch", "finetune") and (section.frozen or section.thaw):
        yield ("policy",), "frozen, because some layers are"
    epochs = [thaw.at_epoch for thaw in section.thaw]
    if epochs != sorted(epochs):
        yield ("thaw",), "epochs in ascending order"


def _take_errors(
    layer: Take, section: ArchitectureSection, sections: Sections
) -> Iterator[tuple[str, str]]:
    yield from _hash_errors(layer)
    if layer.frozen and layer.weights is None and section.weights is None:
        yield "weights", NO_WEIGHTS
    if not is_known(layer.network) and not getattr(sections.get(layer.network), "file", None):
        yield "take", f"a module, after {expected_name(layer.network, sections)}"


class BuildSection(Strict):
    """Architectures with settings of their own."""

    architectures: Sections

    def of(self, model: str) -> ArchitectureSection:
        """Return the section of an architecture, with defaults if it has none.

        Raises:
            InputError: If there is no such architecture, or it lacks its weights.
        """
        if model in self.architectures:
            return self.architectures[model]
        if expected := expected_instead(model, self.architectures):
            raise InputError(f"model is {model!r}; expected {expected}")
        return ArchitectureSection()

    def own_files(self, models: Iterable[str]) -> dict[str, str]:
        """Return the files of the own networks that architectures need, by name."""
        files: dict[str, str] = {}
        pending = list(models)
        while pending:
            name = pending.pop(0)
            section = self.architectures.get(name, ArchitectureSection())
            if section.file is not None:
                files[name] = section.file
            pending += [take.network for take in section.takes]
            pending += [section.base] if section.base else []
        return files

    @field_validator("architectures")
    @classmethod
    def _are_consistent(cls, sections: Sections) -> Sections:
        errors = (
            ((model, *key), expected, _value(section, key) if key else model)
            for model, section in sections.items()
            for key, expected in architecture_errors(model, section, sections)
        )
        raise_schema_errors(cls.__name__, errors)
        return sections


def _value(section: ArchitectureSection, key: Key) -> object:
    value: object = section
    for name in key:
        value = value[int(name)] if isinstance(value, list) else getattr(value, str(name))
    return value
