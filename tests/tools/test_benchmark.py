"""`tools/benchmark.py`: its modes, and mistakes."""
import json

import pytest
import torch

from siamattn_mm.benchmark import beside_peers, tables
from siamattn_mm.benchmark import frame as frame_benchmark
from siamattn_mm.benchmark.peers import PeerScores
from siamattn_mm.benchmark.synthetic_video import synthetic_video
from siamattn_mm.commands.benchmark import opencv, training
from siamattn_mm.commands.benchmark.arguments import make_parser
from siamattn_mm.commands.benchmark.tracking import tracker_specs


@pytest.fixture
def run(run_tool):
    """Run in this process; gives exit code, output and errors."""
    return lambda *argv: run_tool('benchmark', *argv)


@pytest.fixture
def video(tmp_path):
    """A sequence of six frames with ground truth."""
    import cv2
    frames, bbox = synthetic_video(96, 64, 6)
    (tmp_path / 'video' / 'img').mkdir(parents=True)
    for i, frame in enumerate(frames):
        cv2.imwrite(str(tmp_path / 'video' / 'img' / f'{i}.png'), frame)
    (tmp_path / 'video' / 'groundtruth.txt').write_text(
        (','.join(str(v) for v in bbox) + '\n') * 6)
    return tmp_path / 'video'


def test_compare_on_a_video(run, small_config_path, video, tmp_path,
                            monkeypatch):
    monkeypatch.setattr(frame_benchmark, 'matmul_peak', lambda *_: 5e10)
    path = tmp_path / 'out' / 'figures.json'
    code, out, _ = run(small_config_path, '--compare', '--compare-options',
                       'model.test_cfg.fold_norms=False', '--video', video,
                       '--frames', 5, '--runs', 1, '--memory-frames', 0,
                       '--json', path)
    assert code == 0
    for text in ('frames of 96x64', '50 GFLOP/s', 'threads', 'refinement box',
                 'whole frame', 'all but backbone', 'largest differences'):
        assert text in out
    report = json.loads(path.read_text())
    assert report['size'] == [96, 64] and report['frames'] == 5
    assert len(report['trackers']) == 2
    # One seed: two trackers of the same random weights, folded or not.
    assert report['differences']['score'] < 1e-3
    assert report['machine']['threads'] >= 1
    assert 'memory' not in report


class Still:
    """A tracker that looks at nothing."""

    def init(self, frame, bbox):
        self.frames = 1

    def update(self, frame):
        self.frames += 1


def test_in_turn_with_nanotrack(run, small_config_path, video, tmp_path,
                                monkeypatch):
    monkeypatch.setattr(frame_benchmark, 'matmul_peak', lambda *_: 5e10)
    peer, asked = Still(), []
    monkeypatch.setattr(beside_peers, 'nanotrack',
                        lambda *given: asked.append(given) or peer)
    path = tmp_path / 'figures.json'
    code, out, error = run(
        small_config_path, '--video', video, '--frames', 6, '--runs', 2,
        '--memory-frames', 0, '--nanotrack', 'b.onnx', 'h.onnx', '--json',
        path)
    assert code == 0, error
    threads = torch.get_num_threads()
    assert asked == [('b.onnx', 'h.onnx', threads, 'onnxruntime'),
                     ('b.onnx', 'h.onnx', threads, 'opencv')]
    assert peer.frames == 6 and 'whole frames, in turn' in out
    both = json.loads(path.read_text())['peers']
    assert [found['name'] for found in both] == [
        'NanoTrack v3, onnxruntime', 'NanoTrack v3, OpenCV']
    for found in both:
        share, = found['share'].values()
        assert 0 < share['low'] <= share['median'] <= share['high'] < 1


@pytest.mark.parametrize('args, message', [
    (['--nano-backbone', 'b.onnx'], 'go together'),
    (['--nano-backbone', 'b.onnx', '--nano-neckhead', 'h.onnx'], 'NanoTrack'),
    (['--nanotrack', 'b.onnx', 'h.onnx'], "'b.onnx'"),
])
def test_mistakes_about_nanotrack_are_one_line(run, small_config_path, args,
                                               message):
    code, _, error = run(small_config_path, *args)
    assert code == 2 and message in error and 'Traceback' not in error


def test_memory_has_a_process_for_each(run, small_config_path,
                                       monkeypatch):
    figures = dict(weights_mb=1.5, loaded_mb=2., peak_mb=3., growth_mb=.25,
                   frames=4)
    asked = []

    def memory(spec, frames, bbox, num_frames, threads):
        asked.append((spec.name, len(frames), num_frames))
        return figures

    monkeypatch.setattr(frame_benchmark, 'tracking_memory', memory)
    monkeypatch.setattr(
        frame_benchmark, 'measure', lambda *args: dict(
            peak_gflops=50., trackers=[]))
    code, out, _ = run(small_config_path, '--size', '32x24', '--frames', 6,
                       '--memory-frames', 4)
    assert code == 0
    assert asked == [('small_model', 6, 4)]
    assert 'second half of 4' in out


def test_peers(run, video, tmp_path, monkeypatch):
    means = dict(success=.5, precision=.25, norm_precision=.75, fps=9.)
    monkeypatch.setattr(opencv, 'opencv_site', lambda: '')
    monkeypatch.setattr(
        opencv.peers, 'run_peer', lambda peer, sequences, out, advance:
        PeerScores(means, dict(video=means), f'{peer.tracker} into {out}'))
    path = tmp_path / 'peers.json'
    code, out, _ = run('--peers', video.parent, '--sequences', 'video',
                       '--out', tmp_path / 'out', '--json', path)
    assert code == 0
    assert f'csrt into {tmp_path}/out/csrt' in out and 'kcf into' in out
    assert '0.500' in out
    report = json.loads(path.read_text())
    assert set(report['peers']) == {'csrt', 'kcf'}


def test_peers_where_nothing_can_be_written(run, video, monkeypatch):
    # Neither installed nor run.
    monkeypatch.delattr(opencv, 'opencv_site')
    code, _, err = run('--peers', video.parent, '--sequences', 'video',
                       '--out', '/proc/1')
    assert code == 2 and err.count('\n') == 1 and '/proc/1' in err


def test_pipeline(run, monkeypatch):
    values = dict(median=2., low=1., high=3.)

    def measure(built, workers, runs, batch_size, advance):
        assert built == dict(ours=('somewhere', ['a'])) and batch_size == 8
        found = dict(values, median=2. * max(workers, 1))
        return dict(workers=workers, pairs=80, mask_share=.5, ours=found,
                    limits=dict(make=8., collate=1., send=1., receive=.5))

    monkeypatch.setattr(training.pair_datasets, 'build_datasets',
                        lambda *a: dict(ours=a, mmtrack=a))
    monkeypatch.setattr(training.pipelines, 'measure_pipelines', measure)
    monkeypatch.setattr(training, 'usable_cores', lambda: 2)
    code, out, _ = run('--pipeline', 'somewhere', '--sequences', 'a',
                       '--ours-alone', '--workers', 0, 1, 2)
    assert code == 0
    assert 'no worker' in out and '2 workers' in out
    assert '1.0-3.0' in out and '50 % of the frames' in out
    assert '100.0 % of' in out and 'one worker' in out
    assert 'what limits the figure is the workers' in out


def test_train_step(run, repository, tmp_path, monkeypatch):
    """The small model in training: stages, whole step, and no data."""
    config = repository / 'tests' / 'small_training.py'
    path = tmp_path / 'step.json'
    code, out, err = run('--train-step', config, '--batch-size', 2,
                         '--steps', 1, '--runs', 1, '--json', path)
    assert code == 0, err
    for text in ('targets and RoIs', 'backward', 'optimizer', 'whole step',
                 '2 pairs, float32, cpu', 'pairs a second', 'data left out'):
        assert text in out
    report = json.loads(path.read_text())['train_step']
    assert report['batch_size'] == 2 and report['gpu_mb'] is None
    stages = {row['stage']: row['ms']['median'] for row in report['stages']}
    assert set(stages) == set(training.train_step.STAGES)
    assert stages['backward'] > stages['targets and RoIs'] > 0
    # Apart from what else the machine does, the stages are the step.
    assert sum(stages.values()) < 10 * report['step_ms']['median']


def test_targets_alone(run, repository, tmp_path):
    path = tmp_path / 'targets.json'
    code, out, err = run('--train-step',
                         repository / 'tests' / 'small_training.py',
                         '--targets', 5, '--runs', 1, '--json', path)
    assert code == 0, err
    assert 'image by image' in out and 'of 5 pairs' in out
    rows = json.loads(path.read_text())['targets']['rows']
    assert [row['name'] for row in rows] == [
        'anchors', 'RoIs', 'masks', 'anchors, RoIs', 'together']
    assert rows[4]['loop']['median'] == pytest.approx(
        sum(row['loop']['median'] for row in rows[:3]))


def test_data_memory(run, monkeypatch):

    def measure(frames, workers):
        found = [
            dict(workers=n, frames=frames, rss=100., pss=90.,
                 private_per_worker=2.) for n in workers
        ]
        return dict(
            index=dict(frames=frames, mb=.5, bytes_per_frame=28.,
                       paths=4., boxes=16.),
            few=found, many=found, growth_per_worker=[.5] * len(workers))

    monkeypatch.setattr(training.data_memory, 'measure_data_memory', measure)
    code, out, _ = run('--data-memory', '--annotated-frames', 5000)
    assert code == 0
    assert '28.0' in out and '5,000' in out and '+0.5' in out


@pytest.mark.parametrize('argv, message', [
    ((), 'give one of CONFIG, --train-step, --pipeline, --data-memory and '
     '--peers\n'),
    (('a.py', '--data-memory'), 'not several'),
    (('--train-step', 'a.py'), "config 'a.py' does not exist"),
    (('--train-step', 'configs/siamattn/siamattn_mobilenetv2.py'),
     'has no train_dataloader'),
    (('--train-step', 'a.py', '--amp', 'int8'), 'int8'),
    (('a.py', ), "config 'a.py' does not exist"),
    (('a.py', '--compare'), '--compare needs another config'),
    (('a.py', '--size', '8x8'), "'8x8' is not WIDTHxHEIGHT"),
    (('a.py', '--runs', '0'), "'0' is not 1 or more"),
    (('a.py', '--workers', '-1'), "'-1' is not 0 or more"),
    (('a.py', '--box', '1', '2', '3', '4'), '--box is for a --video'),
    (('a.py', '--video', 'none.mp4'), 'none.mp4'),
    (('a.py', '--json', '/proc/1/a.json'), "written in '/proc/1'"),
    (('--peers', 'nowhere'), 'nowhere'),
    (('--pipeline', 'nowhere'), 'nowhere'),
])
def test_mistakes_are_one_line(run, argv, message):
    code, _, err = run(*argv)
    assert code == 2
    assert message in err and err.count('\n') == 1
    assert err.startswith('benchmark.py: error: ')


def test_too_few_frames(run, small_config_path):
    code, _, err = run(small_config_path, '--frames', 4)
    assert code == 2 and '5 frames or more are needed' in err


def test_video_without_a_target(run, small_config_path, video):
    (video / 'groundtruth.txt').unlink()
    code, _, err = run(small_config_path, '--video', video)
    assert code == 2 and 'give it with --box X Y W H' in err


@pytest.mark.parametrize('argv, second', [
    (['--compare-options', 'x=2'], ('a x=2 y=1', 'f.pth')),
    (['--compare-checkpoint', 'g.pth'], ('a g.pth y=1', 'g.pth')),
    (['--compare', 'b.py', '--compare-options', 'x=2'], ('b x=2', None)),
])
def test_what_the_second_tracker_takes_from_the_first(argv, second):
    args = make_parser('benchmark.py', '').parse_args([
        'a.py', '--cfg-options', 'y=1', '--checkpoint', 'f.pth', *argv
    ])
    first, other = tracker_specs(args)
    assert first.name == 'a f.pth y=1'
    name, checkpoint = second
    assert sorted(other.name.split()) == sorted(
        name.split() + ['f.pth'] * (checkpoint == 'f.pth'))
    assert other.checkpoint == checkpoint


def test_machine_is_described():
    line = tables.describe_machine(tables.machine())
    assert 'cores' in line and 'threads' in line


def test_beside_busy_processes(run, small_config_path, video, tmp_path):
    path = tmp_path / 'figures.json'
    code, out, _ = run(small_config_path, '--busy', 1, '--video', video,
                       '--frames', 5, '--runs', 1, '--json', path)
    assert code == 0
    assert 'beside spinning processes' in out
    report = json.loads(path.read_text())
    assert [row['processes'] for row in report['busy']] == [0, 1]
    assert report['busy'][0]['times_quiet']['median'] == 1
    assert all(row['frame_ms']['median'] > 0 for row in report['busy'])


def test_busy_is_for_one_tracker(run, small_config_path, video):
    code, _, error = run(small_config_path, '--busy', '--video', video,
                         '--compare-options', 'model.optimize=False')
    assert code == 2
    assert '--busy times one tracker' in error and error.count('\n') == 1
