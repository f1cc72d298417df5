"""From ideas to proposals: what fits, is light enough, and shrinks images no more than it may."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from foldwise.core.errors import InputError
from foldwise.files.network import Network
from foldwise.files.params import AdviseSection
from foldwise.plan.facts import LAST_SIDE, Facts, most_halvings, too_heavy
from foldwise.plan.ideas import Idea
from foldwise.plan.throughput import Throughput
from foldwise.plan.trial import Trial

FEWEST, MOST = 2, 3  # proposals
LEAST_HALVINGS = 2  # of any network here, whatever the images


@dataclass(frozen=True)
class Proposal:
    """One architecture to try.

    Attributes:
        idea: What it is, and what speaks for it.
        halvings: What is to be said of its downsamplings.
        pace: How fast it trains here.
    """

    idea: Idea
    halvings: str
    pace: Throughput


@dataclass(frozen=True)
class LeftOut:
    """One that was tried and is not proposed."""

    name: str
    reason: str


def propose(
    ideas: Sequence[Idea],
    make: Callable[[Idea], Trial],
    pace_of: Callable[[Network], Throughput],
    facts: Facts,
    limits: AdviseSection,
) -> tuple[list[Proposal], list[LeftOut]]:
    """Return two or three proposals, and what had to be left out for them.

    Args:
        ideas: The best bets first, each once.
        make: Makes and weighs one; raises an InputError if it does not take the images.
        pace_of: Times its network; raises an InputError if the memory is too small.
        facts: Of the data and the machine.
        limits: The thresholds.

    Raises:
        InputError: If fewer than two are left.
    """
    found: list[Proposal] = []
    left_out: list[LeftOut] = []
    for idea in ideas:
        if len(found) == MOST:
            break
        try:
            trial = make(idea)
            heavy = too_heavy(idea.architecture, trial.macs, facts, limits)
            if heavy is None:
                said = say_halvings(trial.halvings, facts.side, idea.excuse)
                found.append(Proposal(idea, said, pace_of(trial.network)))
            else:
                left_out.append(LeftOut(idea.name, heavy))
        except InputError as error:
            left_out.append(LeftOut(idea.name, str(error)))
    if len(found) < FEWEST:
        reasons = "; ".join(f"{one.name}: {one.reason}" for one in left_out)
        raise InputError(
            f"prepare.image_size leaves images of {facts.side} px, for which fewer than {FEWEST} "
            f"architectures are left ({reasons}); set another, or name candidates yourself"
        )
    return found, left_out


def say_halvings(n: int, side: int, excuse: str) -> str:
    """Return whether a network keeps to the rule of downsamplings, and if not, why take it.

    Args:
        n: How often it halves the side.
        side: Of the images, in pixels.
        excuse: What still speaks for it.
    """
    most = most_halvings(side)
    times = "1 downsampling" if n == 1 else f"{n} downsamplings"
    if n <= most:
        return f"{times}, at most {most} leave {LAST_SIDE} of {side} px"
    if most < LEAST_HALVINGS:
        excuse = "images so small are shrunk too far by every network here"
    return f"although {times} where at most {most} leave {LAST_SIDE} of {side} px: {excuse}"
