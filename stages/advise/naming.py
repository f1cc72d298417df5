"""Names for what ideas define, so that nobody else's definition is taken for theirs."""

from collections.abc import Mapping
from dataclasses import replace
from itertools import count

from stages.advise.ideas import Idea
from stages.build.section import ArchitectureSection


def rename(idea: Idea, defined: Mapping[str, ArchitectureSection]) -> Idea:
    """Return the idea under a name that is free, or that already means the same.

    Args:
        idea: A name of the catalogue stays; what is set for it counts.
        defined: The section build.architectures.
    """
    if not idea.section:
        return idea
    wanted = ArchitectureSection.model_validate(idea.section)
    names = (idea.name if number == 1 else f"{idea.name}_{number}" for number in count(1))
    return replace(idea, name=next(one for one in names if defined.get(one, wanted) == wanted))
