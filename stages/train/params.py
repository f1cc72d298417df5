"""The keys of params.yaml that train reads."""

from typing import Annotated, Literal

from pydantic import Field

from stages.contracts.strict import Strict


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
