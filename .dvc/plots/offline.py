"""Write page.html with Vega in it instead of its address, so that plots open without a network."""

from pathlib import Path

import vl_convert

FOLDER = Path(__file__).parent
PAGE = (FOLDER / "page.html").read_text()
SCRIPT = f"<script>(() => {{{vl_convert.javascript_bundle()}}})()</script>"

(FOLDER / "offline.html").write_text(PAGE.replace("{scripts}", SCRIPT))
