import pytest

from foldwise.core.errors import InputError
from foldwise.data.named_groups import match_groups
from foldwise.files.preparation import Blocks, GroupTable


@pytest.fixture
def match(source_of, tmp_path):
    """Match groups of files that exist, or return the error."""

    def match(files, groups, table=""):
        (tmp_path / "groups.csv").write_text(table)
        for file in files:
            (tmp_path / file).parent.mkdir(exist_ok=True)
            (tmp_path / file).touch()
        source = source_of([None] * len(files), files=files, root=str(tmp_path))
        return match_groups(source, groups)

    return match


def test_the_patterns_group_names_the_group(match):
    files = ["a/p1_x.png", "a/p2_y.png", "b/p1_z.png"]
    assert match(files, r"/(p\d+)_") == ["p1", "p2", "p1"]
    assert match(files, None) is None


def test_file_names_that_do_not_match_are_counted_and_the_first_listed(match):
    with pytest.raises(InputError) as caught:
        match(["a/p1.png", *(f"b/{index}.png" for index in range(8))], r"p(\d)")
    message = str(caught.value)
    assert "prepare.groups is 'p(\\d)'" in message
    assert "8 of 9 file names" in message
    assert " b/0.png, b/1.png, b/2.png, b/3.png, b/4.png; widen the pattern" in message


def test_group_that_takes_no_part_in_the_match_is_no_match(match):
    with pytest.raises(InputError, match="1 of 2 file names"):
        match(["a1", "b"], r"a(\d)|b")


def test_blocks_of_consecutive_numbers(match):
    files = [f"{'ab'[n % 2]}/img_{n:04d}.png" for n in (0, 9, 10, 19, 20, 105)]
    assert match(files, Blocks(pattern=r"_(\d+)", block=10)) == ["0", "0", "1", "1", "2", "10"]
    with pytest.raises(
        InputError, match=r"prepare.groups.pattern .* matches img, img; .*\(\\d\+\)"
    ):
        match(files[:2], Blocks(pattern=r"(img)", block=10))


def test_a_table_names_the_groups(match):
    table = "file,group,age\na/1.png,ann,7\n./b/2.png,bob,8\na/3.png,ann,7\n"
    files = ["a/1.png", "a/3.png", "b/2.png"]
    assert match(files, GroupTable(table="groups.csv"), table) == ["ann", "ann", "bob"]


def test_all_errors_of_a_table_of_groups_are_listed(match):
    table = "file,group\na/1.png,ann\nno.png,ann\na/1.png,bob\na/2.png,\n"
    with pytest.raises(InputError) as caught:
        match(["a/1.png", "a/2.png", "a/3.png"], GroupTable(table="groups.csv"), table)
    lines = str(caught.value).split("\n")
    assert ["groups.csv" in line for line in lines] == [True] * 5
    for line, expected in zip(
        lines,
        [
            "line 3: 'no.png' is no file",
            "line 4: 'a/1.png' has two groups",
            "line 5: 'a/2.png' has no group",
            "'a/2.png' is not in",
            "'a/3.png' is not in",
        ],
        strict=True,
    ):
        assert expected in line


def test_groups_of_the_data_set_are_used_and_not_replaced(source_of):
    source = source_of([None, None], groups=["p", "q"])
    assert match_groups(source, None) == ["p", "q"]
    with pytest.raises(InputError, match="has a column group; set it to null"):
        match_groups(source, "(.)")
