"""Every row of docs/formats.md names a test that is there."""
import ast
import re


def test_each_row_names_tests_that_exist(repository):
    text = (repository / 'docs' / 'formats.md').read_text(encoding='utf-8')
    rows = [line for line in text.splitlines() if line.startswith('|')]
    rows = [row for row in rows
            if not row.startswith(('|---', '| what | how |'))]
    assert len(rows) > 50
    functions = {}
    for row in rows:
        last = row.strip('|').split('|')[-1]
        named = re.findall(r'`(tests/[\w/]+\.py)::(test_\w+)`', last)
        assert named, f'no test in {row!r}'
        assert last.count('`') == 2 * len(named), row
        for path, name in named:
            if path not in functions:
                tree = ast.parse((repository / path).read_text('utf-8'))
                functions[path] = {
                    node.name
                    for node in tree.body
                    if isinstance(node, ast.FunctionDef)
                }
            assert name in functions[path], f'{path} has no {name}'
