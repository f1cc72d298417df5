"""When each part of a network trains: as an epoch, and in words."""

from collections.abc import Iterable, Iterator, Sequence

from torch import nn

from foldwise.files.network import Network, Thaw
from foldwise.nets.network import FIRST, covers, frozen_at

MOST_NAMES = 6  # written out


def trains_from(network: Network, name: str) -> int | None:
    """Return the epoch, counted from 1, from which a parameter trains; None if it never does.

    Args:
        network: Frozen and thawed as it will be.
        name: Of the parameter.
    """
    epochs = [FIRST, *(one.at_epoch for one in network.thaw)]
    free = (epoch for epoch in epochs if not covers(frozen_at(network, epoch), name))
    return next(free, None)


def policy_in_words(network: Network, module: nn.Module, *, is_pretrained: bool) -> str:
    """Return which parts of a network train, when, and how fast where that is its own.

    Args:
        network: Frozen and thawed as it will be.
        module: Made of it.
        is_pretrained: Whether any part of it starts pretrained.
    """
    order = [name for name, _ in module.named_parameters()]
    thaws = [_thaw(order, one) for one in network.thaw]
    return "; ".join([_start(network, order, is_pretrained), *thaws, *_rates(network)])


def shorten(names: Sequence[str], most: int = MOST_NAMES) -> str:
    """Return the first of some names, and how many more there are."""
    more = [f"{len(names) - most} more"] if len(names) > most else []
    return ", ".join([*names[:most], *more])


def _start(network: Network, order: Sequence[str], is_pretrained: bool) -> str:
    frozen = frozen_at(network, FIRST)
    if not frozen:
        return "finetune: all layers train" if is_pretrained else "trains from scratch"
    if all(covers([*frozen, *network.heads], name) for name in order):
        return f"frozen but for {shorten(network.heads)}"
    return f"frozen: {_span(order, frozen)}"


def _thaw(order: Sequence[str], thaw: Thaw) -> str:
    verb = "trains" if len(thaw.layers) == 1 else "train"
    rate = "" if thaw.learning_rate is None else f" at {thaw.learning_rate:g}"
    return f"{_span(order, thaw.layers)} {verb} from epoch {thaw.at_epoch} on{rate}"


def _rates(network: Network) -> Iterator[str]:
    training = network.training
    if training.learning_rate is not None:
        yield f"learning rate {training.learning_rate:g}"
    if training.body_learning_rate is not None:
        yield f"body at {training.body_learning_rate:g}"
    if training.layer_decay is not None:
        yield f"each layer at {training.layer_decay:g} of the rate of the next"


def _span(order: Sequence[str], names: Iterable[str]) -> str:
    """Return the names with parameters; from the first to the last where none lies between."""
    starts = {name: [i for i, one in enumerate(order) if covers([name], one)] for name in names}
    known = sorted((name for name in starts if starts[name]), key=lambda name: starts[name])
    places = [place for name in known for place in starts[name]]
    if len(known) > 2 and places == list(range(places[0], places[-1] + 1)):
        return f"{known[0]} … {known[-1]}"
    return shorten(known)
