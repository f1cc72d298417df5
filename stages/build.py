"""Fit an architecture to the data set, check that it trains, and write its description."""

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
from foldwise.nets.proof import prove_trainable, require_connected_spans, require_fit
from foldwise.nets.resolve import frozen_by_default, resolve
from foldwise.nets.weights.pretrained import load_pretrained
from foldwise.nets.weights.tensors import write_initial_weights


def main(argv: Sequence[str] | None = None) -> None:
    """Write network.json and, if pretrained, weights.safetensors; card.json and summary.txt."""
    parser = argparse.ArgumentParser(prog="python -m stages.build", description=__doc__)
    parser.add_argument("--params", type=Path, required=True)
    parser.add_argument("--dataset", type=Path, required=True)
    parser.add_argument("--model", required=True)
    parser.add_argument("--network", type=Path, required=True)
    parser.add_argument("--summary", type=Path, required=True)
    args = parser.parse_args(argv)
    section = read_params(args.params, "build").build
    architecture = section.of(args.model)
    info = read_info(args.dataset)
    network = resolve(args.model, section, info)
    require_connected_spans(network)
    require_fit(network)
    network = resolve_freezing(network, architecture, frozen_by_default(network))
    network, pretrained = load_pretrained(network, architecture, section)
    network = prove_trainable(network, pretrained.tensors, info.seed)
    card, table = describe_card(network, pretrained, info.classes)
    write_initial_weights(args.network, pretrained.tensors)
    write_network(args.network, network)
    write_card(args.summary, card)
    write_text(args.summary / "summary.txt", table)
    for caution in card.cautions:
        print(f"build: caution: {caution}")
    print(f"build: {describe_in_one_line(card)} -> {args.network}")


if __name__ == "__main__":
    run_main(main)
