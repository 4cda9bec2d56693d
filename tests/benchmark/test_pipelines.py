"""Both training pipelines over the same frames."""
import pytest
from mmengine.registry import DefaultScope

from siamattn_mm.benchmark.pair_datasets import build_datasets
from siamattn_mm.benchmark.pipelines import add_shares, measure_pipelines


@pytest.fixture(autouse=True)
def _scope():
    with DefaultScope.overwrite_default_scope('mmtrack'):
        yield


@pytest.mark.parametrize('workers', [0, 1])
def test_figures(pair_root, workers):
    done = []
    found = measure_pipelines(
        build_datasets(pair_root),
        workers=workers,
        num_runs=2,
        batch_size=2,
        num_batches=2,
        advance=lambda: done.append(1))
    assert len(done) == 6  # one more run of each warms up
    assert found['workers'] == workers and found['pairs'] == 4
    assert found['mask_share'] == .5
    for key in ('ours', 'mmtrack', 'ratio'):
        assert 0 < found[key]['low'] <= found[key]['high']
    assert set(found['limits']) == {'make', 'collate', 'send', 'receive'}
    assert all(value > 0 for value in found['limits'].values())


def test_ours_alone(pair_root):
    datasets = build_datasets(pair_root)
    del datasets['mmtrack']
    found = measure_pipelines(
        datasets, workers=0, num_runs=1, batch_size=2, num_batches=2)
    assert found['ours']['median'] > 0
    assert 'mmtrack' not in found and 'ratio' not in found


def test_what_limits_the_trainer():

    def report(workers, rate, receive=.1):
        return dict(
            workers=workers, ours=dict(median=rate),
            limits=dict(make=8., collate=1., send=1., receive=receive))

    reports = [report(0, 90.), report(1, 100.), report(2, 180.),
               report(14, 300.), report(4, 200., receive=3.)]
    add_shares(reports, cores=4)
    assert [found['share'] for found in reports] == [
        None, 1., .9, .75, .5]
    assert [found['limit'] for found in reports] == [
        'workers', 'workers', 'workers', 'cores', 'trainer']
    other = [report(2, 180.)]
    add_shares(other, cores=4)
    assert other[0]['share'] is None
