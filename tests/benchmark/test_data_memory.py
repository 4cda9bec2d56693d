"""Tests of the figures about the annotations' memory."""
import mmap
import multiprocessing
import os
from concurrent.futures import ProcessPoolExecutor

import pytest

from siamattn_mm.benchmark import data_memory


def test_bytes_of_an_annotated_frame():
    found = data_memory.index_memory(200001)
    assert found['frames'] == 200001
    # Box 16, path, image and time 4 each, and little for each video.
    assert 28 <= found['bytes_per_frame'] < 29
    assert found['mb'] == pytest.approx(
        found['bytes_per_frame'] * 200001 / 2**20)


def test_the_fake_table_is_one():
    table = data_memory.fake_table(1200)
    assert len(table) == 3 and table.num_rows == 1200
    assert table.images[1199].endswith('sequence-000002/img/00000200.jpg')


def test_memory_of_this_process():
    # malloc may keep what is freed, for the next one.
    with mmap.mmap(-1, 40 * 2**20) as pages:
        pages.write(b'1' * len(pages))
        full = data_memory.process_memory(os.getpid())
    empty = data_memory.process_memory(os.getpid())
    assert full['rss'] >= full['pss'] >= full['private'] > 40
    for key in full:
        assert full[key] - empty[key] == pytest.approx(40, abs=4)


@pytest.fixture(scope='module')
def figures():
    """Measured in a new process; the index of the first is 54 MB.

    What earlier tests left in this process would be counted.

    Its workers are forked, and copy each page that they count references in.
    """
    context = multiprocessing.get_context('spawn')
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        return [
            task.result() for task in (
                pool.submit(data_memory.worker_memory, 2000000, 2, 40),
                pool.submit(data_memory.measure_data_memory, 20000, 10000,
                            (1, ), 20))
        ]


def test_a_worker_does_not_copy_the_index(figures):
    found = figures[0]
    assert found['workers'] == len(found['each']) == 2
    assert found['private_per_worker'] < 40
    assert found['rss'] > found['pss'] > found['pss_per_worker'] > 0


def test_all_figures(figures):
    found = figures[1]
    assert found['index']['frames'] == 20000
    assert [run['frames'] for run in found['few'] + found['many']] == [
        10000, 20000]
    assert len(found['growth_per_worker']) == 1
    assert abs(found['growth_per_worker'][0]) < 10
