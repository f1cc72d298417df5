"""The cost that decides, as `compare.cost` says: MACs, latency or seconds of training."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain

from foldwise.core.errors import InputError
from foldwise.files.comparison import Architecture
from foldwise.files.fold_record import FoldRecord, Machine
from foldwise.files.measurements import Measurements
from foldwise.files.validation import shown
from foldwise.files.verdict import CostUnit


def cost_of(architecture: Architecture, unit: CostUnit) -> float:
    """Return the cost of an architecture that finished."""
    assert architecture.cost is not None
    costs: dict[CostUnit, float] = {
        "macs": float(architecture.macs),
        "latency": architecture.latency.image,
        "training_seconds": architecture.cost.training_seconds,
    }
    return costs[unit]


def describe_costs(costs: Sequence[float], unit: CostUnit) -> str:
    """Return for example "3 instead of 20 s of training per fold"."""
    if unit == "macs":
        return f"{' instead of '.join(count(round(cost)) for cost in costs)} MACs per image"
    scale, suffix = (1000, "ms per image") if unit == "latency" else (1, "s of training per fold")
    return f"{' instead of '.join(f'{scale * cost:.3g}' for cost in costs)} {suffix}"


def count(number: int) -> str:
    """Return "5,000" or "11.2 million"."""
    if number < 10**6:
        return f"{number:,}"
    return f"{number / 10**6:,.1f} million" if number < 10**9 else f"{number / 10**9:,.1f} billion"


def require_equal_machines(
    unit: CostUnit, records: Iterable[FoldRecord], measured: Mapping[str, Measurements]
) -> None:
    """Raise an error if the deciding cost was measured on unlike machines or versions.

    Args:
        unit: The cost that decides.
        records: All fold records.
        measured: Latency and extraction of each architecture, by name.

    Raises:
        InputError: One line that says in what the machines differ.
    """
    latency = [each.latency.machine for each in measured.values()]
    extraction = [each.extraction.machine for each in measured.values() if each.extraction.machine]
    machines: dict[CostUnit, list[Machine]] = {
        "macs": [],
        "latency": latency,
        "training_seconds": [*(record.machine for record in records), *extraction],
    }
    if unlike := machine_differences(machines[unit]):
        stages = "build" if unit == "latency" else "extract and train"
        raise InputError(
            f"params.yaml: compare.cost is {unit}, but it was measured on unlike machines or "
            f"versions ({unlike}); set it to macs, or run {stages} of all architectures on one "
            "machine"
        )


def machine_differences(machines: Sequence[Machine]) -> str:
    """Return in what machines or versions differ; "" if all are equal."""
    facts = [machine.model_dump(exclude={"versions"}) | machine.versions for machine in machines]
    values = {
        key: sorted({shown(fact.get(key)) for fact in facts})
        for key in dict.fromkeys(chain.from_iterable(facts))
    }
    return "; ".join(f"{key} {' or '.join(v)}" for key, v in values.items() if len(v) > 1)
