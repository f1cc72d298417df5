"""The keys of params.yaml that parallel reads."""

from stages.contracts.strict import Strict
from stages.train.params import HardwareSection


class ParallelParams(Strict):
    """What decides how many trainings fit."""

    hardware: HardwareSection
