"""How many candidates the matrix of dvc.yaml has room for."""

import re
from collections.abc import Mapping
from typing import Any

from stages.contracts.command import InputError

SLOT = re.compile(r"\$\{\s*candidates\[(\d+)\]\s*\}")


def count_slots(pipeline: Mapping[str, Any], place: str) -> int:
    """Return the number n of slots ${candidates[0]} .. ${candidates[n - 1]} in the matrices.

    Args:
        pipeline: What dvc.yaml holds.
        place: That file, as the user wrote it.

    Raises:
        InputError: If a stage leaves out a slot, or has others than another stage.
    """
    slots = {stage: _slots(body) for stage, body in pipeline.get("stages", {}).items()}
    largest = max(slots.values(), key=len, default=[])
    for stage, found in slots.items():
        if found and found != list(range(len(largest))):
            raise InputError(
                f"{place}: the matrix of {stage} has the slots {found} of candidates; expected "
                f"{list(range(len(largest)))}, the same for every stage"
            )
    return len(largest)


def _slots(stage: Mapping[str, Any]) -> list[int]:
    return sorted({int(slot) for slot in SLOT.findall(str(stage.get("matrix", "")))})
