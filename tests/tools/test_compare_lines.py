"""Results of two environments, compared by tools/_official/compare.py."""
import subprocess
import sys

import cv2
import numpy as np
import pytest


@pytest.fixture
def compare(repository, tmp_path):
    """Compare boxes that differ by some pixels in x."""
    truth = np.array([[10., 10., 20., 20.]] * 4)
    folder = tmp_path / 'data' / 'one'
    (folder / 'img').mkdir(parents=True)
    for i in range(4):
        cv2.imwrite(str(folder / 'img' / f'{i}.png'),
                    np.zeros((60, 60, 3), np.uint8))
    np.savetxt(str(folder / 'groundtruth.txt'), truth, delimiter=',')

    def compare(shift, name='one'):
        for tracker, offset in (('a', 0), ('b', shift)):
            results = tmp_path / tracker / 'results'
            results.mkdir(parents=True, exist_ok=True)
            np.savetxt(str(results / f'{name}.txt'),
                       truth + [offset, 0, 0, 0], delimiter=',')
        return subprocess.run(
            [sys.executable, str(repository / 'tools/_official/compare.py'),
             'a', 'b', '--data-root', 'data'],
            cwd=str(tmp_path), capture_output=True, text=True)

    return compare


def test_small_differences_pass_and_large_ones_fail(compare):
    result = compare(0.01)
    assert result.returncode == 0, result.stderr
    assert '0.01000' in result.stdout
    result = compare(3)
    assert result.returncode == 1 and '0.002 is allowed' in result.stdout


def test_nothing_to_compare_is_no_success(compare):
    result = compare(0, name='other')
    assert result.returncode == 2 and 'none of the seq' in result.stderr
