"""What README.md and docs/ name is there: links, paths, commands, flags."""
import re
from pathlib import Path
from typing import List, NamedTuple, Tuple

import pytest

from siamattn_cli.main import COMMANDS, main

REPOSITORY = Path(__file__).resolve().parents[1]
DOCUMENTS = sorted(
    path.relative_to(REPOSITORY).as_posix()
    for pattern in ('README.md', 'docs/*.md', 'configs/*/README.md')
    for path in REPOSITORY.glob(pattern))
# A path of the repository begins with one of these; what stands in the
# package may be written without it.
FOLDERS = ('configs', 'docs', 'requirements', 'siamattn_cli', 'siamattn_mm',
           'tests', 'tools')
PACKAGE_FOLDERS = sorted(
    path.name for path in (REPOSITORY / 'siamattn_mm').iterdir()
    if path.is_dir() and not path.name.startswith('__'))


class Document(NamedTuple):
    """A text in Markdown, apart from its fenced blocks.

    Attributes:
        prose (str): All but the fenced blocks.
        spans (list[str]): Inline code, each in one line.
        blocks (list[str]): Fenced blocks, continued lines joined.
    """
    prose: str
    spans: List[str]
    blocks: List[str]

    @property
    def code(self) -> List[str]:
        """list[str]: Inline code, and the lines of all blocks."""
        return [
            *self.spans,
            *(line for block in self.blocks for line in block.splitlines())
        ]


def read(name: str) -> Document:
    text = (REPOSITORY / name).read_text(encoding='utf-8')
    fence = re.compile(r'^ *```.*?^ *```$', re.M | re.S)
    # A line that is continued is one.
    blocks = [
        re.sub(r'\\\n\s*', '', block) for block in fence.findall(text)
    ]
    prose = fence.sub('', text)
    spans = re.findall(r'`([^`]+)`', prose)
    return Document(prose, [' '.join(span.split()) for span in spans], blocks)


def anchors(name: str) -> List[str]:
    """Of the headings, as GitHub makes them."""
    headings = re.findall(r'^#+ (.+)$', read(name).prose, re.M)
    return [
        re.sub(r'[^\w\- ]', '', heading.lower()).replace(' ', '-')
        for heading in headings
    ]


@pytest.mark.parametrize('name', DOCUMENTS)
def test_links_lead_somewhere(name):
    links = [
        link for link in re.findall(r'\]\(([^)\s]+)\)', read(name).prose)
        if not re.match(r'[a-z]+://', link)
    ]
    wrong = []
    for link in links:
        path, _, anchor = link.partition('#')
        target = (REPOSITORY / name).parent / path if path else \
            REPOSITORY / name
        if not target.exists():
            wrong.append(link)
        elif anchor and anchor not in anchors(
                target.resolve().relative_to(REPOSITORY).as_posix()):
            wrong.append(link)
    assert wrong == []


def is_there(path: str) -> bool:
    """Whether a path or pattern, such as ``configs/a_{b,c}.py``, exists."""
    braces = re.search(r'\{([^}]*)\}', path)
    if braces:
        return all(
            is_there(path[:braces.start()] + choice + path[braces.end():])
            for choice in braces.group(1).split(','))
    return any(
        next(root.glob(path.rstrip('/')), None) is not None
        for root in (REPOSITORY, REPOSITORY / 'siamattn_mm'))


def named_paths(document: Document) -> List[str]:
    """What looks like a path of the repository, in code."""
    first = '|'.join((*FOLDERS, *PACKAGE_FOLDERS))
    path = re.compile(rf'(?<![\w./~-])((?:{first})/[\w./*{{}},-]*)')
    found = [
        match.rstrip('.,') for text in document.code
        for match in path.findall(text)
    ]
    # Wheels alone have this folder.
    return [match for match in found if '/.mim' not in match]


@pytest.mark.parametrize('name', DOCUMENTS)
def test_paths_are_there(name):
    assert [path for path in named_paths(read(name))
            if not is_there(path)] == []


def named_commands(document: Document) -> List[Tuple[str, str]]:
    """Each ``siamattn COMMAND``, and what follows it."""
    command = re.compile(
        r'(?:(?<![\w./-])siamattn|-m siamattn_cli) ([a-z][\w-]*)(.*)')
    return [(name, re.split(r'\s[|;#&]', rest)[0])
            for text in document.code for name, rest in command.findall(text)]


def test_commands_are_there():
    found = {
        command
        for name in DOCUMENTS for command, _ in named_commands(read(name))
    }
    assert found - set(COMMANDS) == set()
    # Every one of them is said somewhere.
    assert set(COMMANDS) - found == set()


@pytest.mark.parametrize('command', COMMANDS)
def test_flags_are_there(command, capsys, monkeypatch):
    """In what is written behind a command."""
    flags = {
        flag
        for name in DOCUMENTS
        for named, arguments in named_commands(read(name)) if named == command
        for flag in re.findall(r'(?<![\w-])--[a-z][\w-]*', arguments)
    }
    if command == 'search':
        pytest.importorskip('optuna')
    monkeypatch.setattr('sys.argv', ['siamattn'])
    helps = [[command, '--help']]
    if command == 'check-training':
        helps += [[command, part, '--help']
                  for part in ('resume', 'gradients')]
    for arguments in helps:
        with pytest.raises(SystemExit):
            main(arguments)
    known = set(re.findall(r'--[a-z][\w-]*', capsys.readouterr().out))
    assert flags - known == set()
