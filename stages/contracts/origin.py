"""Where pretrained weights are from, as params.yaml says it."""

import re

from pydantic import ValidationInfo, field_validator

from stages.contracts.strict import Strict

SUFFIXES = (".pt", ".pth", ".safetensors")
HTTPS = "https://"


class Origin(Strict):
    """A source of weights, or none."""

    # A name of torchvision's or timm's (IMAGENET1K_V1), an https address, or a file.
    weights: str | None = None
    weights_sha256: str | None = None  # of the file: other weights, another result
    trust_pickle: bool = False  # run what the file says; only of a file that you made yourself

    @property
    def is_named(self) -> bool:
        """Whether the weights are named in a catalogue, not given as a file or an address."""
        return self.weights is not None and not self.weights.endswith(SUFFIXES)

    @property
    def is_remote(self) -> bool:
        """Whether the weights are given as an address."""
        return self.weights is not None and self.weights.startswith(HTTPS)

    @field_validator("weights")
    @classmethod
    def _is_a_source(cls, weights: str | None) -> str | None:
        if weights is None or (weights.endswith(SUFFIXES) and "://" not in weights):
            return weights
        if weights.startswith(HTTPS) and weights.endswith(SUFFIXES):
            return weights
        if re.fullmatch(r"[A-Za-z0-9_]+", weights):
            return weights
        raise ValueError(
            f"a name such as IMAGENET1K_V1, or a file or an {HTTPS} address that ends in "
            f"{', '.join(SUFFIXES)}"
        )

    @field_validator("weights_sha256")
    @classmethod
    def _is_a_digest(cls, digest: str | None) -> str | None:
        if digest is not None and not re.fullmatch(r"[0-9a-f]{64}", digest):
            raise ValueError("64 lower-case hexadecimal digits, as 'sha256sum FILE' prints them")
        return digest

    @field_validator("trust_pickle")
    @classmethod
    def _has_a_digest(cls, trusted: bool, info: ValidationInfo) -> bool:
        if trusted and info.data.get("weights_sha256") is None:
            raise ValueError("false, or weights_sha256 beside it: trust is in one file, by hash")
        return trusted
