import hypothesis.strategies as st
import pytest
import torch
from hypothesis import example, given
from sourcing import rejection
from torch import nn

from foldwise.nets.adapt import adapt_kernel
from foldwise.nets.weights.choice import Checkpoint
from foldwise.nets.weights.matching import Target, input_kernels, match_tensors
from foldwise.nets.weights.tensors import TrainedOn, digest_weights


def meta(*shape, dtype=torch.float32):
    return torch.empty(shape, dtype=dtype, device="meta")


def part_of(tensors, kernels=(), **changes):
    settings = {"layer": "", "title": "net", "architecture": "resnet18", "prefix": ""} | changes
    return Target(tensors=tensors, input_kernels=frozenset(kernels), **settings)


def source_of(state, trained_on=None):
    return Checkpoint("w.pt", "0" * 64, state, trained_on)


def trained_on(channels):
    return TrainedOn(
        data="made up", channels=channels, height=8, width=8, mean=[0.5] * channels, std=[1.0]
    )


def state_of(n):
    return {f"layer{index:02d}": torch.full((2,), float(index)) for index in range(n)}


@given(n=st.integers(1, 60), lacking=st.integers(0, 60))
@example(n=10, lacking=1)
def test_nine_tenths_must_match_and_are_enough(n, lacking):
    lacking = min(lacking, n)
    state = state_of(n)
    part = part_of({name: meta(2) for name in state})
    source = source_of(dict(list(state.items())[lacking:]))
    if 10 * (n - lacking) < 9 * n:
        assert f"{n - lacking} of the {n} tensors of net match" in rejection(
            match_tensors, part, source
        )
    else:
        match = match_tensors(part, source)
        assert len(match.matched) == n - lacking
        assert len(match.missing) == lacking


def test_share_that_is_refused_is_never_printed_as_enough():
    state = state_of(1000)
    source = source_of(dict(list(state.items())[101:]))
    message = rejection(match_tensors, part_of({name: meta(2) for name in state}), source)
    assert "899 of the 1,000 tensors of net match (89 %; expected at least 90 %)" in message


def test_weights_of_another_architecture_are_refused_with_three_problems():
    state = {"layer00": torch.zeros(3, 4), "layer01": torch.ones(2, dtype=torch.int64)}
    message = rejection(
        match_tensors, part_of({name: meta(2) for name in state_of(5)}), source_of(state)
    )
    assert (
        "layer00 has shape (3, 4), not (2,), layer01 is of type torch.int64, not torch.float32, "
        "layer02 is missing and 2 more; set base"
    ) in message


def test_part_without_tensors_takes_no_weights():
    assert rejection(match_tensors, part_of({}), source_of({})).endswith("; remove this key")


@pytest.mark.parametrize(
    ("tensor", "problem"),
    [
        (None, "is missing"),
        (torch.zeros(2, 1), "has shape (2, 1), not (2,)"),
        (torch.ones(2, dtype=torch.int64), "is of type torch.int64, not torch.float32"),
        (torch.ones(2, dtype=torch.complex64), "is of type torch.complex64, not torch.float32"),
        (3, "is not a dense tensor"),
        ("text", "is not a dense tensor"),
        (torch.ones(2).to_sparse(), "is not a dense tensor"),
        (torch.nested.nested_tensor([torch.ones(2)], layout=torch.jagged), "is not a dense tensor"),
        (torch.empty(2, dtype=torch.bits8), "is of type torch.bits8, not torch.float32"),
        (meta(2), "is not a dense tensor"),
    ],
)
def test_unfit_tensor_is_left_out_and_named(tensor, problem):
    state = state_of(20) | {"layer03": tensor}
    match = match_tensors(part_of({name: meta(2) for name in state_of(20)}), source_of(state))
    assert match.missing == {"layer03": f"layer03 {problem}"}
    assert match.tensors.keys() == state.keys() - {"layer03"}


@pytest.mark.parametrize(
    "values",
    [
        torch.tensor([1.0, torch.nan]),
        torch.tensor([torch.inf, 1.0]),
        torch.tensor([1.0, -torch.inf]).half(),
        torch.tensor([1.0, 1e300], dtype=torch.float64),  # infinite in single precision
    ],
)
def test_values_that_are_not_finite_are_refused(values):
    state = state_of(20) | {"layer03": values}
    part = part_of({name: meta(2) for name in state_of(20)})
    assert "not finite: layer03; give" in rejection(match_tensors, part, source_of(state))
    state["layer04"] = values
    assert "not finite: layer03, layer04; give" in rejection(match_tensors, part, source_of(state))


def test_values_that_nothing_takes_need_not_be_finite():
    state = state_of(3) | {"head": torch.tensor([torch.nan])}
    assert len(match_tensors(part_of({"layer00": meta(2)}), source_of(state)).matched) == 1


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_other_precisions_become_single(dtype):
    values = torch.tensor([0.1, 0.2], dtype=dtype)
    (tensor,) = match_tensors(
        part_of({"one": meta(2)}), source_of({"one": values})
    ).tensors.values()
    assert tensor.dtype == torch.float32
    assert torch.equal(tensor, values.float())


def test_counters_do_not_count():
    counter = "bn.num_batches_tracked"
    part = part_of({"one": meta(2), counter: meta(dtype=torch.int64)})
    for state in ({}, {counter: torch.tensor(7)}, {counter: torch.zeros(3)}):
        match = match_tensors(part, source_of({"one": torch.ones(2)} | state))
        assert match.matched == ["one"]
        assert not match.missing
    assert (
        match_tensors(part, source_of({"one": torch.ones(2), counter: torch.tensor(7)})).tensors[
            counter
        ]
        == 7
    )
    assert "0 of the 1 tensor " in rejection(
        match_tensors, part, source_of({counter: torch.tensor(7)})
    )


def test_each_tensor_has_its_own_memory():
    """Or safetensors would refuse to write them."""
    tied = torch.ones(4, 4)
    state = {"one": tied, "two": tied, "three": tied[0], "four": torch.ones(1).expand(4, 4)}
    state["five"] = tied.T
    wanted = {name: meta(*one.shape) for name, one in state.items()}
    tensors = match_tensors(part_of(wanted), source_of(state)).tensors
    assert digest_weights(tensors) == digest_weights(
        {name: one.clone() for name, one in tensors.items()}
    )
    tied.zero_()
    assert tensors["two"].sum() == 16


def test_parameters_become_tensors_without_gradients():
    state = {"one": nn.Parameter(torch.ones(2))}
    tensor = match_tensors(part_of({"one": meta(2)}), source_of(state)).tensors["one"]
    assert type(tensor) is torch.Tensor
    assert not tensor.requires_grad


def test_names_are_those_of_the_layer_here_and_of_the_module_there():
    part = part_of({"low.0.weight": meta(2)}, layer="low", prefix="features.")
    match = match_tensors(part, source_of({"features.0.weight": torch.ones(2)}))
    assert match.matched == ["low.0.weight"]
    message = rejection(match_tensors, part, source_of({"low.0.weight": torch.ones(2)}))
    assert "features.0.weight is missing; " in message


# The kernel that sees the image


@pytest.mark.parametrize("channels", [1, 2, 3, 4, 6, 8])
def test_kernel_for_colours_is_adapted_to_any_image(channels):
    kernel = torch.randn(5, 3, 3, 3)
    part = part_of({"conv.weight": meta(5, channels, 3, 3)}, ["conv.weight"])
    tensor = match_tensors(part, source_of({"conv.weight": kernel})).tensors["conv.weight"]
    assert torch.equal(tensor, adapt_kernel(kernel, channels))


def test_grey_images_get_the_sum_of_the_colours():
    kernel = torch.randn(5, 3, 3, 3)
    part = part_of({"conv.weight": meta(5, 1, 3, 3)}, ["conv.weight"])
    tensor = match_tensors(part, source_of({"conv.weight": kernel})).tensors["conv.weight"]
    assert torch.equal(tensor, kernel.sum(1, keepdim=True))


def test_kernel_for_grey_images_fits_others_only_if_known_to_be_one():
    kernel = torch.randn(5, 1, 3, 3)
    part = part_of({"conv.weight": meta(5, 3, 3, 3)}, ["conv.weight"])
    known = match_tensors(part, source_of({"conv.weight": kernel}, trained_on(1))).tensors[
        "conv.weight"
    ]
    assert torch.equal(known, adapt_kernel(kernel, 3))
    message = rejection(match_tensors, part, source_of({"conv.weight": kernel}))
    assert "conv.weight has shape (5, 1, 3, 3), not (5, 3, 3, 3); " in message


def test_other_kernels_are_not_adapted():
    part = part_of({"conv.weight": meta(5, 1, 3, 3)})
    rejection(match_tensors, part, source_of({"conv.weight": torch.randn(5, 3, 3, 3)}))


@pytest.mark.parametrize(("old", "new"), [(14, 2), (14, 6), (2, 7)])
@pytest.mark.parametrize("prefix", [0, 1, 2, 5])
def test_position_embeddings_are_resized_as_timm_does(old, new, prefix):
    layers = pytest.importorskip("timm.layers", reason="timm is an optional extra")
    given = torch.randn(1, prefix + old**2, 6)
    part = part_of({"positions": meta(1, prefix + new**2, 6)})
    found = match_tensors(part, source_of({"positions": given})).tensors["positions"]
    expected = layers.resample_abs_pos_embed(given, [new, new], num_prefix_tokens=prefix)
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("shape", [(1, 6, 8), (1, 5, 9), (2, 5, 8)])
def test_other_tensors_of_three_dimensions_are_not_resized(shape):
    part = part_of({"positions": meta(1, 197, 8)})
    message = rejection(match_tensors, part, source_of({"positions": torch.ones(shape)}))
    assert f"positions has shape {shape}, not (1, 197, 8); " in message


def test_kernels_that_may_see_the_image_take_its_channels_in_one_group():
    module = nn.Sequential(nn.Conv2d(6, 8, 3), nn.Conv2d(8, 6, 3), nn.Conv2d(6, 6, 3, groups=6))
    assert input_kernels(module, 6) == {"0.weight"}
    assert input_kernels(nn.Linear(3, 3), 3) == set()
