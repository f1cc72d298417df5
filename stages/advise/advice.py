"""From the data and the parameters to what is advised."""

from dataclasses import dataclass

from stages.advise.budget import Design, Plan, fit_budget
from stages.advise.facts import Facts, measure_facts
from stages.advise.naming import rename
from stages.advise.params import AdviseParams
from stages.advise.propose import LeftOut, propose
from stages.advise.settings import for_data, within_budget
from stages.advise.shortlist import shortlist
from stages.advise.trial import make
from stages.contracts.dataset import Dataset
from stages.forecast.measure import measure
from stages.train.hardware import Hardware


@dataclass(frozen=True)
class Advice:
    """What to compare.

    Attributes:
        facts: Of the data and the machine.
        plan: The proposals that fit into the budget.
        refused: What was tried before them and is not for these data or this machine.
        settings: Other keys of params.yaml to change, and why.
    """

    facts: Facts
    plan: Plan
    refused: list[LeftOut]
    settings: list[str]


def advise(dataset: Dataset, params: AdviseParams, hardware: Hardware) -> Advice:
    """Return two or three proposals that fit the data, the machine and the budget.

    Args:
        dataset: The prepared images.
        params: The thresholds, and how much would be trained.
        hardware: Where, set up.

    Raises:
        InputError: If fewer than two architectures fit.
    """
    limits, defined = params.advise, params.build.architectures
    facts = measure_facts(dataset, has_gpu=hardware.device.type == "cuda")
    ideas = [rename(one, defined) for one in shortlist(facts, limits, params.train)]
    proposals, refused = propose(
        ideas,
        lambda idea: make(idea, params.build, dataset.info),
        lambda network: measure(network, dataset.info, params, hardware),
        facts,
        limits,
    )
    given = Design(facts.n_images, len(params.repeats), len(params.folds), params.train.epochs)
    plan = fit_budget(proposals, given, limits)
    settings = [
        *within_budget(plan, given, limits),
        *for_data(plan, facts, params.augment, limits),
    ]
    return Advice(facts, plan, refused, settings)
