"""The inputs of the report, made by the real compare."""

import io
import shutil
import sys
from pathlib import Path

from PIL import Image

sys.path.append(str(Path(__file__).parents[1] / "selection"))  # records.py, the factory of both

from records import flags as compare_flags

from foldwise.files.base import read_json, write_json
from foldwise.files.comparison import Confused, Mistakes
from foldwise.report.inputs import read_report_inputs
from stages.compare import main as compare

SUMMARY = "Layer     Output shape    Parameters\n=====\n├─Conv2d  [1, 4, 8, 8]    900\n"


def read_all(flags):
    params, reports = map(Path, flags[1::2])
    return read_report_inputs(reports, params)


def compared(root):
    """Compare the records in a folder, add the files of other stages, and return report's flags."""
    reports = root / "reports"
    compare(compare_flags(root, "reports"))
    shutil.copytree(root / "models", reports / "models", dirs_exist_ok=True)
    for card in reports.glob("models/*/card.json"):
        card.with_name("summary.txt").write_text(SUMMARY)
    draw_sheets(reports)
    draw_mistakes(reports)
    return ["--params", str(root / "params.yaml"), "--reports", str(reports)]


def draw_sheets(reports):
    for repeat in range(3):
        (reports / "contact_sheets" / str(repeat)).mkdir(parents=True, exist_ok=True)
        (reports / "contact_sheets" / str(repeat) / "0.png").write_bytes(picture())


def draw_mistakes(reports):
    pairs = read_json(reports / "confused.json", Confused).pairs
    strips = [len(pair.examples) for pair in pairs]
    write_json(reports / "mistakes" / "strips.json", Mistakes(strips=strips))
    for at in range(len(strips)):
        (reports / "mistakes" / f"{at}.png").write_bytes(picture())


def picture():
    png = io.BytesIO()
    Image.new("L", (32, 8), 128).save(png, "PNG")
    return png.getvalue()
