"""Whether the features of a network can be kept, and which views of the images there are."""

from stages.contracts.network import Network
from stages.contracts.recipe import Recipe
from stages.extract.params import ExtractSection

GIGABYTE = 1e9  # bytes


def obstacle(network: Network) -> str | None:
    """Return why no features are made, by the network alone; None if nothing is in the way."""
    if not network.frozen:
        return "every layer trains"
    if network.cut is None:
        return "no part from the input on, or up to the head, stays frozen to the end"
    if network.normalisation is None:
        return "each fold normalises the images in its own way; set normalisation to share features"
    return None


def view_names(recipe: Recipe, section: ExtractSection) -> list[str]:
    """Return the names of the augmented views; without augmentation, images as they are."""
    return [] if recipe.is_idle else [f"view-{number}" for number in range(section.views)]


def excess(n_bytes: int, section: ExtractSection) -> str | None:
    """Return why features of this size are not kept; None if they are."""
    if n_bytes <= section.most_gigabytes * GIGABYTE:
        return None
    return (
        f"they would take {n_bytes / GIGABYTE:.2g} GB, over extract.most_gigabytes, "
        f"{section.most_gigabytes:g}"
    )
