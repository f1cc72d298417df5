"""reports/models/NAME/card.json: size, cost, schedule and weights of an architecture; in git."""

from pathlib import Path

from foldwise.files.base import Count, Size, Strict, read_json, write_json


class LoadedWeights(Strict):
    """Which tensors one source of weights provided, in the terms of load_state_dict."""

    source: str  # name, URL or file
    sha256: str
    layer: str  # the layer of a composition that they fill; "" for the whole network
    matched: Count  # tensors that are copied from the source
    missing_keys: list[str]  # tensors of the network that are initialised at random
    unexpected_keys: list[str]  # tensors of the source that the network does not use


class MemoryNeed(Strict):
    """What one process needs to train on a CPU in float32, predicted; in bytes."""

    process_bytes: Count  # Python and the libraries
    weight_bytes: Count  # weights, their gradients and two moments
    image_bytes: Count  # what is kept of each image of a batch until the backward pass

    def with_batches_of(self, n: int) -> int:
        """Return the bytes that training needs with n images a step."""
        return self.process_bytes + self.weight_bytes + n * self.image_bytes


class Card(Strict):
    """The facts of one architecture, adapted to the data."""

    name: str
    title: str  # one line: what it is, and its source
    origin: str  # Python module that defines it
    input_shape: list[int]  # channels, height, width
    classes: list[str]
    parameters: Count
    trainable_parameters: Count  # at some time
    locked_parameters: Count  # the others: they never train
    macs: Count  # of one image in evaluation
    activation_bytes: Count  # outputs of all layers for one image in float32, by torchinfo
    memory: MemoryNeed  # of training
    smallest_side: Size | None  # pixels; every larger square fits, too; None: certain sizes only
    total_stride: Size | None  # image pixels per pixel of the last feature maps; None: no maps
    policy: str  # which parts train, when, and how fast
    loaded: list[LoadedWeights]  # empty: from scratch
    cautions: list[str]  # what makes its weights fit the data less

    @property
    def weights(self) -> str:
        """The sources of its weights on one line, or "scratch"."""
        sources = [f"{weights.source} (SHA-256 {weights.sha256})" for weights in self.loaded]
        return ", ".join(dict.fromkeys(sources)) or "scratch"


def write_card(folder: Path, card: Card) -> None:
    """Write card.json."""
    write_json(folder / "card.json", card)


def read_card(folder: Path) -> Card:
    """Read card.json."""
    return read_json(folder / "card.json", Card)
