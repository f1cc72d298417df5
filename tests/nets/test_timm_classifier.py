import math
import socket
import sys
from functools import partial
from pathlib import Path

import pytest
import torch
from families import mostly_slow
from sourcing import rejection
from starting import started
from torch import nn

from foldwise.core.errors import InputError
from foldwise.files.catalogue import TIMM_PREFIX, is_known
from foldwise.nets.adapt import first_convolution
from foldwise.nets.freezing import find_cut, find_heads, modules_outside
from foldwise.nets.network import construct
from foldwise.nets.proof import prove_trainable, require_fit
from foldwise.nets.shapes import construct_shapes, misfit
from foldwise.nets.sides import smallest_side

timm = pytest.importorskip("timm")

ROOT = Path(__file__).parents[2]
FAMILIES = {  # a small network of each, with its heads
    "test_vit": ["head"],
    "test_vit_relpos": ["head"],
    "test_resnet": ["fc"],
    "test_efficientnet": ["classifier"],
    "test_convnext": ["head.fc"],
    "test_nfnet": ["head.fc"],
    "test_mambaout": ["head.fc"],
    "test_coatnet": ["head.fc"],
    "test_byobnet": ["head.fc"],
    "lcnet_035": ["classifier"],
    "regnetx_002": ["head.fc"],
    "mobilevit_xxs": ["head.fc"],
    "starnet_s050": ["head"],
    "densenet121": ["classifier"],
    "levit_128s": ["head.linear", "head_dist.linear"],
    "deit_tiny_distilled_patch16_224": ["head", "head_dist"],
    "gmlp_ti16_224": ["head"],
    "xcit_nano_12_p8_224": ["head"],
    "pit_ti_224": ["head"],
}
FIXED = (  # networks that timm makes for one size, of kinds that differ in how they use it
    *("vit_tiny_patch16_224", "deit_tiny_distilled_patch16_224", "swin_tiny_patch4_window7_224"),
    *("swinv2_tiny_window8_256", "test_coatnet", "gmlp_ti16_224", "beit_base_patch16_224"),
    *("cait_xxs24_224", "levit_128s", "xcit_nano_12_p8_224", "nest_tiny", "twins_svt_small"),
)
QUICK = (  # of the networks of a fixed size, and of those with a stem: one for each kind
    *("vit_tiny_patch16_224", "levit_128s", "resnet18", "test_vit", "test_resnet"),
    *("test_efficientnet", "tf_efficientnet_lite0"),
)
SECONDS = {"xcit_nano_12_p8_224", "densenet121", "gmlp_ti16_224"}  # one each, or nearly
ODD = ("levit_128s", "deit_tiny_distilled_patch16_224", "test_convnext", "lcnet_035", "test_resnet")
STEMS = {  # with the first convolution
    "resnet18": "conv1",
    "resnet26d": "conv1.0",
    "resnetblur18": "conv1",
    "resnetrs50": "conv1.0",
    "skresnet18": "conv1",
    "resnest14d": "conv1.0",
    "res2next50": "conv1",
    "densenet121": "features.conv0",
    "legacy_seresnet18": "layer0.conv1",
    "resnetv2_18": "stem.conv",
}


@pytest.fixture
def timm_of(network_of):
    """Resolve an architecture of timm."""

    def timm_of(name, *shape, **settings):
        network = network_of(f"{TIMM_PREFIX}{name}", *shape)
        return network.model_copy(update={"settings": {**network.settings, **settings}})

    return timm_of


refusal = partial(rejection, error=InputError)


@pytest.mark.parametrize("channels", mostly_slow([1, 3], [3]))
@pytest.mark.parametrize("name", mostly_slow(FAMILIES, {*FAMILIES} - SECONDS))
def test_families_train(timm_of, name, channels):
    network = timm_of(name, channels, 32)
    assert prove_trainable(network, {}, seed=0)[1] == []


@pytest.mark.parametrize("name", mostly_slow(FAMILIES, ODD))
def test_heads_are_found_and_have_the_classes(timm_of, name):
    network = timm_of(name, 1, 32, None, 7)
    module = construct_shapes(network)
    assert find_heads(network, module) == FAMILIES[name]
    assert {module.get_submodule(head).out_features for head in FAMILIES[name]} == {7}


@pytest.mark.parametrize("n_classes", mostly_slow([2, 10, 100], [2]))
@pytest.mark.parametrize("name", mostly_slow([*FAMILIES, "tf_efficientnet_lite0"], QUICK))
def test_the_first_loss_is_near_that_of_guessing(network_of, name, n_classes):
    side = 224 if name in ("levit_128s", "test_coatnet") else 64
    _, losses = started(network_of(f"timm_{name}", 3, side, None, n_classes))
    assert max(losses) < math.log(n_classes) + 1.2


@pytest.mark.parametrize("name", mostly_slow(FAMILIES, QUICK))
def test_frozen_but_for_the_head_the_body_runs_once(timm_of, name):
    network, heads = timm_of(name, 3, 32), FAMILIES[name]
    module = construct_shapes(network)
    frozen = list(modules_outside(module, heads))
    network = network.model_copy(update={"heads": heads, "frozen": frozen})
    network = network.model_copy(update={"cut": find_cut(network, module)})
    if len(heads) == 1:
        assert network.cut.tail == heads
    assert prove_trainable(network, {}, seed=0)[0].cut == network.cut
    module = construct(network, {})
    trains = {name for name, one in module.named_parameters() if one.requires_grad}
    assert {name.rpartition(".")[0] for name in trains} == set(heads)


@pytest.mark.parametrize("channels", mostly_slow([2, 4, 5, 8], [4]))
@pytest.mark.parametrize("name", ["test_vit", "test_resnet", "test_efficientnet", "levit_128s"])
def test_any_channels_train(timm_of, name, channels):
    network = timm_of(name, channels, 64)
    prove_trainable(network, {}, seed=0)
    assert first_convolution(construct_shapes(network)).weight.shape[1] == channels


@pytest.mark.parametrize("name", mostly_slow(FIXED, ["vit_tiny_patch16_224"]))
def test_network_of_a_fixed_size_is_made_for_that_of_the_images(timm_of, name):
    assert timm.get_pretrained_cfg(name).fixed_input_size
    assert misfit(timm_of(name, 3, 32)) is None


def test_images_need_not_be_square(timm_of):
    prove_trainable(timm_of("test_vit", 3, 32, 64), {}, seed=0)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["deit_tiny_patch16_224", "gmlp_ti16_224"])
def test_patches_that_leave_a_rest_of_the_image_are_refused(timm_of, name):
    assert refusal(require_fit, timm_of(name, 1, 28)) == (
        f"timm_{name} takes certain sizes only, such as 32×32 px; the images are 28×28: "
        "set prepare.image_size to 32, or choose slim_vgg"
    )


@pytest.mark.slow
def test_network_that_fixes_its_size_whatever_is_asked_says_so(timm_of):
    assert refusal(require_fit, timm_of("efficientformer_l1", 3, 64)) == (
        "timm_efficientformer_l1 takes certain sizes only, such as 224×224 px; the images are "
        "64×64: set prepare.image_size to 224, or choose slim_vgg"
    )


@pytest.mark.slow
def test_too_small_images_are_refused_with_the_smallest(timm_of):
    network = timm_of("inception_v3", 3, 64)
    assert smallest_side(network) == 75
    assert refusal(require_fit, network) == (
        "timm_inception_v3 needs at least 75×75 px; the images are 64×64: "
        "set prepare.image_size to 96, or choose slim_vgg"
    )


def test_network_that_is_no_classifier_is_refused(timm_of):
    assert refusal(require_fit, timm_of("qwen3_vit_88m_enc", 3, 32)).startswith(
        "timm_qwen3_vit_88m_enc returns a tensor of shape (2, 1, 1024) in train mode; expected "
    )


def test_network_for_colour_images_only_is_refused(timm_of):
    message = refusal(require_fit, timm_of("csatv2", 1, 64))
    assert message.startswith("timm_csatv2: CSATv2 is designed for 3-channel RGB input. in_chans=1")
    assert message.endswith("stem; choose another architecture")


@pytest.mark.slow
def test_network_for_colour_images_only_takes_them(timm_of):
    require_fit(timm_of("csatv2", 3, 64))


@pytest.mark.parametrize("name", ["tf_mobilenetv3_small_075", "tf_efficientnet_b0", "levit_128s"])
def test_statistics_of_batch_norm_follow_within_a_few_steps(timm_of, name):
    norms = [
        part
        for part in construct_shapes(timm_of(name, 3, 64)).modules()
        if isinstance(part, nn.BatchNorm1d | nn.BatchNorm2d)
    ]
    assert norms
    assert min(norm.momentum for norm in norms) >= 0.1


def test_colour_network_is_that_of_timm(timm_of):
    torch.manual_seed(0)
    ours = construct(timm_of("test_resnet", 3, 32), {}).state_dict()
    torch.manual_seed(0)
    theirs = timm.create_model("test_resnet", num_classes=10).state_dict()
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)


@pytest.mark.parametrize("name", mostly_slow(STEMS, QUICK))
def test_small_stem(timm_of, name):
    network = timm_of(name, 1, 32, stem="small")
    assert misfit(network) is None
    first = construct_shapes(network).get_submodule(STEMS[name])
    assert first is first_convolution(construct_shapes(network)) or first.in_channels == 1
    assert (first.kernel_size, first.stride, first.padding) == ((3, 3), (1, 1), (1, 1))


def test_small_stem_of_a_deep_one_keeps_its_kernels(timm_of):
    torch.manual_seed(0)
    large = construct(timm_of("resnet26d", 3, 32), {}).state_dict()
    torch.manual_seed(0)
    small = construct(timm_of("resnet26d", 3, 32, stem="small"), {}).state_dict()
    assert all(torch.equal(large[name], small[name]) for name in large)


@pytest.mark.parametrize("name", ["test_vit", "test_convnext", "resnetv2_50x1_bit"])
def test_network_with_another_stem_is_refused(timm_of, name):
    message = refusal(construct_shapes, timm_of(name, 1, 32, stem="small"))
    assert message.startswith(f"timm_{name} has no stem of a 7×7 convolution and a max pooling")


@pytest.mark.slow
def test_every_small_stem_of_timm_takes_small_images(timm_of):
    modules = ("resnet", "resnetv2", "res2net", "resnest", "sknet", "senet", "densenet")
    taken = []
    for name in (name for module in modules for name in timm.list_models(module=module)):
        network = timm_of(name, 3, 32, stem="small")
        try:
            module = construct_shapes(network)
        except InputError:
            continue
        assert module(torch.empty(2, 3, 32, 32, device="meta")).shape == (2, 10), name
        taken.append(name)
    assert len(taken) == 123


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("resnet26dd", "timm_resnet26d"),
        ("vit_tiny_patch16_225", "timm_vit_tiny_patch16_224"),
        ("tv_resnet50", "timm_resnet50"),  # timm would take this old name, and warn
    ],
)
def test_unknown_name_is_refused_with_a_near_one(timm_of, name, near):
    message = refusal(construct_shapes, timm_of(name, 3, 32))
    assert message == (
        f"timm_{name} is unknown: timm {timm.__version__} has no network '{name}'; "
        f"did you mean '{near}'?"
    )


def test_unknown_name_near_to_none_is_refused(timm_of):
    message = refusal(construct_shapes, timm_of("zzzzzzzz", 3, 32))
    assert "no network 'zzzzzzzz'; timm.list_models() " in message


def test_every_name_of_timm_has_the_form_that_params_take():
    assert [name for name in timm.list_models() if not is_known(f"{TIMM_PREFIX}{name}")] == []


def test_without_timm_it_is_said_how_to_install_it(timm_of, monkeypatch):
    monkeypatch.setitem(sys.modules, "timm", None)
    assert refusal(construct_shapes, timm_of("resnet18", 3, 32)) == (
        "timm_resnet18 needs timm, which is not installed; "
        "pip install -c constraints.txt -e '.[timm]', or choose another architecture"
    )


def test_timm_is_imported_for_its_networks_only(torch_process):
    code = (
        "import sys, stages.check, stages.build, stages.train\n"
        "import foldwise.nets.from_library\n"
        "print('timm' in sys.modules)"
    )
    assert torch_process.run("-c", code).stdout == "False\n"


def test_nothing_is_fetched_and_nothing_printed(timm_of, monkeypatch, capfd, caplog):
    for name in ("socket", "create_connection", "getaddrinfo"):
        monkeypatch.setattr(socket, name, lambda *given, **named: pytest.fail("went online"))
    construct(timm_of("test_vit", 1, 32), {})
    assert capfd.readouterr() == ("", "")
    assert caplog.text == ""


def test_build_command(build):
    network, summary = build("timm_test_resnet", 1, 32)
    assert (network / "network.json").is_file()
    assert "test_resnet of timm" in (summary / "card.json").read_text()
