"""reports/models/NAME/card.json: what an architecture is and what it weighs; in git."""

from pathlib import Path

from foldwise.files.base import Count, Size, Strict, read_json, write_json


class CardPart(Strict):
    """One layer or block, or several alike in a row."""

    name: str
    kind: str  # class of the module, such as "Linear" or "2 × (Conv2d, ReLU)"
    output_shape: list[int] | None  # of one image; None: not a single tensor
    parameters: Count
    trainable_parameters: Count  # at some time
    trains_from: Size | None  # epoch of the first that trains; None: none ever does
    source: str | None  # what it was taken from; None: made for this network
    weights: str | None  # where what was taken has its weights from
    beside: bool  # takes no part in evaluation, or is a bare parameter: not one of the chain


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
    downsampling: Size | None  # pixels of the image to one of its last maps; None: no maps
    policy: str  # which parts train, when, and how fast
    loaded: list[LoadedWeights]  # empty: from scratch
    cautions: list[str]  # what makes its weights fit the data less
    parts: list[CardPart]  # in the order in which they run, those beside the chain last

    @property
    def weights(self) -> str:
        """The sources of its weights on one line, or "scratch"."""
        sources = [f"{one.source} (SHA-256 {one.sha256})" for one in self.loaded]
        return ", ".join(dict.fromkeys(sources)) or "scratch"


def write_card(folder: Path, card: Card) -> None:
    """Write card.json."""
    write_json(folder / "card.json", card)


def read_card(folder: Path) -> Card:
    """Read card.json."""
    return read_json(folder / "card.json", Card)
