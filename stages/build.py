"""Fit an architecture to the data set, check that it trains, and write its description."""

from foldwise.core.preload import start_stage

if __name__ == "__main__":
    start_stage("stages.build")

from collections.abc import Sequence

from foldwise.core.atomic import write_text
from foldwise.core.process import parse_options
from foldwise.files.dataset import read_digests, read_info
from foldwise.files.measurements import write_latency
from foldwise.files.network import write_card, write_network
from foldwise.files.params import read_params
from foldwise.nets.card import describe_card, describe_in_one_line
from foldwise.nets.latency import latency_of
from foldwise.nets.proof import prove_trainable
from foldwise.nets.resolve import fit_network
from foldwise.nets.weights.pretrained import load_pretrained
from foldwise.nets.weights.tensors import write_initial_weights
from foldwise.run.guard import run_stage


def main(argv: Sequence[str] | None = None) -> None:
    """Write the network and, if pretrained, its weights; its card, summary and latency."""
    args = parse_options(
        "build", __doc__, argv, "params dataset network summary latency", model=str
    )
    params = read_params(args.params, "build")
    architecture = params.build.of(args.model)
    info = read_info(args.dataset)
    network = fit_network(args.model, params.build, info)
    network, pretrained = load_pretrained(network, architecture, read_digests(args.dataset))
    network, cautions = prove_trainable(network, pretrained.tensors, info.seed)
    card, table = describe_card(network, pretrained, info.classes, cautions)
    write_initial_weights(args.network, pretrained.tensors, pretrained.seen)
    write_network(args.network, network)
    write_card(args.summary, card)
    write_text(args.summary / "summary.txt", table)
    latency = latency_of(network, pretrained.tensors, args.latency)
    write_latency(args.summary / "latency.json", latency)
    for caution in card.cautions:
        print(f"build: caution: {caution}")
    print(f"build: {describe_in_one_line(card)} -> {args.network}")


if __name__ == "__main__":
    run_stage(main)
