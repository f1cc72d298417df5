"""How the page looks: light or dark as the reader has it, on paper, and on a phone.

Text and links have a contrast of at least 4.5 on both grounds.
"""

CSS = """
:root {
  color-scheme: light dark;
  --ground: #ffffff; --text: #1b1f24; --faint: #57606a; --link: #0550ae; --line: #d0d7de;
  --shade: #f6f8fa;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #0d1117; --text: #e6edf3; --faint: #9da7b1; --link: #79b8ff; --line: #3d444d;
    --shade: #151b23;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body {
  margin: 0; background: var(--ground); color: var(--text);
  font: 1rem/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", sans-serif;
}
main { max-width: 56rem; margin: 0 auto; padding: 1.5rem 1rem 4rem; overflow-wrap: anywhere; }
h1, h2, h3 { line-height: 1.25; text-wrap: balance; }
h1 { font-size: 2rem; margin: 0 0 .75rem; }
h1 + p { font-size: 1.125rem; }
h2 {
  font-size: 1.375rem; margin: 2.5rem 0 1rem; padding-top: 1rem; border-top: 1px solid var(--line);
}
h3 { font-size: 1.0625rem; margin: 1.75rem 0 .5rem; }
p, ul, figure, .wide, details { margin: 0 0 1rem; }
ul { padding-left: 1.25rem; }
li { margin: .25rem 0; }
a { color: var(--link); }
a:focus-visible, summary:focus-visible, .wide:focus-visible {
  outline: 3px solid var(--link); outline-offset: 2px;
}
.skip { position: absolute; left: -100rem; }
.skip:focus { left: 1rem; top: 1rem; padding: .5rem 1rem; background: var(--ground); z-index: 1; }
nav ul { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; padding: 0; list-style: none; }
.wide { overflow-x: auto; }
table {
  border-collapse: collapse; font-size: .9375rem; line-height: 1.4; overflow-wrap: normal;
}
caption { text-align: left; padding: 0 0 .375rem; color: var(--faint); }
th, td {
  padding: .375rem .75rem; border: 1px solid var(--line); text-align: left; vertical-align: top;
}
th { font-weight: inherit; }
thead th { background: var(--shade); font-weight: 600; }
th.number, td.number {
  text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums;
}
td.text { max-width: 34rem; overflow-wrap: break-word; }
th[scope=row] { min-width: 7.5rem; max-width: 15rem; overflow-wrap: anywhere; }
thead .number { white-space: normal; }
figure img { display: block; max-width: 100%; height: auto; }
.chart img { width: 100%; min-width: 36rem; }
figcaption { margin-top: .5rem; }
details { border: 1px solid var(--line); border-radius: .375rem; padding: .5rem .75rem; }
details[open] > :last-child { margin-bottom: .25rem; }
summary { cursor: pointer; font-weight: 600; }
details[open] > summary { margin-bottom: .75rem; }
p code, li code { padding: .1em .3em; border-radius: .25rem; background: var(--shade); }
code {
  font-family: ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace; font-size: .875em;
}
pre { margin: 0; padding: .75rem; background: var(--shade); line-height: 1.45; }
@media print {
  :root { --ground: #ffffff; --text: #000000; --faint: #444444; --link: #000000; --line: #999999; }
  main { max-width: none; padding: 0; }
  nav, .skip { display: none; }
  h2, h3, caption, summary { break-after: avoid; }
  figure, tr { break-inside: avoid; }
  .wide { overflow: visible; }
  .chart img { min-width: 0; width: auto; max-height: 22cm; }
  pre { white-space: pre-wrap; }
}
"""
