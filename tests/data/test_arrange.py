import numpy as np
import pytest
from PIL import Image

from foldwise.core.errors import InputError
from foldwise.data.arrange import arrange


@pytest.fixture
def source(source_of):
    def source(labels, is_test=None, **facts):
        return source_of([Image.new("L", (2, 2))] * len(labels), labels, is_test, **facts)

    return source


def test_training_part_comes_first_and_groups_are_numbered_as_they_appear(source):
    order, samples = arrange(source([0, 1] * 10), np.arange(20), np.arange(20), None, 0.2, 0)
    is_test = samples.is_test
    assert is_test.tolist() == [False] * 16 + [True] * 4
    assert samples.groups.tolist() == list(range(20))
    assert samples.files == [f"{position}.png" for position in order]
    assert samples.labels.tolist() == [position % 2 for position in order]


def test_duplicates_share_a_group(source):
    content = np.array([0, 1, 0, 2, 3, 4, 0, 5])
    _, samples = arrange(source([0, 1, 0, 1, 0, 1, 0, 1]), content, content, None, 0.2, 0)
    group = dict(zip(samples.files, samples.groups, strict=True))
    assert group["0.png"] == group["2.png"] == group["6.png"]
    assert len(set(group.values())) == 6


def test_training_images_of_the_official_test_set_are_left_out(source):
    is_test = [False] * 5 + [True] * 3
    content = np.array([0, 1, 2, 0, 3, 1, 4, 4])
    _, samples = arrange(source([0, 1, 0, 0, 1, 1, 0, 0], is_test), content, content, None, 0.2, 0)
    assert samples.files == [f"{index}.png" for index in (0, 2, 3, 4, 5, 6, 7)]


def test_every_image_under_two_labels_is_listed(source):
    content = np.array([0, 1, 0, 1, 0, 2])
    with pytest.raises(InputError) as caught:
        arrange(source([0, 1, 1, 0, 0, 1]), content, content, None, 0.2, 0)
    lines = str(caught.value).splitlines()
    for line, (first, second) in zip(lines, [("0", "2"), ("1", "3")], strict=True):
        assert line.startswith(f"root/{first}.png and root/{second}.png are the same image")
        assert line.endswith("; remove the wrong one")


def test_training_image_under_another_label_in_the_test_set_is_an_error(source):
    is_test = [False, False, True, True]
    with pytest.raises(InputError, match=r"0.png and root/3.png are .* 'cat' and 'dog'"):
        arrange(source([0, 1, 0, 1], is_test), *2 * [np.array([0, 1, 2, 0])], None, 0.2, 0)


def test_training_images_published_under_two_labels_are_left_out(source):
    is_test = [False] * 6 + [True] * 3
    content = np.array([0, 1, 0, 2, 3, 4, 3, 5, 5])
    _, samples = arrange(
        source([0, 0, 1, 1, 0, 1, 1, 0, 1], is_test, is_published=True),
        *2 * [content],
        None,
        0.2,
        0,
    )
    assert samples.files == [f"{index}.png" for index in (1, 3, 5, 6, 7, 8)]


def test_images_published_under_two_labels_are_not_held_out_either(source):
    content = np.array([*range(20), 0])
    order, _ = arrange(source([0, 1] * 10 + [1], is_published=True), content, content, None, 0.2, 0)
    assert sorted(order) == list(range(1, 20))


def test_named_group_in_both_official_parts_is_an_error(source):
    is_test = [False, False, True, True]
    with pytest.raises(
        InputError, match=r"prepare.groups puts 1.png and 3.png .* 1 groups .*; move"
    ):
        arrange(source([0, 1, 0, 1], is_test), *2 * [np.arange(4)], ["a", "b", "c", "b"], 0.2, 0)


def test_named_groups_are_held_out_whole(source):
    names = [name for name in "abcdefgh" for _ in range(3)]
    labels = [0, 0, 0, 1, 1, 1] * 4
    _, samples = arrange(source(labels), *2 * [np.arange(24)], names, 0.3, 0)
    assert not set(samples.groups[samples.is_test]) & set(samples.groups[~samples.is_test])
    assert samples.is_test.sum() == 6


def test_many_images_under_the_same_two_labels_are_one_line(source):
    content = np.tile(np.arange(30), 2)
    with pytest.raises(InputError, match=r"the same for 29 more") as caught:
        arrange(source([0] * 30 + [1] * 30), content, content, None, 0.2, 0)
    assert len(str(caught.value).splitlines()) == 1
