"""params.yaml: every stage reads its own section of it, checked."""

import re
from itertools import product
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from foldwise.core.errors import InputError, did_you_mean
from foldwise.files.architecture import BuildParams
from foldwise.files.base import Strict, raise_schema_errors
from foldwise.files.catalogue import DATASETS, expected_name, is_known
from foldwise.files.validation import error_lines
from foldwise.files.verdict import MetricName

Model = TypeVar("Model", bound=BaseModel)


def read_yaml(path: Path) -> dict[str, Any]:
    """Return the mapping in a YAML file, as DVC reads it.

    With DVC's own parser, so that no value means one thing to DVC and another to a stage: to
    PyYAML `no` is False and `1e-05`, as DVC writes 0.00001 for `-S`, is text.

    Raises:
        InputError: If the file is missing, is not YAML, names a key twice, or holds no mapping.
    """
    try:
        content = YAML(typ="safe").load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"{path} is missing; restore it with 'git checkout {path}'") from None
    except (YAMLError, ValueError) as error:
        raise InputError(f"{path}: {_reason(error)}; mend the syntax") from None
    if not isinstance(content, dict):
        raise InputError(f"{path}: holds {content!r}; expected keys and values")
    return content


def read_params(path: Path, schema: type[Model]) -> Model:
    """Read the keys of params.yaml that the schema names, and no others.

    Raises:
        InputError: One line for each missing, unknown or mistyped value below those keys.
    """
    content = read_yaml(path)
    known = {key: content[key] for key in schema.model_fields if key in content}
    try:
        return schema.model_validate(known)
    except ValidationError as error:
        raise InputError(error_lines(error, schema, str(path))) from None


def _reason(error: YAMLError | ValueError) -> str:
    """Return where the text stops being YAML, and why, on one line."""
    if isinstance(error, MarkedYAMLError) and error.problem and error.problem_mark:
        return f"line {error.problem_mark.line + 1}: {error.problem}"
    return f"not YAML: {' '.join(str(error).split())}"


class PrepareSection(Strict):
    """Where the images come from and what is done to them once."""

    dataset: str  # digits, folder, or the name of a torchvision data set
    root: Annotated[str, Field(min_length=1)]  # folder of the files
    image_size: Literal["native"] | Annotated[int, Field(ge=4, le=2048)]  # pixels a side
    test_fraction: Annotated[float, Field(gt=0, le=0.5)]  # where there is no official test set
    limit: Annotated[int, Field(ge=4)] | None  # training images to take, stratified; null: all
    groups: str | None  # regular expression on file names; its one (group) names the group

    @property
    def side(self) -> int | None:
        """Pixels a side of the square to resize to; None keeps the size."""
        return None if self.image_size == "native" else self.image_size

    @field_validator("dataset")
    @classmethod
    def _is_known(cls, name: str) -> str:
        if name not in DATASETS:
            hint = did_you_mean(name, list(DATASETS)) or f": {', '.join(DATASETS)}"
            raise ValueError(f"the name of a data set{hint}")
        return name

    @field_validator("groups")
    @classmethod
    def _has_one_group(cls, pattern: str | None, info: ValidationInfo) -> str | None:
        if pattern is not None and info.data.get("dataset", "folder") != "folder":
            raise ValueError(f"null: the files of {info.data['dataset']} have no names to group by")
        try:
            compiled = re.compile(pattern or "()")
        except re.error as error:
            raise ValueError(f"a regular expression ({error})") from None
        if compiled.groups != 1:
            raise ValueError("a regular expression with exactly one (group)")
        return pattern


class PrepareParams(Strict):
    """What prepare reads; the seed travels on in the data set."""

    seed: Annotated[int, Field(ge=0, lt=2**32)]
    prepare: PrepareSection


class SplitParams(Strict):
    """How many folds there are, and whether each repeat draws its own."""

    folds: Annotated[list[int], Field(min_length=2)]
    resplit: bool


Fraction = Annotated[float, Field(ge=0, le=1)]


class AugmentSection(Strict):
    """What is drawn anew for every training image in every epoch; 0 switches a part off."""

    shift: Annotated[float, Field(ge=0, le=0.5)]  # of the side: crop from a padded image
    flip: Fraction  # probability of a left-right flip
    rotation: Annotated[float, Field(ge=0, le=180)]  # degrees, at most, either way
    erase: Fraction  # probability of a grey rectangle
    brightness: Annotated[float, Field(ge=0, lt=1)]  # factor 1 ± this
    contrast: Annotated[float, Field(ge=0, lt=1)]  # factor 1 ± this


class AugmentParams(Strict):
    """What augment reads."""

    augment: AugmentSection


class TrainSection(Strict):
    """One budget for every architecture; what an architecture overrides is in its network.json."""

    epochs: Annotated[int, Field(ge=1)]
    # Images / step. Of 2, an odd number of images would leave one alone, and BatchNorm needs two.
    batch_size: Annotated[int, Field(ge=3)]
    learning_rate: Annotated[float, Field(gt=0)]  # the peak of one cycle
    weight_decay: Annotated[float, Field(ge=0)]
    warmup: Annotated[float, Field(ge=0, lt=1)]  # share of the steps before the peak


class HardwareSection(Strict):
    """Where numbers are made, in extract and in train."""

    precision: Literal["auto", "float32", "bfloat16"]
    device: Literal["auto", "cpu", "cuda"]
    threads: Annotated[int, Field(ge=1)]


class TrainParams(Strict):
    """What train reads."""

    train: TrainSection
    hardware: HardwareSection


class ExtractSection(Strict):
    """How much of what a frozen part makes is kept."""

    views: Annotated[int, Field(ge=1)]  # augmented versions of each image
    most_gigabytes: Annotated[float, Field(ge=0)]  # of all views; over it, nothing is kept


class ExtractParams(Strict):
    """What extract reads."""

    extract: ExtractSection
    hardware: HardwareSection


class ForecastSection(Strict):
    """How long is looked at how long it takes."""

    seconds: Annotated[float, Field(gt=0, le=60)]  # for which each architecture is timed, at most


class TimingParams(ExtractParams, TrainParams):
    """What decides how long one architecture takes."""

    forecast: ForecastSection


class ForecastParams(TimingParams):
    """What forecast reads."""

    model: str
    candidates: list[str]
    repeats: Annotated[list[int], Field(min_length=1)]
    folds: Annotated[list[int], Field(min_length=2)]

    @property
    def plan(self) -> list[tuple[str, int, int]]:
        """Every (model, repeat, fold), in the order in which DVC trains them."""
        models = dict.fromkeys([self.model, *self.candidates])
        return list(product(models, self.repeats, self.folds))


Count = Annotated[int, Field(ge=1)]


class AdviseSection(Strict):
    """The thresholds of the rules."""

    budget_minutes: Annotated[float, Field(gt=0)]  # of the whole comparison
    small_side: Count  # pixels; up to it, networks for small images
    large_side: Count  # pixels; from it, networks made for ImageNet
    transfer_side: Count  # pixels; from it, weights from ImageNet for photos in colour
    clean: Annotated[float, Field(ge=0, le=1)]  # share of an image of one value; less: a photo
    little_images: Count  # under it: shallow networks, augmentation, repeats
    little_per_class: Count  # likewise
    much_per_class: Count  # over it: one step deeper
    many_classes: Count  # likewise
    frozen_under: Count  # images; pretrained layers stay frozen but for the head
    thawed_under: Count  # images; the last stage thaws; with more of them, all do
    deep_from: Count  # images, from which a GPU trains ResNet50
    most_multiply_adds: Annotated[float, Field(gt=0)]  # billions an image, trained without a GPU


class AdviseParams(ForecastParams, AugmentParams, BuildParams):
    """What advise reads."""

    advise: AdviseSection


class CompareSection(Strict):
    """What decides, and how sure it has to be."""

    metric: MetricName
    top_k: Annotated[int, Field(ge=1, le=10)]  # records count no more than ten ranks
    confidence: Annotated[float, Field(gt=0.5, lt=1)]  # of the corrected intervals and tests
    rope: Annotated[float, Field(ge=0)]  # in the unit of the metric
    sure: Annotated[float, Field(ge=0.5, le=1)]  # less would tie what is likely different
    target: Annotated[float, Field(ge=0, le=1)]  # training accuracy
    gap: Annotated[float, Field(ge=0, le=1)]  # of accuracies


class CompareParams(Strict):
    """The design of the comparison: every model, repeat and fold that counts."""

    model: str
    candidates: list[str]
    repeats: Annotated[list[int], Field(min_length=1)]
    folds: Annotated[list[int], Field(min_length=2)]
    resplit: bool
    compare: CompareSection

    @property
    def models(self) -> list[str]:
        """The model under test and the candidates, each once, in the order of params.yaml."""
        return list(dict.fromkeys([*self.candidates, self.model]))

    @property
    def runs(self) -> list[tuple[str, int, int]]:
        """Every (model, repeat, fold) that counts."""
        return list(product(self.models, self.repeats, self.folds))


class ParallelParams(Strict):
    """What decides how many trainings fit."""

    hardware: HardwareSection


def _require_slug(name: object) -> object:
    """Stop what would be a path or a command: DVC puts names into both, unquoted."""
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
    """Stop unless each candidate has its place in the matrix of dvc.yaml, which is of fixed size.

    DVC splices no list into a matrix.
    """
    assert info.context is not None
    n_slots, n_names = info.context["slots"], len(candidates)
    if n_names < n_slots:
        raise ValueError(f"{n_slots} names, one a slot of dvc.yaml; to have fewer, name one twice")
    if n_names > n_slots:
        more = ", ".join(f'"${{candidates[{slot}]}}"' for slot in range(n_slots, n_names))
        raise ValueError(f"{n_slots} names, one a slot of dvc.yaml; to have more, add {more} there")
    return candidates


Name = Annotated[str, BeforeValidator(_require_slug)]
Repeat = Annotated[int, Field(ge=0)]


class Params(
    PrepareParams,
    SplitParams,
    AdviseParams,  # first those that hold others
    ForecastParams,
    ExtractParams,
    TrainParams,
    AugmentParams,
    CompareParams,
    BuildParams,  # last, so that pydantic reads it first: it defines names
):
    """Every key of params.yaml."""

    model: Name
    candidates: Annotated[list[Name], Field(min_length=1), AfterValidator(_require_slots)]
    repeats: Annotated[list[Repeat], Field(min_length=1), AfterValidator(_require_ascending)]
    folds: Annotated[list[int], AfterValidator(_require_count)]

    @field_validator("model", "candidates")
    @classmethod
    def _are_known(cls, given: str | list[str], info: ValidationInfo) -> str | list[str]:
        """Stop unless the catalogue has each name, or the section build defines it."""
        if "build" not in info.data:  # unsound: that is said
            return given
        defined = info.data["build"].architectures
        names = (
            [((), given)] if isinstance(given, str) else [((i,), n) for i, n in enumerate(given)]
        )
        unknown = (
            (place, expected_name(name, defined), name)
            for place, name in names
            if name not in defined and not is_known(name)
        )
        raise_schema_errors(cls.__name__, unknown)
        return given

    @model_validator(mode="after")
    def _can_be_built(self) -> "Params":
        for model in self.models:
            for index, thaw in enumerate(self.build.of(model).thaw):
                if thaw.at_epoch > self.train.epochs:
                    raise ValueError(
                        f"build.architectures.{model}.thaw.{index}.at_epoch is {thaw.at_epoch}, "
                        f"and train.epochs {self.train.epochs}: that layer would never train; "
                        "thaw earlier, or train longer"
                    )
        return self

    @property
    def text(self) -> str:
        """The size of the comparison, such as "3 architectures × 1 repeat × 5 folds"."""
        models, repeats, folds = len(self.models), len(self.repeats), len(self.folds)
        counts = [(models, "architecture"), (repeats, "repeat"), (folds, "fold")]
        return " × ".join(f"{n} {noun}" if n == 1 else f"{n} {noun}s" for n, noun in counts)


def check_params(content: dict[str, Any], n_slots: int, place: str) -> Params:
    """Check the whole of params.yaml.

    Args:
        content: What the file holds.
        n_slots: Candidates that dvc.yaml has room for.
        place: The file, as the user wrote it.

    Raises:
        InputError: One line for each error.
    """
    try:
        return Params.model_validate(content, context={"slots": n_slots})
    except ValidationError as error:
        raise InputError(error_lines(error, Params, place)) from None
