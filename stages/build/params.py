"""The keys of params.yaml that build reads."""

import re
from collections.abc import Iterator

from pydantic import ValidationError, field_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

from stages.build.catalogue import TAKE_WEIGHTS, require_known
from stages.contracts.command import InputError
from stages.contracts.overrides import TrainingOverrides
from stages.contracts.strict import Strict

SUFFIXES = (".pt", ".pth", ".safetensors")


class ArchitectureSection(TrainingOverrides):
    """What is set for one architecture; whatever is left out is as for all."""

    weights: str | None = None  # file with the state_dict of a trained network
    weights_sha256: str | None = None  # of that file: other weights, another result

    @property
    def training(self) -> TrainingOverrides:
        """What train takes from here."""
        return TrainingOverrides(learning_rate=self.learning_rate, weight_decay=self.weight_decay)

    @field_validator("weights")
    @classmethod
    def _has_known_suffix(cls, path: str | None) -> str | None:
        if path is not None and not path.endswith(SUFFIXES):
            raise ValueError(f"a file that ends in {', '.join(SUFFIXES)}")
        return path

    @field_validator("weights_sha256")
    @classmethod
    def _is_a_digest(cls, digest: str | None) -> str | None:
        if digest is not None and not re.fullmatch(r"[0-9a-f]{64}", digest):
            raise ValueError("64 lower-case hexadecimal digits, as 'sha256sum FILE' prints them")
        return digest


class BuildSection(Strict):
    """Architectures that differ in more than their name."""

    architectures: dict[str, ArchitectureSection]

    def of(self, model: str) -> ArchitectureSection:
        """Return what is set for an architecture.

        Raises:
            InputError: If there is no such architecture, or it lacks its weights.
        """
        try:
            require_known(model)
        except ValueError as error:
            raise InputError(f"model is {model!r}; expected {error}") from None
        if model in TAKE_WEIGHTS and model not in self.architectures:
            key = f"build.architectures.{model}.weights"
            raise InputError(f"{model} needs pretrained weights; set {key} and {key}_sha256")
        return self.architectures.get(model, ArchitectureSection())

    @field_validator("architectures")
    @classmethod
    def _fit_their_names(
        cls, sections: dict[str, ArchitectureSection]
    ) -> dict[str, ArchitectureSection]:
        errors = [
            InitErrorDetails(
                # The text is an argument: in the template, braces would be fields.
                type=PydanticCustomError("value_error", "{text}", {"text": expected}),
                loc=(model, *key),
                input=getattr(section, key[0]) if key else model,
            )
            for model, section in sections.items()
            for key, expected in _problems(model, section)
        ]
        if errors:
            raise ValidationError.from_exception_data(cls.__name__, errors)
        return sections


class BuildParams(Strict):
    """What build reads."""

    build: BuildSection


def _problems(model: str, section: ArchitectureSection) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield a key, or none for the name itself, and what is expected there."""
    try:
        require_known(model)
    except ValueError as error:
        yield (), str(error)
        return
    if model in TAKE_WEIGHTS and section.weights is None:
        yield ("weights",), f"a file with the weights that {model} starts from"
    if model not in TAKE_WEIGHTS and section.weights is not None:
        some = ", ".join(TAKE_WEIGHTS)
        yield ("weights",), f"null: {model} takes no pretrained weights, only {some} does"
    elif section.weights is not None and section.weights_sha256 is None:
        yield ("weights_sha256",), f"what 'sha256sum {section.weights}' prints"
    if section.weights is None and section.weights_sha256 is not None:
        yield ("weights_sha256",), "null: there are no weights"
