"""The keys of params.yaml that build reads."""

from pydantic import field_validator

from stages.build.catalogue import TAKE_WEIGHTS, expectation, is_known
from stages.build.problems import Key, problems
from stages.build.section import ArchitectureSection
from stages.contracts.command import InputError
from stages.contracts.strict import Strict
from stages.contracts.unsound import require_none


class BuildSection(Strict):
    """Architectures that differ in more than their name."""

    architectures: dict[str, ArchitectureSection]

    def of(self, model: str) -> ArchitectureSection:
        """Return what is set for an architecture.

        Raises:
            InputError: If there is no such architecture, or it lacks its weights.
        """
        if model not in self.architectures and not is_known(model):
            expected = expectation(model, self.architectures)
            raise InputError(f"model is {model!r}; expected {expected}")
        if model in TAKE_WEIGHTS and model not in self.architectures:
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
            for key, expected in problems(model, section, sections)
        )
        require_none(cls.__name__, found)
        return sections


class BuildParams(Strict):
    """What build reads."""

    build: BuildSection


def _value(section: ArchitectureSection, key: Key) -> object:
    value: object = section
    for name in key:
        value = value[int(name)] if isinstance(value, list) else getattr(value, str(name))
    return value
