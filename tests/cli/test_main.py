"""The ``siamattn`` command: lists, starts and names what it can do."""
import subprocess
import sys

import pytest

from siamattn_cli.main import COMMANDS, main

# Of an older name.
RENAMED = dict(demo='track')


def run(capfd, *arguments):
    """Exit code, output and errors."""
    capfd.readouterr()
    try:
        code = main(list(map(str, arguments)))
    except SystemExit as stop:
        code = stop.code
    return (code, *capfd.readouterr())


def test_every_tool_is_a_command(repository):
    tools = {
        RENAMED.get(path.stem, path.stem).replace('_', '-')
        for path in (repository / 'tools').glob('*.py')
    }
    assert tools == set(COMMANDS)


def test_help_lists_them_a_line_each(capfd):
    code, out, error = run(capfd, '--help')
    assert (code, error) == (0, '')
    for name, command in COMMANDS.items():
        line, = [line for line in out.splitlines()
                 if line.split()[:1] == [name]]
        assert line.endswith(command.summary) and len(line) < 90
    # Without a command it is a mistake.
    assert run(capfd) == (2, '', out)


def test_help_imports_no_library(repository):
    script = ('import sys; from siamattn_cli.main import main; main(["-h"]); '
              'from siamattn_cli import vot_tracker; '
              'vot_tracker.make_parser("p").parse_args([]); '
              'print({"torch", "numpy", "siamattn_mm"} & set(sys.modules))')
    done = subprocess.run([sys.executable, '-c', script], cwd=str(repository),
                          stdout=subprocess.PIPE, universal_newlines=True)
    assert done.returncode == 0
    assert done.stdout.splitlines()[-1] == 'set()'


def test_version(capfd):
    from siamattn_mm.version import __version__
    assert run(capfd, '--version') == (0, f'siamattn_mm {__version__}\n', '')


@pytest.mark.parametrize('name', COMMANDS)
def test_every_command_has_a_help_in_its_name(capfd, monkeypatch, name):
    # mmtrack's own parsers read it, and write theirs.
    monkeypatch.setattr(sys, 'argv', ['siamattn'])
    if name == 'search':
        pytest.importorskip('optuna')
    code, out, _ = run(capfd, name, '--help')
    assert code == 0
    assert out.startswith(f'usage: siamattn {name} ')


def test_a_mistake_names_the_command(capfd, tmp_path):
    code, out, error = run(capfd, 'track', tmp_path / 'no.mp4', '--box', 1, 2,
                           30, 40)
    assert (code, out) == (2, '')
    assert error.startswith('siamattn track: error: ')
    assert error.count('\n') == 1 and 'no.mp4' in error


@pytest.mark.parametrize('name, hint', [('trakc', 'did you mean track? '),
                                        ('xyz', '')])
def test_unknown_command(capfd, name, hint):
    assert run(capfd, name) == (
        2, '', f'siamattn: error: no command {name!r}; {hint}siamattn --help '
        'lists them\n')


def test_a_modules_name_is_as_good(capfd):
    code, out, _ = run(capfd, 'make_cutouts', '--help')
    assert code == 0 and out.startswith('usage: siamattn make_cutouts ')


def test_config_by_its_name(capfd, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, 'argv', ['siamattn'])
    code, _, error = run(capfd, 'test', 'siamattn_mobilenetv2', '--work-dir',
                         tmp_path)
    # The config is found; what it reads is not here.
    assert code == 2 and error.splitlines()[-1].startswith(
        'siamattn test: error: ')
    assert 'data/sequences' in error.splitlines()[-1]


def test_nobody_reads_on(repository):
    """As in ``siamattn --help | head -1``."""
    with subprocess.Popen(
        [sys.executable, '-c', 'import sys, time; time.sleep(1)\n'
         'from siamattn_cli.main import main; sys.exit(main(["--help"]))'],
            cwd=str(repository),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE) as process:
        process.stdout.close()
        error = process.stderr.read()
    assert (process.returncode, error) == (141, b'')
