"""``tools/export.py`` writes files, or says in one line why not."""
import pytest
import torch

from siamattn_mm.apis import init_tracker


@pytest.fixture
def run(run_tool):
    """Run the tool in this process."""
    return lambda *arguments: run_tool('export', *arguments)


def test_all_files_are_written(run, small_config_path, tmp_path):
    pytest.importorskip('onnx', reason='onnx is not installed')
    out = tmp_path / 'sub' / 'model.onnx'
    with pytest.warns(UserWarning, match='untrained'):
        code, printed, error = run(small_config_path, '--out', out)
    assert code == 0, error
    lines = printed.splitlines()
    paths = [out.with_suffix(f'.{kind}.onnx')
             for kind in ('mask', 'box', 'init')] + [out]
    for line, path in zip(lines, paths):
        assert str(path) in line and 'MB' in line
        assert path.stat().st_size > 10000
    assert len(lines) == len(list(out.parent.iterdir())) == len(paths)


def test_boxes_alone_of_a_checkpoint_with_masks(run, small_config_path,
                                                tmp_path):
    pytest.importorskip('onnx', reason='onnx is not installed')
    weights, out = tmp_path / 'whole.pth', tmp_path / 'boxes.onnx'
    with pytest.warns(UserWarning, match='untrained'):
        model = init_tracker(str(small_config_path), device='cpu').model
    torch.save(dict(state_dict=model.state_dict()), str(weights))
    code, printed, error = run(
        small_config_path, '--checkpoint', weights, '--out', out,
        '--cfg-options', 'model.refine_head.mask_head=None',
        'model.refine_head.mask_fusion=None')
    assert code == 0, error
    assert 'boxes.box.onnx' in printed and 'mask' not in printed


@pytest.mark.parametrize('arguments, word', [
    (('no.py', '--out', 'm.onnx'), 'no.py'),
    (('CONFIG', '--out', 'm.pth'), 'm.pth'),
    (('CONFIG', '--out', '/proc/1/m.onnx'), "'/proc/1'"),
    (('CONFIG', '--out', 'm.onnx', '--checkpoint', 'no.pth'), 'no.pth'),
])
def test_mistakes_are_one_line(run, small_config_path, arguments, word):
    pytest.importorskip('onnx', reason='onnx is not installed')
    arguments = [str(small_config_path) if a == 'CONFIG' else a
                 for a in arguments]
    code, _, error = run(*arguments)
    assert code == 2
    assert word in error and 'Traceback' not in error
    assert len(error.strip().splitlines()) == 1
