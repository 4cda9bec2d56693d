"""got10k's own runners and reports with our tracker."""
import json
import shutil
import warnings
import zipfile

import cv2
import numpy as np
import pytest
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.runner import Runner
from PIL import Image

from siamattn_mm.apis import init_tracker
from siamattn_mm.datasets.reading.ground_truth import SequenceFolderError
from siamattn_mm.evaluation import (
    average_overlap,
    box_iou_inside,
    evaluate_ope,
    success_rate,
)
from siamattn_mm.evaluation.submission import make_got10k

pytest.importorskip('got10k', reason='got10k is not installed')

from siamattn_mm.toolkits import got10k_tracker  # noqa: E402

NAMES = ['Skiing', 'davis-dog', 'tlp-CarChase2', 'uav-wakeboard7']
FRAMES = 6


@pytest.fixture(scope='module')
def tracker(small_config_path):
    """The untrained small model."""
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        return got10k_tracker.GOT10kTracker(
            init_tracker(str(small_config_path)))


@pytest.fixture(autouse=True)
def no_windows(monkeypatch):
    """Plots go to files."""
    monkeypatch.setenv('MPLBACKEND', 'Agg')


def test_frames_are_turned_into_bgr():
    seen = []
    inner = type('Inner', (), dict(
        init=lambda self, frame, box: seen.append((frame, box)),
        update=lambda self, frame: seen.append(frame)
        or type('Result', (), dict(bbox=np.arange(4.)))()))()
    tracker = got10k_tracker.GOT10kTracker(inner, 'ours')
    assert (tracker.name, tracker.is_deterministic) == ('ours', True)
    image = Image.new('RGB', (5, 4), (10, 20, 30))
    tracker.init(image, (1, 2, 3, 4))
    assert seen[0][0].shape == (4, 5, 3)
    assert seen[0][0][0, 0].tolist() == [30, 20, 10]
    assert seen[0][1] == (1, 2, 3, 4)
    assert tracker.update(image.convert('L')).tolist() == [0, 1, 2, 3]
    assert len(set(seen[1][0, 0].tolist())) == 1


def recorder(seen):
    """A tracker that keeps the frames that it is given."""
    return got10k_tracker.GOT10kTracker(type('Inner', (), dict(
        init=lambda self, frame, box: seen.append(frame),
        update=lambda self, frame: seen.append(frame)
        or type('Result', (), dict(bbox=np.arange(4.)))()))())


@pytest.mark.parametrize('mode', ['I;16', 'I', 'F'])
def test_images_of_16_bits_are_stretched(mode):
    seen, values = [], np.linspace(7000, 8275, 48 * 64).reshape(48, 64)
    tracker = recorder(seen)
    kind = {'I;16': np.uint16, 'I': np.int32, 'F': np.float32}[mode]
    for shift in (0, 100):
        image = Image.fromarray((values + shift).astype(kind))
        assert image.mode == mode
        if not seen:
            tracker.init(image, (1, 2, 3, 4))
        else:
            tracker.update(image)
    first, second = (frame.astype(int) for frame in seen)
    assert first.shape == (48, 64, 3) and len(np.unique(first)) > 150
    # One stretch for both.
    assert 15 <= (second - first)[first < 220].min()


@pytest.mark.parametrize('channels', [1, 3])
@pytest.mark.parametrize('suffix', ['png', 'tif'])
def test_files_of_16_bits_that_got10k_would_cut_off(tmp_path, channels,
                                                    suffix):
    seen, values = [], np.linspace(7000, 8275, 48 * 64).reshape(48, 64)
    values = np.dstack([values] * channels).astype(np.uint16)
    paths = [str(tmp_path / f'{index}.{suffix}') for index in range(3)]
    for path in paths:
        cv2.imwrite(path, values)
    boxes, times = recorder(seen).track(paths, [1, 2, 3, 4])
    assert boxes.tolist() == [[1, 2, 3, 4]] + [[0, 1, 2, 3]] * 2
    assert times.shape == (3, ) and len(seen) == 3
    for frame in seen:
        assert frame.dtype == np.uint8 and len(np.unique(frame)) > 150


def test_a_first_frame_of_8_bits_and_others_of_16(tmp_path):
    seen, values = [], np.linspace(7000, 8275, 48 * 64).reshape(48, 64)
    paths = [str(tmp_path / f'{index}.png') for index in range(3)]
    for path, image in zip(paths, ((values - 7000) / 5, values, values + 100)):
        cv2.imwrite(path, image.astype(np.uint8 if not seen else np.uint16))
        seen.append(0)
    seen.clear()
    recorder(seen).track(paths, [1, 2, 3, 4])
    first, second, third = (frame.astype(int) for frame in seen)
    assert first.max() == 255 and len(np.unique(second)) > 150
    # The first deep one decides for what follows.
    assert 15 <= (third - second)[second < 220].min()


@pytest.mark.parametrize('bits', ['image.jpg', 'colour.png', 'grey.png',
                                  'colour.tif', 'grey.bmp', 'palette.png'])
def test_files_of_8_bits_are_left_to_got10k(tmp_path, monkeypatch, bits):
    path, seen = str(tmp_path / bits), []
    image = Image.fromarray(
        np.arange(48 * 64 * 3, dtype=np.uint8).reshape(48, 64, 3))
    mode = dict(grey='L', palette='P').get(bits.split('.')[0], 'RGB')
    image.convert(mode).save(path)
    monkeypatch.delattr(got10k_tracker, 'decode_image')
    recorder(seen).track([path] * 2, [1, 2, 3, 4])
    assert np.array_equal(
        seen[1], np.asarray(Image.open(path).convert('RGB'))[..., ::-1])


@pytest.fixture()
def got10k_root(sequences, tmp_path):
    """The validation set of GOT-10k, made of excerpts."""
    for name in NAMES:
        folder = tmp_path / 'data' / 'val' / name
        folder.mkdir(parents=True)
        truth = (sequences / name / 'groundtruth.txt').read_text().split()
        (folder / 'groundtruth.txt').write_text(
            '\n'.join(truth[:FRAMES]) + '\n')
        images = sorted((sequences / name / 'img').iterdir())[:FRAMES]
        for i, image in enumerate(images):
            (folder / f'{i + 1:08d}.jpg').symlink_to(image)
        width, height = Image.open(images[0]).size
        (folder / 'meta_info.ini').write_text(
            f'[METAINFO]\nresolution: ({width}, {height})\n')
        for label, value in (('cover', 8), ('absence', 0),
                             ('cut_by_image', 0)):
            (folder / f'{label}.label').write_text(f'{value}\n' * FRAMES)
    (tmp_path / 'data' / 'val' / 'list.txt').write_text('\n'.join(NAMES))
    return tmp_path / 'data'


def test_experiment_of_got10k(tracker, got10k_root, tmp_path, capsys):
    from got10k.experiments import ExperimentGOT10k
    experiment = ExperimentGOT10k(
        str(got10k_root),
        subset='val',
        result_dir=str(tmp_path / 'results'),
        report_dir=str(tmp_path / 'reports'))
    experiment.run(tracker)
    # A second time, everything is there already.
    experiment.run(tracker)
    assert capsys.readouterr().out.count('Found results') == len(NAMES)
    figures = experiment.report([tracker.name])[tracker.name]
    report = tmp_path / 'reports' / 'GOT-10k' / tracker.name
    assert (report / 'success_plot.png').stat().st_size > 1000
    assert json.loads((report / 'performance.json').read_text())

    ious = []
    for name in NAMES:
        folder = tmp_path / 'results' / 'GOT-10k' / tracker.name / name
        boxes = np.loadtxt(str(folder / f'{name}_001.txt'), delimiter=',')
        times = np.loadtxt(str(folder / f'{name}_time.txt'))
        assert boxes.shape == (FRAMES, 4) and (times[1:] > 1e-3).all()
        truth = np.loadtxt(
            str(got10k_root / 'val' / name / 'groundtruth.txt'),
            delimiter=',')
        size = Image.open(got10k_root / 'val' / name / '00000001.jpg').size
        ious.append(box_iou_inside(boxes, truth, size))
        figure = figures['seq_wise'][name]
        assert average_overlap(ious[-1]) == pytest.approx(
            figure['ao'], abs=1e-6)
        assert success_rate(ious[-1], .5) == pytest.approx(
            figure['sr'], abs=1e-6)
    everything = np.concatenate([iou[1:] for iou in ious])
    difference = abs(everything.mean() - figures['overall']['ao'])
    with capsys.disabled():
        print('\nAO of ExperimentGOT10k: largest difference '
              f'{difference:.1e}')
    assert difference < 1e-6
    assert figures['overall']['speed_fps'] > 0


def test_report_on_our_submission(got10k_root, tmp_path, repository, capsys,
                                  monkeypatch):
    """The figures of our test are those of got10k's report on its files."""
    from got10k.experiments import ExperimentGOT10k
    val = got10k_root / 'val'
    # Sequences of unequal lengths, a hidden target, one beyond the edge.
    for path in sorted((val / NAMES[0]).iterdir()):
        if path.suffix == '.label':
            path.write_text('8\n' * 3)
        elif path.suffix == '.jpg' and path.stem > '00000003':
            path.unlink()
    (val / NAMES[0] / 'groundtruth.txt').write_text('150,80,40,60\n' * 3)
    truth = val / NAMES[1] / 'groundtruth.txt'
    first = truth.read_text().splitlines()[0]
    x, y, w, h = map(float, first.split(','))
    truth.write_text(first + '\n' + ''.join(
        f'{x - 60 * i},{y + 9 * i},{w},{h}\n' for i in range(1, FRAMES)))
    (val / NAMES[2] / 'cover.label').write_text('8\n8\n0\n8\n1\n0\n')

    monkeypatch.syspath_prepend(str(repository / 'tests' / 'tools'))
    __import__('first_box_tracker')
    init_default_scope('mmtrack')
    config = Config.fromfile(
        str(repository / 'configs' / 'siamattn' / 'benchmarks' /
            'siamattn_mobilenetv2_test-got10k.py'))
    config.model = dict(type='FirstBoxTracker')
    config.work_dir = str(tmp_path / 'work')
    config.experiment_name = config.visualizer.name = tmp_path.name
    config.merge_from_dict({
        'test_dataloader.num_workers': 0,
        'test_dataloader.dataset.data_root': str(got10k_root),
        'test_dataloader.dataset.split': 'val',
        'test_evaluator.format_only': False})
    ours = Runner.from_cfg(config).test()

    lengths = dict.fromkeys(NAMES, FRAMES)
    lengths[NAMES[0]] = 3
    make_got10k(str(tmp_path / 'work' / 'results'), lengths,
                str(tmp_path / 'ours.zip'))
    with zipfile.ZipFile(tmp_path / 'ours.zip') as archive:
        archive.extractall(tmp_path / 'results' / 'GOT-10k' / 'ours')
    theirs = ExperimentGOT10k(
        str(got10k_root), 'val', str(tmp_path / 'results'),
        str(tmp_path / 'reports')).report(['ours'])['ours']
    overall, separate = theirs['overall'], theirs['seq_wise'].values()
    difference = max(
        abs(ours['sot/AO'] - overall['ao']),
        abs(ours['sot/SR0.5'] - overall['sr']),
        abs(ours['sot/SR0.75'] - overall['succ_curve'][75]))
    with capsys.disabled():
        print('\nAO, SR of tools/test.py and of ExperimentGOT10k: largest '
              f'difference {difference:.1e}')
    assert difference < 1e-6
    # The mean over sequences is something else here.
    assert abs(np.mean([one['ao'] for one in separate]) - overall['ao']) > .01


def test_experiment_on_a_folder(tracker, sequences, tmp_path, capsys):
    experiment = got10k_tracker.ExperimentFolder(
        str(sequences),
        NAMES,
        FRAMES,
        result_dir=str(tmp_path / 'results'),
        report_dir=str(tmp_path / 'reports'))
    assert len(experiment.dataset) == len(NAMES)
    experiment.run(tracker)
    figures = experiment.report([tracker.name])[tracker.name]
    report = tmp_path / 'reports' / 'sequences' / tracker.name
    for name in ('success_plots.png', 'precision_plots.png'):
        assert (report / name).stat().st_size > 1000
    results = tmp_path / 'results' / 'sequences' / tracker.name
    largest = 0
    for name in NAMES:
        boxes = np.loadtxt(str(results / f'{name}.txt'), delimiter=',')
        ours = evaluate_ope(boxes, experiment.dataset[name][1])
        theirs = figures['seq_wise'][name]
        largest = max(
            largest, abs(ours['success'] - theirs['success_score']),
            abs(ours['precision'] - theirs['precision_score']))
    with capsys.disabled():
        print(f'\nsuccess and precision of ExperimentOTB: largest difference '
              f'{largest:.1e}')
    assert largest < 1e-6


def test_wrong_sequences_are_refused(sequences, tmp_path):
    path = tmp_path / 'Skiing'
    shutil.copytree(str(sequences / 'Skiing'), str(path))
    truth = (path / 'groundtruth.txt').read_text().splitlines()
    for line, message in (('nan,nan,nan,nan', 'line 3 of the ground truth'),
                          ('1,2,x,4', "line 3: 'x' is not a number")):
        (path / 'groundtruth.txt').write_text(
            '\n'.join(truth[:2] + [line] + truth[3:]))
        with pytest.raises(SequenceFolderError, match=message):
            got10k_tracker.ExperimentFolder(str(tmp_path))
    with pytest.raises(ValueError, match='num_frames must be at least 1'):
        got10k_tracker.ExperimentFolder(str(tmp_path), num_frames=0)
