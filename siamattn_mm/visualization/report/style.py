"""The page's frame: HTML, style sheet and script, all in one file."""
from string import Template

STYLE = """\
:root { color-scheme: light dark; --ink: #1c1e21; --soft: #5c6168;
  --paper: #fff; --plate: #f4f5f7; --line: #d9dce0; --best: #dff3e6;
  --link: #0b5cad; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e8eb; --soft: #a3a9b1;
  --paper: #15171a; --plate: #1e2125; --line: #363b41; --best: #174a2c;
  --link: #7db8f5; }
  /* Plots are black on white: turned over, hues stay. */
  img.plot { filter: invert(.9) hue-rotate(180deg); } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 68rem; padding: 1rem; color: var(--ink);
  background: var(--paper);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", sans-serif; }
h1 { font-size: 1.6rem; line-height: 1.2; margin: .5rem 0; }
h2 { font-size: 1.2rem; margin: 2.2rem 0 .5rem; }
h3 { font-size: 1rem; margin: 1.2rem 0 .3rem; }
p, .note { color: var(--soft); margin: .4rem 0; }
a { color: var(--link); }
img { max-width: 100%; height: auto; display: block; border-radius: 6px; }
.plots { display: grid; gap: 1rem;
  grid-template-columns: repeat(auto-fit, minmax(min(100%, 20rem), 1fr)); }
.frames { display: grid; gap: .5rem;
  grid-template-columns: repeat(auto-fill, minmax(max(9rem, 30%), 1fr)); }
.frames img { width: 100%; }
figure { margin: 0 0 .5rem; }
figcaption { color: var(--soft); font-size: .88rem; margin-top: .3rem; }
.scroll { overflow-x: auto; position: relative; border-radius: 6px;
  border: 1px solid var(--line); }
table { border-collapse: collapse; width: 100%; font-size: .9rem;
  font-variant-numeric: tabular-nums; }
th, td { padding: .35rem .6rem; text-align: right; white-space: nowrap;
  border-bottom: 1px solid var(--line); }
th:first-child, td:first-child { text-align: left; position: sticky; left: 0;
  background: var(--paper); }
tbody th { font-weight: normal; }
thead th { background: var(--plate) !important; }
tbody tr:last-child > * { border-bottom: 0; }
tfoot > tr > * { border-top: 2px solid var(--line); font-weight: 600; }
td.best { background: var(--best); font-weight: 600; }
thead button { all: unset; cursor: pointer; font-weight: 600; }
thead button:focus-visible, select:focus-visible, summary:focus-visible {
  outline: 2px solid var(--link); outline-offset: 2px; }
thead button::after { content: " \\2195"; color: var(--soft); }
th[aria-sort=ascending] button::after { content: " \\2191"; }
th[aria-sort=descending] button::after { content: " \\2193"; }
.key { display: inline-block; width: 1.6em; height: 0; margin-right: .4em;
  vertical-align: middle; border-top: 3px solid; }
select { max-width: 100%; font: inherit; color: inherit;
  background: var(--plate); border: 1px solid var(--line);
  border-radius: 6px; padding: .2rem .4rem; }
details { border-bottom: 1px solid var(--line); padding: .4rem 0; }
summary { cursor: pointer; }
.hidden { position: absolute; width: 1px; height: 1px; overflow: hidden;
  clip-path: inset(50%); }
"""

SCRIPT = """\
for (const table of document.querySelectorAll('table.sortable')) {
  table.querySelectorAll('thead th').forEach((cell, column) => {
    const button = document.createElement('button');
    button.type = 'button';
    button.append(...cell.childNodes);
    cell.append(button);
    button.addEventListener('click', () => {
      const old = cell.getAttribute('aria-sort');
      // Numbers start with the largest, names with A.
      const down = old ? old === 'ascending' : column > 0;
      for (const other of table.querySelectorAll('thead th'))
        other.removeAttribute('aria-sort');
      cell.setAttribute('aria-sort', down ? 'descending' : 'ascending');
      const value = row => row.cells[column].dataset.value;
      const rows = [...table.tBodies[0].rows];
      rows.sort((a, b) => {
        const [x, y] = [value(a), value(b)];
        if (column === 0)
          return x.localeCompare(y, 'en', {numeric: true}) * (down ? -1 : 1);
        if (x === '' || y === '') return (x === '') - (y === '');
        return (x - y) * (down ? -1 : 1);
      });
      table.tBodies[0].append(...rows);
    });
  });
}
const choice = document.querySelector('#figure');
if (choice) {
  const show = () => {
    for (const part of document.querySelectorAll('[data-figure]'))
      part.hidden = part.dataset.figure !== choice.value;
  };
  choice.parentElement.hidden = false;
  choice.addEventListener('change', show);
  show();
}
"""

PAGE = Template("""\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="generator" content="siamattn_mm $version">
<title>$title</title>
<link rel="icon" href="data:,">
<style>
$style</style>
</head>
<body>
<header>
<h1>$title</h1>
<p>$summary</p>
</header>
<main>
$sections
</main>
<script>
$script</script>
</body>
</html>
""")
