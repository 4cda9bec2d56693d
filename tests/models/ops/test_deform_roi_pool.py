"""mmcv's kernel: golden numbers, its definition, gradients, bad input."""
import math

import mmcv.ops
import numpy as np
import pytest
import torch

from siamattn_mm.models.ops import deform_roi_pool, mmcv_ops

CASES = range(5)


def load(golden, case):
    """One golden case as tensors, and the function's other arguments."""
    with np.load(golden / 'deform_roi_pool.npz') as stored:
        prefix = f'case{case}_'
        arrays = {
            key[len(prefix):]: torch.from_numpy(stored[key])
            for key in stored.files if key.startswith(prefix)
        }
    height, width, scale, ratio, gamma = arrays['params'].tolist()
    args = ((int(height), int(width)), scale, int(ratio), gamma)
    return arrays, args


def bilinear(plane, y, x):
    """One sample of the kernel's definition."""
    height, width = plane.shape
    if y < -1 or y > height or x < -1 or x > width:
        return 0.0
    y = min(max(y, 0.0), height - 1.0)
    x = min(max(x, 0.0), width - 1.0)
    top, left = math.floor(y), math.floor(x)
    bottom, right = min(top + 1, height - 1), min(left + 1, width - 1)
    y, x = y - top, x - left
    return ((1 - y) * ((1 - x) * plane[top, left] + x * plane[top, right]) +
            y * ((1 - x) * plane[bottom, left] + x * plane[bottom, right]))


def reference(input, rois, offset, output_size, scale, ratio, gamma):
    """The kernel's definition, sample by sample, in double precision."""
    input, rois = input.double().numpy(), rois.double().numpy()
    channels = input.shape[1]
    rows, columns = output_size
    output = np.zeros((len(rois), channels, rows, columns))
    for r, (image, *corners) in enumerate(rois):
        x1, y1, x2, y2 = (corner * scale - 0.5 for corner in corners)
        bin_h, bin_w = (y2 - y1) / rows, (x2 - x1) / columns
        number_y = ratio if ratio > 0 else max(math.ceil(bin_h), 0)
        number_x = ratio if ratio > 0 else max(math.ceil(bin_w), 0)
        for c in range(channels):
            for p in range(rows):
                for q in range(columns):
                    y, x = y1, x1
                    if offset is not None:
                        x += gamma * (x2 - x1) * float(offset[r, 0, p, q])
                        y += gamma * (y2 - y1) * float(offset[r, 1, p, q])
                    total = 0.0
                    for i in range(number_y):
                        for j in range(number_x):
                            total += bilinear(
                                input[int(image), c],
                                y + p * bin_h + (i + 0.5) * bin_h / number_y,
                                x + q * bin_w + (j + 0.5) * bin_w / number_x)
                    output[r, c, p, q] = total / max(number_y * number_x, 1)
    return torch.from_numpy(output)


def random_rois(number, images, width, height):
    """RoIs in and around a map of that size, some fully outside."""
    size = torch.tensor([width, height])
    centre = torch.rand(number, 2) * size * 1.6 - size * 0.3
    half = torch.rand(number, 2) * size * 0.5 + 0.2
    image = torch.randint(images, (number, 1)).float()
    rois = torch.cat((image, centre - half, centre + half), dim=1)
    rois[0, 1:] = torch.tensor([-3., -3., -2., -2.]) * size.repeat(2)
    rois[1, 1:] = torch.tensor([2., .2, 3., .6]) * size.repeat(2)
    rois[2, 1:] = torch.tensor([.8, -.2, 1.2, .3]) * size.repeat(2)
    return rois


@pytest.mark.parametrize('case', CASES)
def test_golden_output(golden, case):
    """Outputs with and without offsets are mmcv's."""
    arrays, args = load(golden, case)
    for offset, key in ((arrays['offset'], 'output'),
                        (None, 'output_no_offset')):
        output = deform_roi_pool(arrays['input'], arrays['rois'], offset,
                                 *args)
        assert (output - arrays[key]).abs().max() <= 1e-4


@pytest.mark.parametrize('case', CASES)
def test_golden_gradient(golden, case):
    """Gradients are mmcv's; to offsets only where mmcv's are exact."""
    arrays, args = load(golden, case)
    input = arrays['input'].requires_grad_()
    offset = arrays['offset'].requires_grad_()
    output = deform_roi_pool(input, arrays['rois'], offset, *args)
    output.backward(arrays['grad_output'])
    assert (input.grad - arrays['grad_input']).abs().max() <= 1e-4
    if case == 4:
        assert (offset.grad - arrays['grad_offset']).abs().max() <= 1e-4


@pytest.mark.parametrize('ratio', [0, 1, 3])
@pytest.mark.parametrize('with_offset', [True, False])
def test_definition(ratio, with_offset):
    """Equal to the definition, wherever RoIs are."""
    input = torch.randn(3, 2, 11, 14)
    rois = random_rois(14, 3, width=28, height=22)
    offset = torch.randn(14, 2, 3, 4) if with_offset else None
    args = ((3, 4), 0.5, ratio, 0.2)
    output = deform_roi_pool(input, rois, offset, *args)
    expected = reference(input, rois, offset, *args)
    assert output.dtype == torch.float32
    torch.testing.assert_close(
        output.double(), expected, rtol=0, atol=2e-5)
    # The test reaches both sides of the map's border.
    assert (expected[0] == 0).all() or with_offset
    assert expected.abs().max() > 0.1


def test_one_cell_map():
    """A map of a single cell is that cell up to one cell outside."""
    input = torch.full((1, 1, 1, 1), 3.0)
    rois = torch.tensor([[0, 0., 0., 1., 1.], [0, 1.6, 0., 2.6, 1.]])
    output = deform_roi_pool(input, rois, None, 1, sampling_ratio=1)
    assert output.flatten().tolist() == [3.0, 0.0]


@pytest.mark.parametrize('ratio, expected', [(0, 0.0), (2, 1.0)])
def test_inside_out_roi(ratio, expected):
    """Without a fixed ratio such RoIs have no samples."""
    input = torch.ones(1, 1, 8, 8)
    rois = torch.tensor([[0, 6., 6., 2., 2.]])
    output = deform_roi_pool(input, rois, None, 2, sampling_ratio=ratio)
    assert (output == expected).all()


@pytest.mark.parametrize('ratio', [0, 2])
def test_gradcheck(ratio):
    """Derivatives are exact on interior RoIs."""
    input = torch.randn(2, 2, 9, 10, dtype=torch.float64)
    rois = torch.tensor([[0, 2.2, 1.9, 7.3, 6.4], [1, 3.1, 2.4, 6.6, 7.2]],
                        dtype=torch.float64)
    offset = torch.randn(2, 2, 2, 3, dtype=torch.float64) * 0.5
    assert torch.autograd.gradcheck(
        lambda i, o: deform_roi_pool(i, rois, o, (2, 3), 1.0, ratio, 0.1),
        (input.requires_grad_(), offset.requires_grad_()))


def test_gradcheck_at_borders():
    """Also where samples are clamped, unlike mmcv's."""
    input = torch.randn(1, 2, 6, 7, dtype=torch.float64)
    rois = torch.tensor([[0, -1.3, -1.8, 4.1, 3.7], [0, 3.4, 2.6, 8.2, 7.9],
                         [0, -9.1, -8.3, -4.2, -3.6]],
                        dtype=torch.float64)
    offset = torch.randn(3, 2, 2, 2, dtype=torch.float64) * 0.5
    assert torch.autograd.gradcheck(
        lambda i, o: deform_roi_pool(i, rois, o, 2, 1.0, 3, 0.1),
        (input.requires_grad_(), offset.requires_grad_()))


@pytest.mark.parametrize('ratio', [0, 2])
def test_no_rois(ratio):
    """No RoIs are no features, and no gradient."""
    input = torch.randn(2, 3, 8, 8, requires_grad=True)
    offset = torch.zeros(0, 2, 4, 4, requires_grad=True)
    output = deform_roi_pool(
        input, torch.zeros(0, 5), offset, 4, sampling_ratio=ratio)
    assert output.shape == (0, 3, 4, 4)
    output.sum().backward()
    assert (input.grad == 0).all()
    assert offset.grad.shape == offset.shape


def test_rois_get_no_gradient():
    """Boxes are places to look at, not something to train through."""
    rois = torch.tensor([[0, 1., 1., 5., 5.]], requires_grad=True)
    output = deform_roi_pool(torch.randn(1, 1, 8, 8), rois, None, 2)
    assert not output.requires_grad


def test_memory_layout():
    """Any strides are taken, channels-last memory is given."""
    input = torch.randn(2, 4, 9, 9)
    rois = random_rois(6, 2, 9, 9)
    expected = deform_roi_pool(input, rois, None, 3)
    strided = input.to(memory_format=torch.channels_last)
    torch.testing.assert_close(
        deform_roi_pool(strided, rois, None, 3), expected)
    assert expected.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize('dtype, atol', [(torch.float16, 2e-3),
                                         (torch.bfloat16, 2e-2)])
def test_low_precision(dtype, atol):
    """Low precision rounds features only, never coordinates."""
    input = torch.randn(1, 4, 25, 25)
    rois = torch.tensor([[0, 101.3, 87.7, 171.1, 203.9]])
    expected = deform_roi_pool(input, rois, None, 4, 25 / 255)
    output = deform_roi_pool(input.to(dtype), rois, None, 4, 25 / 255)
    assert output.dtype == dtype
    torch.testing.assert_close(output.float(), expected, rtol=0, atol=atol)


def test_nan_offset_shows():
    """A diverged network is not hidden, and does not crash the sampling."""
    offset = torch.zeros(1, 2, 2, 2)
    offset[0, 0, 1, 1] = float('nan')
    output = deform_roi_pool(
        torch.ones(1, 1, 8, 8), torch.tensor([[0, 1., 1., 5., 5.]]), offset,
        2)
    assert output.isnan().flatten().tolist() == [False] * 3 + [True]


@pytest.mark.parametrize('ratio', [0, 2])
@pytest.mark.parametrize('value', [float('nan'), float('inf')])
def test_nan_roi_shows(ratio, value):
    """Nor are boxes that are not numbers; others are not touched."""
    rois = torch.tensor([[0, 1., 1., 5., 5.], [0, value, 1., value, 5.]])
    output = deform_roi_pool(
        torch.ones(1, 1, 8, 8), rois, None, 2, sampling_ratio=ratio)
    assert (output[0] == 1).all()
    assert output[1].isnan().all()


def test_onnx_form(monkeypatch):
    """What is exported to ONNX computes the same."""
    input = torch.randn(2, 4, 9, 9)
    rois = random_rois(6, 2, 9, 9)
    offset = torch.randn(6, 2, 3, 3)
    expected = deform_roi_pool(input, rois, offset, 3)
    monkeypatch.setattr(torch.onnx, 'is_in_onnx_export', lambda: True)
    monkeypatch.setattr(torch.nn.functional, 'embedding_bag', None)
    torch.testing.assert_close(
        deform_roi_pool(input, rois, offset, 3), expected)


@pytest.mark.parametrize('changed, message', [
    (dict(input=torch.zeros(3, 8, 8)), r'\(N, C, H, W\).*\(3, 8, 8\)'),
    (dict(input=torch.zeros(1, 3, 8, 8, dtype=torch.uint8)), 'uint8'),
    (dict(rois=torch.zeros(2, 4)), r'\(R, 5\).*\(2, 4\)'),
    (dict(rois=torch.zeros(5)), r'\(R, 5\).*\(5,\)'),
    (dict(rois=torch.tensor([[1, 0., 0., 4., 4.]] * 2)), r'indices \[1\.0\]'),
    (dict(rois=torch.tensor([[-1, 0., 0., 4., 4.]] * 2)), r'\[-1\.0\]'),
    (dict(offset=torch.zeros(1, 2, 4, 4)), r'\(2, 2, 4, 4\).*\(1, 2, 4, 4\)'),
    (dict(offset=torch.zeros(2, 32)), r'\(2, 2, 4, 4\).*\(2, 32\)'),
    (dict(output_size=0), 'output_size.* 0'),
    (dict(output_size=(4, -1)), r'output_size.*\(4, -1\)'),
    (dict(output_size=(4, 4, 4)), 'output_size'),
    (dict(output_size=4.0), 'output_size'),
    (dict(sampling_ratio=-1), 'sampling_ratio.*-1'),
])
def test_bad_input(changed, message):
    """Wrong arguments are named."""
    args = dict(
        input=torch.zeros(1, 3, 8, 8),
        rois=torch.zeros(2, 5),
        offset=torch.zeros(2, 2, 4, 4),
        output_size=4)
    args.update(changed)
    with pytest.raises(ValueError, match=message):
        deform_roi_pool(**args)


def test_mmcv_op_gets_what_it_can_take(monkeypatch):
    """mmcv's kernel sees plain single precision tensors."""
    calls = []

    def op(*args):
        calls.append(args)
        return args[0].new_ones(2, 4, 3, 3)

    monkeypatch.setattr(mmcv_ops, 'usable', lambda tensor: True)
    monkeypatch.setattr('mmcv.ops.deform_roi_pool', op)
    input = torch.randn(1, 4, 8, 8).half().to(
        memory_format=torch.channels_last)
    rois = torch.zeros(5, 2).t()
    offset = torch.zeros(2, 2, 3, 3).half()
    output = deform_roi_pool(input, rois, offset, 3, 0.5, 2, 0.2)
    assert output.dtype == torch.float16 and (output == 1).all()
    (call, ) = calls
    for tensor in call[:3]:
        assert tensor.dtype == torch.float32 and tensor.is_contiguous()
    assert call[3:] == ((3, 3), 0.5, 2, 0.2)
    # No kernel is started for no RoIs.
    assert len(deform_roi_pool(input, rois[:0], None, 3)) == 0
    assert len(calls) == 1


@pytest.mark.skipif(not torch.cuda.is_available(), reason='needs CUDA')
@pytest.mark.parametrize('ratio', [0, 2])
def test_cuda_equals_mmcv(ratio):
    """On a GPU mmcv's op is used, and equals what CPUs compute."""
    if not mmcv_ops.usable(torch.zeros(1, device='cuda')):
        pytest.skip('mmcv was built without CUDA')
    input = torch.randn(2, 4, 25, 25, requires_grad=True)
    rois = random_rois(12, 2, 255, 255)
    offset = torch.randn(12, 2, 4, 4)
    args = ((4, 4), 25 / 255, ratio, 0.1)
    expected = deform_roi_pool(input, rois, offset, *args)
    expected.square().sum().backward()

    on_gpu = input.detach().cuda().requires_grad_()
    output = deform_roi_pool(on_gpu, rois.cuda(), offset.cuda(), *args)
    assert 'DeformRoIPoolFunction' in type(output.grad_fn).__name__
    output.square().sum().backward()
    torch.testing.assert_close(output.cpu(), expected, rtol=0, atol=1e-4)
    torch.testing.assert_close(
        on_gpu.grad.cpu(), input.grad, rtol=0, atol=1e-3)
    direct = mmcv.ops.deform_roi_pool(on_gpu, rois.cuda(), offset.cuda(),
                                      *args)
    torch.testing.assert_close(output, direct, rtol=0, atol=1e-6)
