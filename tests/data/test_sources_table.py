import csv
import sys

import polars as pl
import pytest

from foldwise.core.errors import InputError
from foldwise.data.prepare import open_source
from foldwise.data.table_source import open_table

ROWS = [("1.png", "cat"), ("2.png", "dog"), ("x/3.png", "cat"), ("4.png", "dog")]


@pytest.fixture
def table(save):
    """Save images 1 to 4 and a table with these rows; return the source."""

    def table(rows, *columns, name="labels.csv", **how):
        root = save("1.png", "2.png", "x/3.png", "4.png")
        header = ["file", "label", *columns]
        if name.endswith(".parquet"):
            pl.DataFrame(rows, schema=header, orient="row").write_parquet(root / name)
        else:
            with (root / name).open("w", newline="", encoding=how.pop("encoding", "utf-8")) as file:
                csv.writer(file, **how).writerows([header, *rows])
        return open_table(str(root), name)

    return table


def errors_of(table, *args, **how):
    with pytest.raises(InputError) as caught:
        table(*args, **how)
    return str(caught.value).split("\n")


def test_files_and_labels_come_from_the_table(table):
    source = table(ROWS[:3])
    assert source.files == ["1.png", "2.png", "x/3.png"]
    assert (source.classes, source.labels.tolist()) == (["cat", "dog"], [0, 1, 0])
    assert (source.groups, source.weights, source.has_official_test) == (None, None, False)
    assert source.notes == ("1 file not in labels.csv",)
    assert open_source("table", source.root).files == source.files


@pytest.mark.parametrize(
    "how",
    [
        {"delimiter": ";", "encoding": "utf-8-sig"},
        {"delimiter": "\t", "quoting": csv.QUOTE_ALL},
        {"name": "x/labels.parquet"},
    ],
)
def test_forms_of_tables(table, how):
    rows = [(file, f"ü, {label}", f"{file}\n", "val") for file, label in ROWS]
    source = table(rows, "group", "part", **how)
    assert source.classes == ["ü, cat", "ü, dog"]
    assert source.groups == [file for file, _ in ROWS]
    assert source.notes == ("val as training images",)


def test_optional_columns(table):
    parts = ["Training", "dev", "TEST", "test"]
    rows = [(*row, f"p{i % 2}", parts[i], 0.5 + i, "f") for i, row in enumerate(ROWS)]
    source = table(rows, "group", "part", "weight", "sex")
    assert source.is_test.tolist() == [False, False, True, True]
    assert source.groups == ["p0", "p1", "p0", "p1"]
    assert source.notes == (
        "Training, dev as training images",
        "TEST, test as test images",
        "column weight weighs the loss of each image (0.5 to 3.5)",
        "columns not used: sex",
    )
    last = source.take([3])
    assert (last.weights.tolist(), last.groups) == ([3.5], ["p1"])


@pytest.mark.parametrize("name", ["height", "weight_kg", "pair", "weighted", "group2"])
def test_columns_of_other_names_are_not_used(table, name):
    source = table([(*row, 1) for row in ROWS], name)
    assert (source.weights, source.notes) == (None, (f"columns not used: {name}",))


def test_nan_in_parquet_is_an_empty_cell(table):
    rows = [("1.png", 0.0, 1.0), ("2.png", 1.0, 2.0), ("4.png", float("nan"), float("nan"))]
    lines = errors_of(table, rows, "group", name="labels.parquet")
    assert [word for line in lines for word in ("group ''", "label ''") if word in line] == [
        "group ''",
        "label ''",
    ]


@pytest.mark.parametrize("name", ["labels.csv", "labels.parquet"])
def test_labels_that_are_all_whole_numbers_are_sorted_as_numbers(table, name):
    labels = [10, 9, 10, -1] if name == "labels.parquet" else [" 10", "9", "10 ", "-1"]
    rows = [(file, label) for (file, _), label in zip(ROWS, labels, strict=True)]
    assert table(rows, name=name).classes == ["-1", "9", "10"]
    assert table([*rows[:3], ("4.png", "x")], name="labels.csv").classes == ["10", "9", "x"]


def test_labels_of_equal_numbers_have_one_order_and_long_ones_are_text(table):
    labels = ["01", "1", "001", "2"]
    rows = [(file, label) for (file, _), label in zip(ROWS, labels, strict=True)]
    assert table(rows).classes == ["001", "01", "1", "2"]
    long = "9" * 5000
    assert table([("1.png", long), ("2.png", "10"), ("4.png", "9")]).classes == ["10", "9", long]


def test_hidden_files_in_folders_are_no_unlisted_files(save, table):
    root = save("1.png", "x/.thumbs/1.png")
    (root / "x/.DS_Store").write_text("of a system")
    assert table(ROWS).notes == ()


def test_columns_without_a_name_are_no_columns(table):
    """As in an index that pandas writes, and behind commas at the end of each line."""
    assert table([(*row, "", "") for row in ROWS], "", "").notes == ()


def test_all_wrong_rows_are_listed_with_their_lines(table):
    rows = [
        ("1.png", "a", "train", "1"),
        ("./1.png", "b", "test", "2"),
        ("no.png", "", "both", "0"),
        ("../2.png", "a", "", "nan"),
        ("/etc/hosts", "a", "train", "x"),
    ]
    lines = errors_of(table, rows, "part", "weight")
    path = "images/labels.csv' line"
    for number, value, remedy in [
        (3, "'1.png'", "remove one"),
        (4, "'no.png'", "correct or remove"),
        (4, "label ''", "expected a name"),
        (4, "part 'both'", "expected train, validation or test"),
        (4, "weight '0'", "expected a number over 0"),
        (5, "'../2.png'", "correct or remove"),
        (5, "part ''", "expected train"),
        (5, "weight 'nan'", "over 0"),
        (6, "'/etc/hosts'", "is an absolute path; write it from prepare.root on"),
        (6, "weight 'x'", "over 0"),
    ]:
        found = [ln for ln in lines if f"{path} {number}: {value} " in ln and remedy in ln]
        assert len(found) == 1, (number, value)
    assert len(lines) == 10


def test_600_wrong_rows_are_one_line(table):
    (line,) = errors_of(table, [*ROWS, *((f"no/{i}.png", "cat") for i in range(600))])
    assert "line 6: 'no/0.png' is no file" in line
    assert "599 more" in line


@pytest.mark.parametrize(
    ("rows", "columns", "message"),
    [
        ([(*row, 1) for row in ROWS], ["file"], "has the column 'file' twice"),
        (
            [(*row, 1) for row in ROWS],
            ["weights"],
            "column 'weights'; did you mean 'weight'.*Rename",
        ),
        ([(*row, 1) for row in ROWS], ["Group"], "column 'Group'; did you mean 'group'.*Rename"),
        ([*ROWS, ("1.png",)], [], "line 6 has another number of values than the 2"),
        ([row for row in ROWS if row[1] == "cat"], [], "1 different label; expected"),
        ([], [], "0 different labels; exp"),
        (
            [(*row, "test" if row[1] == "cat" else "train") for row in ROWS],
            ["part"],
            "labels cat in the test part only",
        ),
    ],
)
def test_tables_that_cannot_be_used(table, rows, columns, message):
    with pytest.raises(InputError, match=message):
        table(rows, *columns)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"filename,class\n1.png,a\n", "columns filename, class; expected file and label in its"),
        (b"", "has the columns none"),
        (
            "file,label\n1.png,Käse\n".encode("latin-1"),
            "cannot be read .*; save it as CSV in UTF-8",
        ),
        (b'file,label\n1.png,"a\n', "cannot be read .*; save it as CSV"),
        (None, "is missing; add it"),
    ],
)
def test_files_that_are_no_such_table(save, content, message):
    root = save("1.png")
    if content is not None:
        (root / "labels.csv").write_bytes(content)
    with pytest.raises(InputError, match=f"prepare.table: '{root}/labels.csv' .*{message}"):
        open_table(str(root), "labels.csv")


def test_parquet_that_cannot_be_read(table, save, monkeypatch):
    root = save("1.png")
    (root / "labels.parquet").write_bytes(b"PAR1")
    with pytest.raises(InputError, match=r"labels.parquet' cannot be read .*; save it as CSV"):
        open_table(str(root), "labels.parquet")
    monkeypatch.setitem(sys.modules, "polars", None)
    with pytest.raises(InputError, match="needs the package polars; run 'pip install polars'"):
        open_table(str(root), "labels.parquet")
