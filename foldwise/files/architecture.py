"""What one architecture may set apart from the budget that all share."""

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Literal

from pydantic import Field, field_validator

from foldwise.core.errors import InputError
from foldwise.files.base import Strict, raise_schema_errors
from foldwise.files.catalogue import NEED_WEIGHTS, expected_name, is_known
from foldwise.files.layers import HTTPS, REFERENCE, Layer, Take, WeightSource
from foldwise.files.network import ChannelStatistics, HyperParameters, Rate

FILE = re.compile(r"(nets/[\w/]+\.py):(\w+)", re.ASCII)


class ThawSection(Strict):
    """Frozen layers that begin to train."""

    at_epoch: Annotated[int, Field(ge=2)]  # counted from 1
    layers: str | list[str]  # a module, a span, or several
    learning_rate: Rate | None = None  # peak, from then on

    @property
    def names(self) -> list[str]:
        """The layers, as written."""
        return [self.layers] if isinstance(self.layers, str) else self.layers


class ArchitectureSection(WeightSource, HyperParameters):
    """What is set for one architecture; whatever is left out is as for all.

    One of `base`, `file` and `layers` says what it is, where its name alone does not.
    """

    base: str | None = None  # another architecture, to be had in several variants
    file: str | None = None  # one's own network: nets/FILE.py:CLASS
    layers: Annotated[list[Layer], Field(min_length=1)] | None = None  # a composition
    stem: Literal["small"] | None = None  # for small images: 3×3, stride 1, no pooling
    policy: Literal["scratch", "finetune", "frozen"] | None = None
    frozen: list[str] | None = None  # modules and spans; null: all but the head, if frozen
    thaw: list[ThawSection] = Field(default_factory=list)
    normalisation: Literal["folds", "imagenet"] | ChannelStatistics | None = None
    keep_weights: bool = False  # write what each fold trained into data/runs

    @property
    def training(self) -> HyperParameters:
        """What train takes from here."""
        return HyperParameters(
            learning_rate=self.learning_rate,
            weight_decay=self.weight_decay,
            body_learning_rate=self.body_learning_rate,
            layer_decay=self.layer_decay,
        )

    @property
    def takes(self) -> list[Take]:
        """The layers that are taken from known networks."""
        return [layer for layer in self.layers or [] if isinstance(layer, Take)]

    @property
    def has_weights(self) -> bool:
        """Whether any part of it starts pretrained."""
        return any(one.weights is not None for one in (self, *self.takes))

    @property
    def is_frozen(self) -> bool:
        """Whether a part of it, by its section, does not train from the start."""
        return self.policy == "frozen" or bool(self.frozen) or bool(self.thaw)

    @field_validator("file")
    @classmethod
    def _is_in_nets(cls, file: str | None) -> str | None:
        if file is not None and not FILE.fullmatch(file):
            raise ValueError(
                "nets/FILE.py:CLASS; files elsewhere would change without anything running again"
            )
        return file


SLUG = r"[A-Za-z0-9_]+"

Key = tuple[str | int, ...]  # below the section; () for its name
Problem = tuple[Key, str]  # where, and what is expected there
Sections = Mapping[str, ArchitectureSection]

UNKNOWING = "weights: what is frozen must know something"


def architecture_errors(
    model: str, section: ArchitectureSection, sections: Sections
) -> Iterator[Problem]:
    """Yield what is wrong with one section.

    Args:
        model: Its name.
        section: What it sets.
        sections: All of them.
    """
    yield from _identity(model, section, sections)
    for place, origin in _origins(section):
        yield from ((place + key, expected) for key, expected in _weights(origin))
    if model in NEED_WEIGHTS and section.weights is None:
        yield ("weights",), f"the weights that {model} starts from"
    yield from _policy(section)
    yield from _frozen(section)
    for index, layer in enumerate(section.layers or []):
        if isinstance(layer, Take):
            name = str(REFERENCE.fullmatch(layer.take)[1])  # type: ignore[index]
            if not is_known(name) and not getattr(sections.get(name), "file", None):
                yield ("layers", index, "take"), f"a module, after {expected_name(name, sections)}"


def _identity(model: str, section: ArchitectureSection, sections: Sections) -> Iterator[Problem]:
    given = [key for key in ("base", "file", "layers") if getattr(section, key) is not None]
    if not re.fullmatch(SLUG, model, re.ASCII):
        yield (), f"{expected_name(model, sections)}; letters, digits and underscores only"
    elif not given and not is_known(model):
        yield (), f"{expected_name(model)} (a new one needs base, file or layers)"
    elif given and is_known(model):
        yield (given[0],), f"null, or another name for the section: {model} is known already"
    elif len(given) > 1:
        yield (given[1],), f"null: {given[0]} says already what {model} is"
    if section.base is not None:
        defined = [name for name, one in sections.items() if one.file or one.layers]
        if not is_known(section.base) and section.base not in defined:
            yield ("base",), expected_name(section.base, defined)
        elif any(take.weights for take in sections.get(section.base, section).takes):
            yield ("base",), "one without weights in its layers; write those layers out here"


def _origins(section: ArchitectureSection) -> Iterator[tuple[Key, WeightSource]]:
    yield (), section
    for index, layer in enumerate(section.layers or []):
        if isinstance(layer, Take):
            yield ("layers", index), layer


def _weights(origin: WeightSource) -> Iterator[Problem]:
    if origin.weights is None and origin.weights_sha256 is not None:
        yield ("weights_sha256",), "null: there are no weights"
    if origin.weights is not None and not origin.is_named and origin.weights_sha256 is None:
        file = "FILE" if origin.weights.startswith(HTTPS) else origin.weights
        yield ("weights_sha256",), f"what 'sha256sum {file}' prints"


def _policy(section: ArchitectureSection) -> Iterator[Problem]:
    if section.policy == "scratch" and section.has_weights:
        yield ("policy",), "finetune or frozen: there are weights"
    elif section.policy == "finetune" and not section.has_weights:
        yield ("policy",), "scratch: there are no weights"
    if section.policy in ("scratch", "finetune") and (section.frozen or section.thaw):
        yield ("policy",), "frozen: some layers are"
    epochs = [thaw.at_epoch for thaw in section.thaw]
    if epochs != sorted(epochs):
        yield ("thaw",), "epochs in ascending order"


def _frozen(section: ArchitectureSection) -> Iterator[Problem]:
    if section.weights is not None and any(take.weights for take in section.takes):
        yield ("weights",), "null: layers have weights of their own"
    if section.is_frozen and not section.has_weights:
        yield ("weights",), UNKNOWING
    for index, layer in enumerate(section.layers or []):
        is_bare = isinstance(layer, Take) and layer.frozen and layer.weights is None
        if is_bare and section.weights is None:
            yield ("layers", index, "weights"), UNKNOWING


class BuildSection(Strict):
    """Architectures that differ in more than their name."""

    architectures: dict[str, ArchitectureSection]

    def of(self, model: str) -> ArchitectureSection:
        """Return what is set for an architecture.

        Raises:
            InputError: If there is no such architecture, or it lacks its weights.
        """
        if model not in self.architectures and not is_known(model):
            expected = expected_name(model, self.architectures)
            raise InputError(f"model is {model!r}; expected {expected}")
        if model in NEED_WEIGHTS and model not in self.architectures:
            key = f"build.architectures.{model}.weights"
            raise InputError(f"{model} needs pretrained weights; set {key} and {key}_sha256")
        return self.architectures.get(model, ArchitectureSection())

    @field_validator("architectures")
    @classmethod
    def _fit_their_names(
        cls, sections: dict[str, ArchitectureSection]
    ) -> dict[str, ArchitectureSection]:
        found = (
            ((model, *key), expected, _value(section, key) if key else model)
            for model, section in sections.items()
            for key, expected in architecture_errors(model, section, sections)
        )
        raise_schema_errors(cls.__name__, found)
        return sections


def _value(section: ArchitectureSection, key: Key) -> object:
    value: object = section
    for name in key:
        value = value[int(name)] if isinstance(value, list) else getattr(value, str(name))
    return value
