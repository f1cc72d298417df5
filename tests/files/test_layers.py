import pytest
from pydantic import TypeAdapter, ValidationError

from foldwise.files.layers import KINDS, Layer

LAYERS = TypeAdapter(list[Layer])


def read(*written):
    return LAYERS.validate_python(list(written), strict=True)


def test_a_kind_alone_its_main_value_and_all_its_keys():
    bare, value, keys = read("linear", {"linear": 10}, {"linear": {"features": 10, "bias": False}})
    assert (bare.features, bare.bias) == (None, True)
    assert (value.features, value.bias) == (10, True)
    assert (keys.features, keys.bias) == (10, False)


def test_a_take_has_its_keys_beside_it():
    (take,) = read({"take": "resnet18[conv1:layer2]", "weights": "IMAGENET1K_V1", "frozen": True})
    assert (take.take, take.weights, take.frozen) == (
        "resnet18[conv1:layer2]",
        "IMAGENET1K_V1",
        True,
    )


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_written_down_is_read_again(kind):
    main = KINDS[kind]
    value = {"take": "lenet5.0", "p": 0.25}.get(main, 3)
    layers = read({kind: value} if main else kind)
    assert LAYERS.validate_python([layers[0].model_dump(mode="json")]) == layers
    assert layers[0].kind == kind


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("convv", "one kind of layer: did you mean 'conv'"),
        ({}, "one kind of layer: conv, batch_norm, "),
        ({"conv": 3, "relu": None}, "one kind of layer, "),
        ({"conv": 3, "stride": 2}, "settings in braces: conv: {channels: 8, stride: 2}"),
        ({"name": "x"}, "one kind of layer: conv, "),
        ({"relu": 3}, "'relu' without a value"),
        ({"conv": {"chanels": 3}}, "Extra inputs"),
        ({"conv": 0}, "greater than or equal to 1"),
        *(
            ({"conv": {"channels": 2} | {key: 10**10}}, "less than or equal to 10000")
            for key in ("channels", "kernel", "stride", "padding", "groups")
        ),
        ({"max_pool": {"padding": 10**10}}, "less than or equal to 10000"),
        ({"linear": 10**10}, "less than or equal to 10000"),
        ({"dropout": 1.0}, "less than 1"),
        ({"conv": "3"}, "valid integer"),
        ({"conv": 3, "frozen": True}, "Extra inputs"),
        (7, "dictionary"),
        *(({"take": text}, "a module of a known network") for text in ("", "a b", "a.b[", "a..b")),
        ({"take": "resnet18.layer1[0:1:2]"}, "a module of a known network"),
        ({"take": "../x"}, "a module of a known network"),
    ],
)
def test_what_is_no_layer_is_refused(written, message):
    with pytest.raises(ValidationError, match=message):
        read(written)
