"""Files are whole or not there."""
import os
import stat
import subprocess
import sys

import pytest

from siamattn_mm.utils import files
from siamattn_mm.utils.files import written_whole


def write(path, text):
    with written_whole(str(path)) as temporary:
        with open(temporary, 'w') as file:
            file.write(text)
        return temporary


def test_the_file_is_there_and_nothing_else(tmp_path):
    temporary = write(tmp_path / 'a.txt', 'new')
    assert (tmp_path / 'a.txt').read_text() == 'new'
    assert os.listdir(tmp_path) == ['a.txt']
    # Beside it, so that renaming is one step; the suffix is kept.
    assert os.path.dirname(temporary) == str(tmp_path)
    assert temporary.endswith('.txt')


def test_it_is_not_there_while_it_is_written(tmp_path):
    path = tmp_path / 'a.txt'
    with written_whole(str(path)) as temporary:
        assert os.path.exists(temporary) and not path.exists()


def test_an_error_leaves_nothing(tmp_path):
    with pytest.raises(RuntimeError, match='half-way'):
        with written_whole(str(tmp_path / 'a.txt')) as temporary:
            with open(temporary, 'w') as file:
                file.write('half')
                raise RuntimeError('half-way')
    assert os.listdir(tmp_path) == []


def test_an_error_keeps_the_old_file(tmp_path):
    path = tmp_path / 'a.txt'
    path.write_text('old')
    with pytest.raises(KeyboardInterrupt):
        with written_whole(str(path)) as temporary:
            with open(temporary, 'w') as file:
                file.write('half')
            raise KeyboardInterrupt
    assert path.read_text() == 'old'
    assert os.listdir(tmp_path) == ['a.txt']


def test_the_old_file_is_replaced(tmp_path):
    (tmp_path / 'a.txt').write_text('old')
    write(tmp_path / 'a.txt', 'new')
    assert (tmp_path / 'a.txt').read_text() == 'new'


def _run(script):
    return subprocess.Popen([sys.executable, '-c', script],
                            stdout=subprocess.PIPE)


KILLED = """
import runpy, time
module = runpy.run_path({module!r})  # without PyTorch
with module[{function!r}]({path!r}) as name:
    print(name, flush=True)
    time.sleep(100)
"""


@pytest.mark.parametrize('function', ['written_whole', 'whole_folder'])
def test_the_next_run_removes_what_a_killed_one_left(tmp_path, function):
    (tmp_path / '.part-of-mine').write_text('stays')
    process = _run(
        KILLED.format(
            module=files.__file__,
            function=function,
            path=str(tmp_path / 'a.mp4')))
    temporary = process.stdout.readline().decode().strip()
    # Alive: it is in use.
    files._cleaned.clear()
    write(tmp_path / 'b.txt', 'b')
    assert os.path.exists(temporary)
    process.kill()
    process.wait()
    process.stdout.close()
    assert os.path.exists(temporary)
    files._cleaned.clear()
    write(tmp_path / 'b.txt', 'b')
    assert sorted(os.listdir(tmp_path)) == ['.part-of-mine', 'b.txt']


def test_a_folder_is_whole_or_not_there(tmp_path):
    path = tmp_path / 'sub' / 'made'
    with pytest.raises(RuntimeError):
        with files.whole_folder(str(path)) as temporary:
            write(os.path.join(temporary, 'a'), 'half')
            raise RuntimeError
    assert os.listdir(path.parent) == []
    with files.whole_folder(str(path)) as temporary:
        write(os.path.join(temporary, 'a'), 'whole')
        assert not path.exists()
    assert os.listdir(path.parent) == ['made']
    assert (path / 'a').read_text() == 'whole'


def test_where_nothing_can_be_written(tmp_path):
    files.check_writable(str(tmp_path / 'new' / 'a.txt'))
    files.check_writable(str(tmp_path / 'a' / 'b' / 'a.txt'))
    assert os.listdir(tmp_path) == []
    (tmp_path / 'new').mkdir()
    with pytest.raises(OSError, match="new' is a folder"):
        files.check_writable(str(tmp_path / 'new'))
    (tmp_path / 'file').touch()
    with pytest.raises(OSError, match='file'):
        files.check_writable(str(tmp_path / 'file' / 'a.txt'))
    with pytest.raises(OSError, match="in '/proc/1'"):
        files.check_writable('/proc/1/a.txt')


def test_readers_of_the_old_file_keep_it(tmp_path):
    """Renamed, not overwritten: nobody sees half of each."""
    path = tmp_path / 'a.txt'
    path.write_text('old')
    with open(path) as reader:
        write(path, 'new')
        assert reader.read() == 'old'


def test_folders_are_made(tmp_path):
    write(tmp_path / 'b' / 'c' / 'a.txt', 'new')
    assert (tmp_path / 'b' / 'c' / 'a.txt').read_text() == 'new'


def test_a_bare_name_is_in_the_current_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write('a.txt', 'new')
    assert (tmp_path / 'a.txt').read_text() == 'new'


def test_rights_are_those_of_any_file(tmp_path):
    write(tmp_path / 'a.txt', 'new')
    (tmp_path / 'b.txt').write_text('usual')
    modes = [
        stat.S_IMODE(os.stat(tmp_path / name).st_mode)
        for name in ('a.txt', 'b.txt')
    ]
    assert modes[0] == modes[1]
