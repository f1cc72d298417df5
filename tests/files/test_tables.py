"""scores.csv and its likes: every digit, and a missing number is an empty cell."""

import math

import pandas as pd
import pytest

from foldwise.core.errors import InputError
from foldwise.files.tables import CLASSES, CONFUSION, CURVES, SCORES, read_table, write_table

ROWS = {
    "scores.csv": (SCORES, [["null", 0, 0, *[1 / 3] * 9], ["null", 0, 1, *[math.nan] * 9]]),
    "curves.csv": (CURVES, [["null", 0, 0, 1, 0.1, 0.2, 0.3, 0.4]]),
    "classes.csv": (CLASSES, [["null", "NA", 3, 1 / 3, math.nan], ["null", '<b>, "', 0, 0.0, 1.0]]),
    "confusion.csv": (CONFUSION, [["nan", "None", 2, 2 / 3]]),
}


@pytest.mark.parametrize("name", ROWS)
def test_what_is_written_is_read(tmp_path, name):
    columns, rows = ROWS[name]
    table = pd.DataFrame(rows, columns=[*columns])
    write_table(tmp_path / name, table, columns)
    read = read_table(tmp_path / name, columns)
    pd.testing.assert_frame_equal(read, table.astype(columns), rtol=1e-15)


def test_missing_number_is_an_empty_cell_and_nothing_is_rounded(tmp_path):
    columns, rows = ROWS["classes.csv"]
    write_table(tmp_path / "a.csv", pd.DataFrame(rows, columns=[*columns]), columns)
    assert (tmp_path / "a.csv").read_bytes() == (
        b"model,class,images,recall,precision\n"
        b'null,NA,3,0.3333333333333333,\nnull,"<b>, """,0,0.0,1.0\n'
    )


def test_table_without_rows_is_read(tmp_path):
    (tmp_path / "curves.csv").write_text(",".join(CURVES) + "\n")
    assert read_table(tmp_path / "curves.csv", CURVES).empty


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a,b\n1,2\n",
        f"{','.join(CONFUSION)}\nx,y,three,1\n",
        f"{','.join(CONFUSION)}\nx,y,,1\n",
    ],
)
def test_table_of_another_form_is_refused(tmp_path, text):
    (tmp_path / "scores.csv").write_text(text)
    with pytest.raises(InputError, match=r"scores\.csv: ") as caught:
        read_table(tmp_path / "scores.csv", CONFUSION)
    assert "\n" not in str(caught.value)


def test_missing_table(tmp_path):
    with pytest.raises(InputError, match=r"curves\.csv is missing; run 'dvc repro' to make it"):
        read_table(tmp_path / "curves.csv", CURVES)


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@x", "\t=1", "'=1", "'", "a=1", "cat"])
def test_no_text_is_a_formula_and_each_is_read_as_it_was(tmp_path, name):
    row = {"model": "a", "class": name, "images": 1, "recall": -1.0, "precision": 1.0}
    write_table(tmp_path / "a.csv", pd.DataFrame([row]).astype(CLASSES), CLASSES)
    cell = (tmp_path / "a.csv").read_text().splitlines()[1].split(",")[1]
    assert cell.strip('"')[0] not in "=+-@\t"
    assert read_table(tmp_path / "a.csv", CLASSES).to_dict("records") == [row]
