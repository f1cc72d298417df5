import pytest
import torch
import yaml
from torch import nn
from torchvision.models import resnet18

from foldwise.core.errors import InputError
from foldwise.files.architecture import ArchitectureSection, BuildSection
from foldwise.files.layers import Take
from foldwise.nets.composition import module_names
from foldwise.nets.network import construct
from foldwise.nets.proof import prove_trainable, require_connected_spans, require_fit
from foldwise.nets.resolve import resolve
from foldwise.nets.shapes import construct_shapes

VGG_RESNET = """
- conv: {channels: 64, kernel: 3}
- batch_norm
- relu
- take: vgg16_bn.features[7:14]
- take: resnet18.layer3
- global_average_pool
- linear
"""
RESNET18_TRANSFER = """
- take: resnet18[conv1:layer2]
- take: resnet18[layer3:layer4]
- global_average_pool
- linear
"""


@pytest.fixture
def compose(network_of):
    def compose(text, *shape, **section):
        return network_of("composed", *shape, layers=yaml.safe_load(text), **section)

    return compose


@pytest.fixture
def resolved(info_of):
    """Resolve a composition without making it."""

    def resolved(text):
        section = ArchitectureSection.model_validate({"layers": yaml.safe_load(text)})
        build = BuildSection.model_construct(architectures={"composed": section})
        return resolve("composed", build, info_of(3, 64))

    return resolved


def equal_weights(one, other):
    """Give one module the state of another whose tensors come in the same order."""
    state = dict(zip(one.state_dict(), other.state_dict().values(), strict=True))
    one.load_state_dict(state)


@pytest.mark.parametrize(
    ("text", "own", "shape"),
    [
        pytest.param(VGG_RESNET, "vgg_resnet", (1, 32), marks=pytest.mark.slow),
        (RESNET18_TRANSFER, "resnet18_transfer", (3, 32)),
    ],
)
@pytest.mark.parametrize("train", [pytest.param(True, marks=pytest.mark.slow), False])
def test_networks_of_the_lesson_are_the_same_in_yaml_and_in_python(
    compose, network_of, text, own, shape, train
):
    composed, ours = construct(compose(text, *shape), {}), construct(network_of(own, *shape), {})
    equal_weights(composed, ours)
    images = torch.randn(3, shape[0], shape[1], shape[1])
    ours.requires_grad_(True)
    outputs = composed.train(train)(images), ours.train(train)(images)
    assert torch.equal(*outputs)
    for output in outputs:
        output.square().sum().backward()
    for mine, yours in zip(composed.parameters(), ours.parameters(), strict=True):
        torch.testing.assert_close(mine.grad, yours.grad)


@pytest.mark.parametrize(
    ("text", "shape", "parameters"),
    [(VGG_RESNET, (1, 32), 2_325_002), (RESNET18_TRANSFER, (3, 224), 11_181_642)],
)
def test_parameters_are_those_of_the_lesson(compose, text, shape, parameters):
    module = construct_shapes(compose(text, *shape))
    assert sum(one.numel() for one in module.parameters()) == parameters


def test_truncating_is_one_line(compose):
    module = construct(compose("[{take: 'resnet18[:layer2]'}, global_average_pool, linear]", 1), {})
    torch.manual_seed(0)
    whole = resnet18(num_classes=10)
    whole.conv1.weight = module.resnet18.conv1.weight
    whole.conv1.in_channels = 1
    for name in ("bn1", "layer1", "layer2"):
        setattr(whole, name, getattr(module.resnet18, name))
    images, seen = torch.randn(2, 1, 28, 28), []
    whole.layer2.register_forward_hook(lambda *given: seen.append(given[2]))
    whole.eval()(images)
    assert torch.equal(module.eval().resnet18(images), seen[0])


def test_extending_is_one_line_a_layer(compose):
    network = compose(
        "[{take: 'slim_vgg[:11]'}, {conv: 128}, batch_norm, relu, global_average_pool, linear]", 1
    )
    require_fit(network)
    prove_trainable(network, {}, seed=0)
    assert construct_shapes(network).linear.in_features == 128


def test_every_kind_of_new_layer(compose):
    network = compose(
        """
        - conv: {channels: 8, kernel: 5, stride: 2, padding: 2, groups: 1, bias: false}
        - batch_norm
        - leaky_relu
        - max_pool
        - conv: 6
        - elu
        - average_pool: {size: 3, stride: 1, padding: 1}
        - gelu
        - dropout2d: 0.1
        - adaptive_average_pool: 4
        - silu
        - adaptive_max_pool: 2
        - hardswish
        - flatten
        - linear: 20
        - batch_norm
        - tanh
        - dropout
        - linear: {features: 12, bias: false}
        - sigmoid
        - mish
        - linear
        """
    )
    module = construct(network, {})
    assert (module.linear.in_features, module.linear_2.in_features) == (6 * 2 * 2, 20)
    assert module.linear_3.out_features == 10
    assert isinstance(module.batch_norm_2, nn.BatchNorm1d)
    assert [module.dropout2d.p, module.dropout.p] == [0.1, 0.5]
    prove_trainable(network, {}, seed=0)


@pytest.mark.parametrize("pool", ["global_average_pool", "global_max_pool"])
def test_global_pools_flatten(compose, pool):
    module = construct(compose(f"[{{conv: 5}}, {pool}, linear]"), {})
    assert module.linear.in_features == 5


def test_layers_have_names(compose):
    module = construct_shapes(
        compose(
            "[{conv: 8, name: first}, relu, {conv: 8}, relu, {take: slim_vgg.6}, flatten, linear]"
        )
    )
    names = [name for name, _ in module.named_children()]
    assert names == ["first", "relu", "conv", "relu_2", "slim_vgg_6", "flatten", "linear"]


@pytest.mark.parametrize(
    ("text", "slug"),
    [
        ("resnet18", "resnet18"),
        ("resnet18[conv1:layer2]", "resnet18"),
        ("vgg16_bn.features[7:14]", "vgg16_bn_features"),
        ("resnet18.layer1.0", "resnet18_layer1_0"),
    ],
)
def test_a_name_for_what_is_taken(text, slug):
    assert module_names([Take(kind="take", take=text)]) == [slug]


def test_what_is_taken_twice_does_not_share_weights(compose):
    module = construct(
        compose(
            "[{conv: 64}, {take: resnet18.layer1}, {take: resnet18.layer1}, "
            "global_average_pool, linear]"
        ),
        {},
    )
    first, second = module.resnet18_layer1, module.resnet18_layer1_2
    assert not torch.equal(first[0].conv1.weight, second[0].conv1.weight)


def test_the_first_layer_alone_takes_the_channels_of_the_images(compose):
    network = compose("[{conv: 3}, {take: 'resnet18[:layer1]'}, global_average_pool, linear]", 5)
    module = construct_shapes(network)
    assert module.conv.in_channels == 5
    assert module.resnet18.conv1.in_channels == 3
    network = compose("[{take: 'resnet18[:layer1]'}, global_average_pool, linear]", 5)
    assert construct_shapes(network).resnet18.conv1.in_channels == 5


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "[{conv: 63}, {take: 'vgg16_bn.features[7:14]'}, flatten, linear]",
            "layers.1 (vgg16_bn_features) cannot take the output of the layer before of shape "
            "63×28×28: ",
        ),
        (
            "[{take: resnet18.layer3}, global_average_pool, linear]",
            "layers.0 (resnet18_layer3) cannot take an image of shape 3×28×28: ",
        ),
        (
            "[{conv: 8}, flatten, {take: slim_vgg.20}, linear]",
            "layers.2 (slim_vgg_20) cannot take the output of the layer before of shape 6272: ",
        ),
        ("[{conv: 8}, linear]", "layers.1 (linear) gets maps of 8×28×28; put flatten or global_av"),
        ("[flatten, {conv: 8}]", "layers.1 (conv) gets a vector of 2352 numbers; put it before fl"),
        (
            "[{conv: {channels: 8, groups: 2}}]",
            "layers.0 (conv) has 2 groups; expected a divisor o",
        ),
        ("[{take: resnet18.layer9}]", "layers.0.take is 'resnet18.layer9'; resnet18 has no module"),
        (
            "[{take: resnet18.layer3}]",
            "layers.0 (resnet18_layer3) cannot take an image of shape 3×28×28: its first "
            "convolution takes 128 channels; put 'conv: 128' before it",
        ),
        (
            "[{conv: 8}, global_average_pool, {take: resnet18.fc}]",
            "layers.2 (resnet18_fc) cannot take the output of the layer before of shape 8: it "
            "takes 512 numbers; put 'conv: 512' and global_average_pool before it",
        ),
        (
            "[{take: 'resnet18[layer2:layer1]'}]",
            "layers.0.take is 'resnet18[layer2:layer1]'; in resnet18, layer2 comes after layer1; ",
        ),
        (
            "[{take: maxvit_t.blocks}]",
            "layers.0 (maxvit_t_blocks) cannot take an image of shape 3×28×28: it is a list of "
            "modules; take one of them, ",
        ),
        ("[{max_pool: 40}]", "layers.0 (max_pool) cannot take an image of shape 3×28×28: "),
        (
            "[{conv: 8, name: a}, {conv: 8, name: a}]",
            "layers.1.name is 'a'; expected another name: an earlier layer has it",
        ),
        (
            "[{conv: 8, name: train}]",
            "layers.0.name is 'train'; expected another name: modules of torch have an attribute",
        ),
        (
            "[{conv: 8, name: a.b}]",
            "layers.0.name is 'a.b'; expected letters, digits and underscores",
        ),
    ],
)
def test_layers_that_do_not_fit_are_named_with_both_shapes(compose, text, message):
    with pytest.raises(InputError) as caught:
        require_fit(compose(text, 3))
    assert f"build.architectures.composed.{message}" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_module_that_takes_other_arguments_is_named(compose):
    take = "vit_b_32.encoder.layers.encoder_layer_0.self_attention"
    message = r"layers.1 \(vit_b.*\) cannot take .* of shape 3072: .*missing .* arguments"
    with pytest.raises(InputError, match=message):
        compose(f"[flatten, {{take: {take}}}]", 3, 32)


def test_heads_beside_the_main_one_are_no_input_of_a_layer(compose):
    text = "[{take: googlenet}, relu, {linear: 10}]"
    with pytest.raises(InputError, match=r"layers.0.take is 'googlenet', which .* auxiliary heads"):
        require_fit(compose(text, 3, 32))


@pytest.mark.parametrize(
    ("text", "given"),
    [
        (
            "[{conv: 8}, global_average_pool]",
            "1 (global_average_pool), the last layer, gives 8 for",
        ),
        ("[{conv: 8}]", "0 (conv), the last layer, gives 8×28×28 for"),
        ("[flatten, {linear: 7}]", "1 (linear), the last layer, gives 7 for"),
    ],
)
def test_a_composition_that_gives_no_logits_is_refused(compose, text, given):
    with pytest.raises(InputError) as caught:
        require_fit(compose(text, 3))
    assert f"build.architectures.composed.layers.{given}" in str(caught.value)
    assert "expected 10 numbers, one for each class: end with linear" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[{conv: 256}, {take: 'resnet18[layer4:fc]'}]", "between avgpool and fc"),
        ("[{conv: 64}, {take: 'resnet18.layer2.0[conv1:relu]'}]", "between bn1 and relu"),
    ],
)
def test_a_span_between_whose_modules_something_else_happens_is_refused(resolved, text, message):
    """Between avgpool and fc ResNet flattens, and no module of it does that."""
    with pytest.raises(InputError) as caught:
        require_connected_spans(resolved(text))
    assert message in str(caught.value)


@pytest.mark.parametrize("take", ["resnet18.layer9", "vgg16_bn.features[40:60]"])
def test_a_module_that_is_not_there_is_named_before_anything_is_made(resolved, take):
    message = r"layers.1.take is '.*'; (resnet18|vgg16_bn.features) has"
    with pytest.raises(InputError, match=message):
        require_connected_spans(resolved(f"[{{conv: 64}}, {{take: '{take}'}}, flatten, linear]"))


@pytest.mark.parametrize(
    "take",
    [
        "resnet18[conv1:layer4]",
        "resnet18.layer1[0:2]",
        "googlenet[conv1:inception3a]",
        "vgg11.features",
    ],
)
def test_spans_that_are_chains_pass(resolved, take):
    require_connected_spans(resolved(f"[{{take: '{take}'}}, global_average_pool, linear]"))
