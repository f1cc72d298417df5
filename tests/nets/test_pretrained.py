import re

import pytest
import torch
from families import mostly_slow
from sourcing import counted, in_front, refusal, rejection, weightless
from torchvision.models import get_model, resnet18

from foldwise.core.errors import InputError
from foldwise.files.catalogue import TORCHVISION_MODELS
from foldwise.files.network import ChannelStatistics
from foldwise.nets.network import construct
from foldwise.nets.shapes import construct_shapes
from foldwise.nets.weights.tensors import digest_weights

FROZEN = ("conv1", "bn1", "layer1", "layer2")
LARGEST = ("regnet_y_128gf", "vit_h_14")  # whose weights would fill the memory
HEAD = ["fc.weight", "fc.bias"]
FILES = ["w.safetensors", "w.pt", "w.pth"]


def test_without_weights_there_is_nothing_to_find(begin):
    started = begin("lenet5", 1, 28)
    assert started.weights == {}
    assert started.network.weights_sha256 is None
    assert started.network.normalisation is None
    assert (started.findings.loaded, started.findings.cautions) == ([], [])


def test_normalisation_that_is_set_holds_without_weights(begin):
    started = begin("lenet5", 1, 28, normalisation={"mean": [0.25], "std": [0.5]})
    assert started.network.normalisation == ChannelStatistics(mean=[0.25], std=[0.5])


@pytest.mark.parametrize("name", mostly_slow(FILES, FILES[:1]))
def test_all_but_the_head_starts_pretrained(begin, weights_file, trained_state, name):
    said = weights_file(trained_state, name)
    started = begin("resnet18", 3, 32, 32, 1000, policy="finetune", **said)
    assert started.weights.keys() == trained_state.keys() - set(HEAD), "even if it has 1000 classes"
    assert all(torch.equal(started.weights[key], trained_state[key]) for key in started.weights)
    (loaded,) = started.findings.loaded
    assert loaded.source == said["weights"]
    assert loaded.sha256 == said["weights_sha256"]
    assert loaded.layer == ""
    assert loaded.matched == 100
    assert loaded.missing_keys == []
    assert loaded.unexpected_keys == sorted(HEAD)


def test_weights_of_a_deeper_network_are_refused(begin, weights_file):
    """All tensors of a ResNet-18 are in a ResNet-34, too."""
    said = weights_file(weightless("resnet34"))
    message = refusal(begin, "resnet18", 3, 32, **said)
    assert "resnet18 does not have 80 of its tensors: layer1.2.bn1.bias" in message
    assert "; set base to the architecture that was trained, or combine parts" in message


def test_pretrained_network_has_the_hash_of_its_weights_and_can_be_constructed(
    begin, weights_file, trained_state
):
    started = begin("resnet18", 1, 32, **weights_file(trained_state))
    state = construct(started.network, started.weights).state_dict()
    assert all(torch.equal(state[name], one) for name, one in started.weights.items())
    assert started.network.weights_sha256 == digest_weights(started.weights)


@pytest.mark.parametrize("model", ["mnasnet0_5", "squeezenet1_1", "shufflenet_v2_x0_5"])
def test_other_networks_of_torchvision_start_from_their_own_state(begin, weights_file, model):
    """MNASNet refuses a state without its metadata."""
    torch.manual_seed(0)
    state = get_model(model, weights=None).state_dict()
    started = begin(model, 1, 64, **weights_file(dict(state)))
    assert started.findings.loaded[0].missing_keys == []
    construct(started.network, started.weights)


def state_of(network):
    """Return a state of its shapes that makes a file of a few kilobytes."""
    made = construct_shapes(network).state_dict()
    return {name: torch.zeros((), dtype=one.dtype).expand(one.shape) for name, one in made.items()}


@pytest.mark.slow
@pytest.mark.parametrize("model", [name for name in TORCHVISION_MODELS if name not in LARGEST])
def test_every_network_of_torchvision_starts_from_its_own_state(
    begin, network_of, weights_file, model
):
    side = 299 if model == "inception_v3" else 224
    state = state_of(network_of(model, 3, side, side, 1000))
    started = begin(model, 1, side, policy="frozen", **weights_file(state))
    (loaded,) = started.findings.loaded
    heads = started.network.heads
    assert loaded.missing_keys == []
    assert {name.rpartition(".")[0] for name in loaded.unexpected_keys} == set(heads)


def test_weights_of_a_network_of_timm_fit_it(begin, weights_file):
    timm = pytest.importorskip("timm")
    torch.manual_seed(0)
    state = timm.create_model("resnet10t").state_dict()
    started = begin("timm_resnet10t", 1, 64, **weights_file(state))
    assert started.findings.loaded[0].missing_keys == []
    assert started.weights["conv1.0.weight"].shape[1] == 1
    construct(started.network, started.weights)


def test_weights_of_inception_fit_small_images(begin, network_of, weights_file):
    """There, it has no auxiliary head, and all but its main head is frozen."""
    state = state_of(network_of("inception_v3", 3, 299, 299, 1000))
    started = begin("inception_v3", 3, 96, policy="frozen", **weights_file(state))
    (loaded,) = started.findings.loaded
    assert loaded.missing_keys == []
    assert {name.partition(".")[0] for name in loaded.unexpected_keys} == {"AuxLogits", "fc"}


def test_weights_of_a_small_vit_fit_another_image_size(begin, weights_file):
    """All but the head is frozen, so that no tensor may be missing."""
    state = pytest.importorskip("timm").create_model("test_vit").state_dict()
    assert state["pos_embed"].shape == (1, 1 + 10 * 10, 64)
    started = begin("timm_test_vit", 3, 32, policy="frozen", **weights_file(state))
    assert started.findings.loaded[0].missing_keys == []
    assert started.weights["pos_embed"].shape == (1, 1 + 2 * 2, 64)


@pytest.mark.slow
def test_weights_of_a_vit_of_torchvision_fit_another_image_size(begin, weights_file):
    state = weightless("vit_b_32")  # for 224×224 px
    started = begin("vit_b_32", 3, 64, policy="frozen", **weights_file(state))
    assert started.findings.loaded[0].missing_keys == []
    assert started.weights["encoder.pos_embedding"].shape == (1, 1 + 2 * 2, 768)


@pytest.mark.slow
def test_old_names_of_densenets_fit(begin, weights_file):
    state = {
        re.sub(r"(denselayer\d+\.(?:norm|conv))([12])", r"\1.\2", name): one
        for name, one in weightless("densenet121").items()
    }
    assert "features.denseblock1.denselayer1.norm.1.weight" in state
    started = begin("densenet121", 3, 32, policy="frozen", **weights_file(state))
    assert started.findings.loaded[0].missing_keys == []


def test_missing_tensors_start_fresh_and_are_reported(begin, weights_file, trained_state):
    state = {name: one for name, one in trained_state.items() if name != "layer4.1.bn2.bias"}
    state["layer4.1.conv2.weight"] = torch.zeros(3, 3)
    state["extra"] = torch.zeros(3)
    started = begin("resnet18", 3, 32, **weights_file(state))
    missing = {"layer4.1.bn2.bias", "layer4.1.conv2.weight"}
    (loaded,) = started.findings.loaded
    assert set(loaded.missing_keys) == missing
    assert set(loaded.unexpected_keys) == {"extra", "layer4.1.conv2.weight", *HEAD}
    assert loaded.matched == 98
    assert not missing & started.weights.keys()
    (caution,) = [one for one in started.findings.cautions if "random initialisation" in one]
    assert "layer4.1.conv2.weight has shape (3, 3), not (512, 512, 3, 3)" in caution


def test_files_without_batch_counters_are_taken(begin, weights_file, trained_state):
    old = {name: one for name, one in trained_state.items() if "num_batches" not in name}
    started = begin("resnet18", 3, 32, policy="frozen", **weights_file(old))
    assert started.findings.loaded[0].matched == 100
    assert started.findings.loaded[0].missing_keys == []


@pytest.mark.parametrize(
    ("given", "wanted", "problem"),
    [
        ("resnet34", "resnet50", "layer1.0.conv1.weight has shape (64, 64, 3, 3), not (64, 64, 1"),
        ("resnet50", "resnet18", "layer1.0.conv1.weight has shape (64, 64, 1, 1), not (64, 64, 3"),
        ("vgg11_bn", "resnet18", "conv1.weight is missing, bn1.weight is missing, "),
        ("resnet18", "vgg11", "0 of the "),
    ],
)
def test_weights_of_another_architecture_are_refused(begin, weights_file, given, wanted, problem):
    message = refusal(begin, wanted, 3, 64, **weights_file(weightless(given)))
    assert problem in message
    assert "expected at least 90 %" in message
    assert "set base to the architecture that was trained" in message


def test_first_kernel_of_another_stem_starts_fresh_unless_it_is_frozen(begin, weights_file):
    settings = {"base": "resnet18", "stem": "small", **weights_file(weightless("resnet18"))}
    assert begin("small", 3, 32, **settings).findings.loaded[0].missing_keys == ["conv1.weight"]
    message = refusal(begin, "small", 3, 32, policy="frozen", **settings)
    assert "conv1.weight has shape (64, 3, 7, 7), not (64, 3, 3, 3); that layer is f" in message
    assert message.endswith("give weights that have it, or do not freeze it")


def test_names_are_those_of_the_base(begin):
    message = refusal(begin, "mine", 3, 32, base="resnet50", weights="IMAGENET1K_V9")
    assert "torchvision's resnet50 has the weights IMAGENET1K_V1, IMAGENET1K_V2, " in message


def test_values_that_are_not_finite_are_refused(begin, weights_file, trained_state):
    state = trained_state | {"bn1.running_var": torch.full((64,), torch.nan)}
    assert "not finite: bn1.running_var; give" in refusal(
        begin, "resnet18", 3, 32, **weights_file(state)
    )


def test_trusted_network_of_torchvision_is_a_source(begin, weights_file, trained_state):
    module = resnet18(weights=None)
    module.load_state_dict(trained_state)
    said = weights_file(module, "model.pt")
    assert "would run torch.nn.modules.activation.ReLU, " in refusal(
        begin, "resnet18", 3, 32, **said
    )
    started = begin("resnet18", 3, 32, trust_pickle=True, **said)
    assert torch.equal(started.weights["bn1.running_var"], trained_state["bn1.running_var"])


# The network of the lesson, of which only the frozen part starts pretrained


@pytest.fixture
def transfer(begin, weights_file):
    def transfer(content, name="w.pt", channels=3, **changes):
        return begin("resnet18_transfer", channels, 32, **weights_file(content, name) | changes)

    return transfer


def transfer_refusal(transfer, *args, **changes):
    message = rejection(transfer, *args, error=InputError, **changes)
    assert message.startswith("build.architectures.resnet18_transfer.weights is '")
    return message


@pytest.mark.parametrize("name", mostly_slow(FILES, FILES[1:2]))
def test_frozen_part_is_taken_and_nothing_else(transfer, trained_state, name):
    started = transfer(trained_state, name)
    assert started.weights.keys() == in_front(trained_state, *FROZEN)
    assert all(torch.equal(one, trained_state[key]) for key, one in started.weights.items())
    assert len(started.findings.loaded[0].unexpected_keys) == len(
        counted(trained_state.keys() - started.weights.keys())
    )


def test_finetuned_all_of_it_is_taken(transfer, trained_state):
    taken = transfer(trained_state, policy="finetune").weights
    assert taken.keys() == trained_state.keys() - set(HEAD)


def test_grey_images_get_the_sum_of_the_colours(transfer, trained_state):
    kernel = transfer(trained_state, channels=1).weights["conv1.weight"]
    assert torch.equal(kernel, trained_state["conv1.weight"].sum(1, keepdim=True))


def test_grey_kernel_fits_grey_images_as_it_is(transfer, trained_state):
    kernel = torch.randn(64, 1, 7, 7)
    state = trained_state | {"conv1.weight": kernel}
    assert torch.equal(transfer(state, channels=1).weights["conv1.weight"], kernel)
    message = transfer_refusal(transfer, state)
    assert "conv1.weight has shape (64, 1, 7, 7), not (64, 3, 7, 7)" in message


@pytest.mark.parametrize(
    ("name", "change", "problem"),
    [
        ("layer2.1.bn2.bias", None, "is missing"),
        ("layer1.0.conv1.weight", torch.zeros(64, 64, 1, 1), "has shape (64, 64, 1, 1), not (64"),
        ("bn1.weight", torch.ones(64, dtype=torch.float64) * 1e300, "not finite"),
        ("bn1.weight", torch.ones(64, dtype=torch.int64), "is of type torch.int64, not torch.fl"),
        *(
            pytest.param(*case, marks=pytest.mark.slow)
            for case in (
                ("conv1.weight", None, "is missing"),
                ("bn1.running_var", torch.full((64,), torch.nan), "not finite"),
                ("conv1.weight", torch.full((64, 3, 7, 7), torch.inf), "not finite"),
                ("bn1.weight", torch.ones(64, dtype=torch.complex64), "is of type torch.complex64"),
            )
        ),
    ],
)
def test_frozen_tensor_that_would_stay_random_is_named(
    transfer, trained_state, name, change, problem
):
    state = {key: one for key, one in trained_state.items() if key != name}
    if change is not None:
        state[name] = change
    message = transfer_refusal(transfer, state)
    assert name in message
    assert problem in message


@pytest.mark.parametrize(
    "change",
    [
        torch.ones(64).to_sparse(),
        *(
            pytest.param(change, marks=pytest.mark.slow)
            for change in (3, torch.ones(64, device="meta"))
        ),
    ],
)
def test_what_is_no_dense_tensor_is_named(transfer, trained_state, change):
    state = trained_state | {"bn1.weight": change}
    message = transfer_refusal(transfer, state)
    assert "bn1.weight is not a dense tensor; that layer is frozen" in message


def test_unfit_tensor_that_is_not_taken_does_not_matter(transfer, trained_state):
    assert transfer(trained_state | {"fc.weight": torch.full((3, 3), torch.nan)})
