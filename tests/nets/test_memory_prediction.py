import pytest

from foldwise.nets.cost import COPIES, OVERHEAD, PROCESS, predict_memory
from foldwise.nets.shapes import construct_shapes

FLOAT = 4  # bytes


def sizes(network):
    """Return the bytes of the parameters and of the buffers of a network."""
    module = construct_shapes(network)
    return [
        sum(one.numel() * one.element_size() for one in tensors)
        for tensors in (module.parameters(), module.buffers())
    ]


def test_lenet5_keeps_what_a_pencil_counts(network_of):
    """Of one image what each layer got, and of each pooling where its maxima were, in 8 bytes.

    The padded image, maps behind the convolutions, pooled maps and the vectors between.
    """
    image, padded = 28 * 28, 32 * 32
    first, second = 6 * 28 * 28, 16 * 10 * 10
    kept = FLOAT * (image + padded + first + first // 4 + second + second // 4 + 120 + 84)
    kept += 8 * (first // 4 + second // 4)
    lost = FLOAT * 10 + 8  # log-probabilities of the loss and the label
    assert predict_memory(network_of("lenet5", 1, 28)).image_bytes == pytest.approx(
        OVERHEAD * (kept + lost), rel=0.01
    )


def test_weights_count_four_times_where_they_train(network_of):
    network = network_of("resnet18", 3, 32)
    parameters, buffers = sizes(network)
    expected = OVERHEAD * ((1 + COPIES) * parameters + buffers)
    assert predict_memory(network).weight_bytes == round(expected)


def test_what_is_frozen_takes_no_gradients_and_keeps_no_images(network_of):
    whole, frozen = (
        predict_memory(network_of("resnet18", 3, 32, **section))
        for section in ({}, {"policy": "frozen"})
    )
    assert frozen.weight_bytes < whole.weight_bytes / 3
    assert frozen.image_bytes < whole.image_bytes / 10


def test_what_thaws_counts(network_of):
    thaw = [{"at_epoch": 3, "layers": "layer4"}]
    frozen, thawed = (
        predict_memory(network_of("resnet18", 3, 32, policy="frozen", **section))
        for section in ({}, {"thaw": thaw})
    )
    assert thawed.weight_bytes > frozen.weight_bytes
    assert thawed.image_bytes > frozen.image_bytes


@pytest.mark.parametrize("model", ["slim_vgg", "resnet18"])
def test_batches_add_their_images_to_what_is_fixed(network_of, model):
    memory = predict_memory(network_of(model, 3, 32))
    assert memory.process_bytes == PROCESS
    fixed = PROCESS + memory.weight_bytes
    assert memory.with_batches_of(64) == fixed + 64 * memory.image_bytes
