"""params.yaml: the schema of all sections, and how a stage reads its own."""

import re
from collections.abc import Sequence
from itertools import product
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    ValidationError,
    ValidationInfo,
    create_model,
    field_validator,
    model_validator,
)

from foldwise.core.errors import InputError
from foldwise.files.architecture import BuildSection
from foldwise.files.base import Count, Model, NonNegative, Positive, Share, Size, Strict, read_yaml
from foldwise.files.catalogue import expected_instead
from foldwise.files.preparation import PrepareSection
from foldwise.files.slots import fewest_and_most, range_text
from foldwise.files.validation import error_lines, raise_schema_errors
from foldwise.files.verdict import IMAGE_METRICS, Criteria

COMMON_RATES = {"adamw": 0.002, "sgd": 0.05}  # usual for one cycle, by optimiser


class AugmentSection(Strict):
    """Augmentation, drawn again for each training image in each epoch; 0 switches a part off."""

    shift: Annotated[float, Field(ge=0, le=0.5)]  # largest shift as a share of the shorter side
    flip: Share  # probability of a left-right flip
    rotation: Annotated[float, Field(ge=0, le=180)]  # largest angle in degrees, either direction
    erase: Share  # probability of a grey rectangle
    brightness: Annotated[float, Field(ge=0, lt=1)]  # factor 1 ± this
    contrast: Annotated[float, Field(ge=0, lt=1)]  # factor 1 ± this
    vertical_flip: Share = 0.0  # probability of a flip upside down
    resized_crop: Share = 0.0  # smallest share of the area of a random crop, resized back
    saturation: Annotated[float, Field(ge=0, le=1)] = 0.0  # factor 1 ± this
    hue: Annotated[float, Field(ge=0, le=0.5)] = 0.0  # turn of the colour circle, ± this
    trivial_augment: Share = 0.0  # probability of one random operation of TrivialAugment
    mixup: Annotated[float, Field(ge=0, le=100)] = (
        0.0  # alpha of Beta(alpha, alpha), from which shares are drawn
    )
    cutmix: Annotated[float, Field(ge=0, le=100)] = 0.0  # likewise


class ExtractSection(Strict):
    """Features of frozen layers, computed once."""

    views: Annotated[int, Field(ge=1, le=1000)]  # augmented versions of each image
    most_gigabytes: NonNegative  # of all views; larger features are not stored


class TrainSection(Strict):
    """The training budget, the same for all architectures; network.json may override values."""

    epochs: Annotated[int, Field(ge=1, le=10_000)]
    # Images per step. With 2, an odd number of images would leave a batch of one, on which
    # BatchNorm cannot train.
    batch_size: Annotated[int, Field(ge=3, le=100_000)]
    # Peak of one cycle; auto: short trainings find that of each architecture without its own.
    learning_rate: Literal["auto"] | Positive
    weight_decay: NonNegative
    warmup: Annotated[float, Field(ge=0, lt=1)]  # share of the steps before the peak
    class_weights: Literal["balanced"] | None = None  # of the loss: inverse to the class sizes
    sampling: Literal["balanced"] | None = None  # each epoch draws all classes equally often
    label_smoothing: Annotated[float, Field(ge=0, lt=1)] = 0.0  # share spread over all classes
    optimiser: Literal["adamw", "sgd"] = "adamw"
    momentum: Annotated[float, Field(ge=0, lt=1)] = 0.9  # of sgd
    clip_norm: Positive | None = None  # largest norm of the gradient of all parameters
    ema: Annotated[float, Field(gt=0, lt=1)] | None = None  # decay of the averaged weights

    @property
    def common_rate(self) -> float:
        """The learning rate of all architectures, or that around which tuning begins."""
        return COMMON_RATES[self.optimiser] if self.learning_rate == "auto" else self.learning_rate


class HardwareSection(Strict):
    """Device and precision of extract and train."""

    precision: Literal["auto", "float32", "bfloat16"]
    device: Literal["auto", "cpu", "cuda"]
    threads: Annotated[int, Field(ge=1, le=1024)]


class ForecastSection(Strict):
    """Settings of the runtime forecast."""

    seconds: Annotated[float, Field(gt=0, le=60)]  # time limit of the measurement per architecture


class AdviseSection(Strict):
    """Thresholds of the rules that propose architectures."""

    budget_minutes: Positive  # of the whole comparison
    small_side: Size  # pixels; up to this side: networks for small images
    large_side: Size  # pixels; from this side: networks made for ImageNet
    transfer_side: Size  # pixels; from this side: ImageNet weights for colour photos
    clean: Share  # share of pixels of one value; photos have less
    little_images: Size  # with fewer: shallow networks, augmentation, repeats
    little_per_class: Size  # with fewer images per class: likewise
    much_per_class: Size  # with more images per class: one step deeper
    many_classes: Size  # with more classes: one step deeper
    frozen_under: Size  # images; with fewer, only the head of a pretrained network trains
    thawed_under: Size  # images; with fewer, the last stage thaws; with more, all stages
    deep_from: Size  # images from which a GPU trains ResNet50
    most_multiply_adds: Positive  # 10^9 MACs per image, if trained without a GPU


class CompareSection(Criteria):
    """How to decide, and the thresholds of the diagnosis."""

    target: Share  # training accuracy
    gap: Share  # between training and validation accuracy
    race: bool = False  # whether the first fold decides which architectures train on the others

    @model_validator(mode="after")
    def _race_by_images(self) -> "CompareSection":
        if self.race and self.metric not in IMAGE_METRICS:
            names = ", ".join(IMAGE_METRICS[:-1])
            expected = f"false, or compare.metric {names} or {IMAGE_METRICS[-1]}"
            raise_schema_errors(type(self).__name__, [(("race",), expected, True)])
        return self


def _require_slug(name: object) -> object:
    """Reject paths and commands, because DVC puts names into both without quotes."""
    if isinstance(name, str) and re.fullmatch(r"[A-Za-z0-9_]+", name):
        return name
    expected = "the name of an architecture: letters, digits and underscores"
    if isinstance(name, str) and re.search(r"[./\\~]", name):
        expected += "; 'dvc checkout' restores tracked data that 'dvc exp run' cleared there"
    raise ValueError(expected)


def _require_count(folds: list[int]) -> list[int]:
    if folds != list(range(max(len(folds), 2))):
        raise ValueError("0, 1, .. k - 1 in this order for k folds, at least [0, 1]")
    return folds


def _require_ascending(repeats: list[int]) -> list[int]:
    if repeats != sorted(set(repeats)):
        raise ValueError(f"each repeat once, ascending: {sorted(set(repeats))}")
    return repeats


def _require_slots(candidates: list[str], info: ValidationInfo) -> list[str]:
    """Check that the candidates fill the slots in dvc.yaml, whose matrices have a fixed size."""
    slots: Sequence[int] = (info.context or {}).get("slots", range(len(candidates)))
    fewest, most = fewest_and_most(slots)
    if not fewest <= len(candidates) <= most:
        names = " ".join(dict.fromkeys(candidates))
        raise ValueError(
            f"{range_text(slots)}, for which dvc.yaml has slots; 'foldwise candidates {names}' "
            "writes others"
        )
    return candidates


RUN_KEYS = ("model", "candidates", "repeats", "folds")  # they define `Params.runs`
Name = Annotated[str, BeforeValidator(_require_slug)]


class Params(Strict):
    """All sections of params.yaml, or those that a stage has read."""

    build: BuildSection  # first, because it may define the names below
    model: Name
    candidates: Annotated[list[Name], Field(min_length=1), AfterValidator(_require_slots)]
    repeats: Annotated[list[Count], Field(min_length=1), AfterValidator(_require_ascending)]
    folds: Annotated[list[int], AfterValidator(_require_count)]
    resplit: bool  # whether each repeat draws its own folds
    seed: Annotated[int, Field(ge=0, lt=2**32)]
    prepare: PrepareSection
    augment: AugmentSection
    extract: ExtractSection
    train: TrainSection
    hardware: HardwareSection
    forecast: ForecastSection
    advise: AdviseSection
    compare: CompareSection

    @property
    def models(self) -> list[str]:
        """The candidates and the model under test, each once, in the order of params.yaml."""
        return list(dict.fromkeys([*self.candidates, self.model]))

    @property
    def runs(self) -> list[tuple[str, int, int]]:
        """Every (model, repeat, fold) of the comparison, in the order of `models`."""
        return list(product(self.models, self.repeats, self.folds))

    @property
    def size_text(self) -> str:
        """The size of the comparison, such as "3 architectures × 1 repeat × 5 folds"."""
        models, repeats, folds = len(self.models), len(self.repeats), len(self.folds)
        counts = [(models, "architecture"), (repeats, "repeat"), (folds, "fold")]
        return " × ".join(f"{n} {noun}" if n == 1 else f"{n} {noun}s" for n, noun in counts)

    @field_validator("model", "candidates")
    @classmethod
    def _are_known(cls, value: str | list[str], info: ValidationInfo) -> str | list[str]:
        """Reject names that neither the catalogue nor the section build defines."""
        if "build" not in info.data:  # it is wrong itself, which is reported
            return value
        defined = info.data["build"].architectures
        names = [value] if isinstance(value, str) else value
        errors = (
            (() if isinstance(value, str) else (index,), expected, name)
            for index, name in enumerate(names)
            if (expected := expected_instead(name, defined))
        )
        raise_schema_errors(cls.__name__, errors)
        return value

    @model_validator(mode="after")
    def _thaw_in_time(self) -> "Params":
        n_epochs = self.train.epochs
        errors = (
            (
                ("build", "architectures", model, "thaw", index, "at_epoch"),
                f"at most {n_epochs}, which is train.epochs: later, that layer would never train",
                thaw.at_epoch,
            )
            for model in self.models
            for index, thaw in enumerate(self.build.of(model).thaw)
            if thaw.at_epoch > n_epochs
        )
        raise_schema_errors(type(self).__name__, errors)
        return self


_read: dict[tuple[Path, tuple[str, ...]], Params] = {}  # in this process, by file and sections


def check_params(content: dict[str, Any], slots: Sequence[int], place: str) -> Params:
    """Check all of params.yaml.

    Args:
        content: Of the file.
        slots: Of candidates in dvc.yaml; negative ones count from the end.
        place: The file, as the user wrote it.

    Raises:
        InputError: One line for each error.
    """
    return _validate(Params, content, place, slots)


def read_params(path: Path, *sections: str) -> Params:
    """Read some sections of params.yaml. The others may be missing or wrong.

    Args:
        path: The file.
        sections: Top-level keys; the other attributes of the result do not exist.

    Raises:
        InputError: One line for each error in these sections.
    """
    content = read_yaml(path)
    fields = {key: Params.model_fields[key] for key in sections}
    types: dict[str, Any] = {key: (field.annotation, field) for key, field in fields.items()}
    selected = {key: content[key] for key in sections if key in content}
    schema = create_model("Sections", __base__=Strict, **types)
    params = Params.model_construct(**dict(_validate(schema, selected, str(path))))
    _read[path, sections] = params
    return params


def require_unchanged() -> None:
    """Check that the sections that this process has read are still the same.

    DVC reads them again when a stage has ended: it would save the result under the new values.

    Raises:
        InputError: If not.
    """
    for (path, sections), params in list(_read.items()):
        if read_params(path, *sections) != params:
            raise InputError(
                f"{path} has changed in {' or '.join(sections)} while this stage ran; its result "
                "is dropped: restore the file, or run 'dvc repro' again"
            )


def _validate(
    schema: type[Model], content: dict[str, Any], place: str, slots: Sequence[int] | None = None
) -> Model:
    context = {} if slots is None else {"slots": slots}
    try:
        return schema.model_validate(content, context=context)
    except ValidationError as error:
        raise InputError(error_lines(error, schema, content, place)) from None
