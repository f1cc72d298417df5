"""Make an architecture fit the data, prove that it works, and say what it weighs."""

from foldwise.core.process import tune_python

if __name__ == "__main__":
    tune_python()

import argparse
from collections.abc import Sequence
from pathlib import Path

from foldwise.core.atomic import write_text
from foldwise.core.errors import run_main
from foldwise.files.card import write_card
from foldwise.files.dataset import read_info
from foldwise.files.network import write_network
from foldwise.files.params import read_params
from foldwise.nets.card import describe_card, describe_in_one_line
from foldwise.nets.freezing import resolve_freezing
from foldwise.nets.proof import prove_trainable, require_fit
from foldwise.nets.resolve import frozen_by_default, resolve
from foldwise.nets.trace import require_connected_spans
from foldwise.nets.weights.pretrained import load_pretrained
from foldwise.nets.weights.tensors import write_start


def main(argv: Sequence[str] | None = None) -> None:
    """Write network.json and, if pretrained, weights.safetensors; card.json and summary.txt."""
    parser = argparse.ArgumentParser(prog="python -m stages.build", description=__doc__)
    parser.add_argument("--params", type=Path, required=True)
    parser.add_argument("--dataset", type=Path, required=True)
    parser.add_argument("--model", required=True)
    parser.add_argument("--network", type=Path, required=True)
    parser.add_argument("--summary", type=Path, required=True)
    given = parser.parse_args(argv)
    section = read_params(given.params, "build").build
    wanted = section.of(given.model)
    info = read_info(given.dataset)
    network = resolve(given.model, section, info)
    require_connected_spans(network)
    require_fit(network)
    network = resolve_freezing(network, wanted, frozen_by_default(network))
    network, weights, findings = load_pretrained(network, wanted, section)
    network = prove_trainable(network, weights, info.seed)
    card, table = describe_card(network, findings, info.classes)
    write_start(given.network, weights or None)
    write_network(given.network, network)
    write_card(given.summary, card)
    write_text(given.summary / "summary.txt", table)
    for caution in card.cautions:
        print(f"build: caution: {caution}")
    print(f"build: {describe_in_one_line(card)} -> {given.network}")


if __name__ == "__main__":
    run_main(main)
