"""The section of one architecture in params.yaml."""

import re
from typing import Annotated, Literal

from pydantic import Field, field_validator

from stages.contracts.layers import Layer, Take
from stages.contracts.network import ChannelStatistics
from stages.contracts.origin import Origin
from stages.contracts.overrides import Rate, TrainingOverrides
from stages.contracts.strict import Strict

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


class ArchitectureSection(Origin, TrainingOverrides):
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
    def training(self) -> TrainingOverrides:
        """What train takes from here."""
        return TrainingOverrides(
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
