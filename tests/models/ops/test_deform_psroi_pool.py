"""The released checkpoints' kernel: golden numbers, definition, gradients."""
import math

import numpy as np
import pytest
import torch

from siamattn_mm.models.ops import deform_psroi_pool

CASES = range(3)


def load(golden, case):
    """One golden case as tensors, and the function's other arguments."""
    with np.load(golden / 'deform_psroi_pool.npz') as stored:
        prefix = f'case{case}_'
        arrays = {
            key[len(prefix):]: torch.from_numpy(stored[key])
            for key in stored.files if key.startswith(prefix)
        }
    bins, scale, samples, std = arrays['params'].tolist()
    return arrays, (int(bins), scale, int(samples), std)


def c_round(value):
    """Round as C does: halves away from zero."""
    return math.copysign(math.floor(abs(value) + 0.5), value)


def bilinear(plane, y, x):
    """One sample, clamped into the map."""
    height, width = plane.shape
    y = min(max(y, 0.0), height - 1.0)
    x = min(max(x, 0.0), width - 1.0)
    top, left = math.floor(y), math.floor(x)
    bottom, right = math.ceil(y), math.ceil(x)
    y, x = y - top, x - left
    return ((1 - y) * ((1 - x) * plane[top, left] + x * plane[top, right]) +
            y * ((1 - x) * plane[bottom, left] + x * plane[bottom, right]))


def reference(input, rois, offset, output_size, scale, samples, std):
    """The kernel's definition, sample by sample, in double precision."""
    input, rois = input.double().numpy(), rois.double().numpy()
    _, channels, height, width = input.shape
    rows, columns = output_size
    output = np.zeros((len(rois), channels, rows, columns))
    for r, (image, *corners) in enumerate(rois):
        x1, y1, x2, y2 = (c_round(corner) for corner in corners)
        x1, y1 = x1 * scale - 0.5, y1 * scale - 0.5
        roi_w = max((x2 + 1) * scale - 0.5 - x1, 0.1)
        roi_h = max((y2 + 1) * scale - 0.5 - y1, 0.1)
        bin_h, bin_w = roi_h / rows, roi_w / columns
        for c in range(channels):
            for p in range(rows):
                for q in range(columns):
                    y, x = y1 + p * bin_h, x1 + q * bin_w
                    if offset is not None:
                        x += std * roi_w * float(offset[r, 0, p, q])
                        y += std * roi_h * float(offset[r, 1, p, q])
                    total, kept = 0.0, 0
                    for i in range(samples):
                        for j in range(samples):
                            sample_y = y + i * (bin_h / samples)
                            sample_x = x + j * (bin_w / samples)
                            if not (-0.5 <= sample_y <= height - 0.5
                                    and -0.5 <= sample_x <= width - 0.5):
                                continue
                            total += bilinear(input[int(image), c], sample_y,
                                              sample_x)
                            kept += 1
                    output[r, c, p, q] = total / kept if kept else 0.0
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
    """Outputs with and without offsets are the reference's."""
    arrays, args = load(golden, case)
    for offset, key in ((arrays['offset'], 'output'),
                        (None, 'output_no_offset')):
        output = deform_psroi_pool(arrays['input'], arrays['rois'], offset,
                                   *args)
        assert (output - arrays[key]).abs().max() <= 1e-4


@pytest.mark.parametrize('samples', [1, 4])
@pytest.mark.parametrize('with_offset', [True, False])
def test_definition(samples, with_offset):
    """Equal to the definition, wherever RoIs are."""
    # In the definition's precision: rounded corners put samples exactly on
    # the limits of the map.
    input = torch.randn(3, 2, 11, 14).double()
    rois = random_rois(14, 3, width=28, height=22)
    offset = torch.randn(14, 2, 3, 5) if with_offset else None
    args = ((3, 5), 0.4637, samples, 0.2)
    output = deform_psroi_pool(input, rois, offset, *args)
    expected = reference(input, rois, offset, *args)
    torch.testing.assert_close(output, expected, rtol=0, atol=1e-9)
    # The test reaches both sides of the map's border.
    assert (expected[0] == 0).all() or with_offset
    assert expected.abs().max() > 0.1


@pytest.mark.parametrize('value, rounded', [(0.5, 1), (1.5, 2), (2.5, 3),
                                            (2.4, 2), (-0.5, -1), (-2.5, -3),
                                            (0.49999997, 0)])
def test_rounds_as_c(value, rounded):
    """Halves go away from zero, not to the even number."""
    input = torch.arange(20.).expand(1, 1, 20, 20)
    offset = torch.zeros(1, 2, 1, 1)
    offset[:, 0] = 5.0  # the RoI is 10 wide, so this moves it by 5
    rois = torch.tensor([[0, value, 0., rounded + 9., 9.]])
    whole = torch.tensor([[0, float(rounded), 0., rounded + 9., 9.]])
    torch.testing.assert_close(
        deform_psroi_pool(input, rois, offset, 1, trans_std=0.1),
        deform_psroi_pool(input, whole, offset, 1, trans_std=0.1))
    other = torch.tensor([[0, rounded - 1., 0., rounded + 9., 9.]])
    assert deform_psroi_pool(input, rois, offset, 1) != deform_psroi_pool(
        input, other, offset, 1)


def test_mean_is_over_kept_samples():
    """Samples outside do not pull the mean towards zero."""
    input = torch.ones(1, 1, 6, 6)
    rois = torch.tensor([[0, -4., -4., 3., 3.], [0, -9., -9., -4., -4.]])
    output = deform_psroi_pool(input, rois, None, 2)
    assert output[0].flatten().tolist() == [0.0, 0.0, 0.0, 1.0]
    assert (output[1] == 0).all()


def test_limits_of_the_map_are_kept():
    """Samples half a cell outside still count, on all four sides."""
    input = torch.ones(1, 1, 4, 4)
    # One sample per bin, at -1.5, -0.5, 0.5 ... 3.5, 4.5 along both axes.
    rois = torch.tensor([[0, -1., -1., 5., 5.]])
    output = deform_psroi_pool(input, rois, None, 7, samples_per_bin=1)
    kept = torch.tensor([0., 1., 1., 1., 1., 1., 0.])
    assert (output[0, 0] == kept[:, None] * kept).all()


def test_smallest_roi():
    """A RoI turned inside out is a tenth of a cell wide."""
    input = torch.arange(8.).expand(1, 1, 8, 8)
    rois = torch.tensor([[0, 5., 5., 2., 2.]])
    output = deform_psroi_pool(input, rois, None, 1, samples_per_bin=2)
    assert output.item() == pytest.approx(4.5 + 0.025)


def test_gradcheck():
    """Derivatives are exact on interior RoIs."""
    input = torch.randn(2, 2, 9, 10, dtype=torch.float64)
    rois = torch.tensor([[0, 3., 4., 13., 14.], [1, 5., 6., 15., 12.]],
                        dtype=torch.float64)
    offset = torch.randn(2, 2, 2, 3, dtype=torch.float64) * 0.5
    assert torch.autograd.gradcheck(
        lambda i, o: deform_psroi_pool(i, rois, o, (2, 3), 0.4637, 4, 0.1),
        (input.requires_grad_(), offset.requires_grad_()))


def test_gradcheck_at_borders():
    """Also where samples are clamped or left out."""
    input = torch.randn(1, 2, 6, 7, dtype=torch.float64)
    rois = torch.tensor([[0, -3., -4., 9., 8.], [0, 7., 5., 18., 17.],
                         [0, -29., -28., -14., -13.]],
                        dtype=torch.float64)
    offset = torch.randn(3, 2, 2, 2, dtype=torch.float64) * 0.5
    assert torch.autograd.gradcheck(
        lambda i, o: deform_psroi_pool(i, rois, o, 2, 0.4637, 4, 0.1),
        (input.requires_grad_(), offset.requires_grad_()))


def test_no_rois():
    """No RoIs are no features, and no gradient."""
    input = torch.randn(2, 3, 8, 8, requires_grad=True)
    offset = torch.zeros(0, 2, 4, 4, requires_grad=True)
    output = deform_psroi_pool(input, torch.zeros(0, 5), offset, 4)
    assert output.shape == (0, 3, 4, 4)
    output.sum().backward()
    assert (input.grad == 0).all()
    assert offset.grad.shape == offset.shape


def test_memory_layout():
    """Any strides are taken, channels-last memory is given."""
    input = torch.randn(2, 4, 9, 9)
    rois = random_rois(6, 2, 9, 9)
    expected = deform_psroi_pool(input, rois, None, 3)
    strided = input.to(memory_format=torch.channels_last)
    torch.testing.assert_close(
        deform_psroi_pool(strided, rois, None, 3), expected)
    assert expected.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize('dtype, atol', [(torch.float16, 2e-3),
                                         (torch.bfloat16, 2e-2)])
def test_low_precision(dtype, atol):
    """Low precision rounds features only, never coordinates."""
    input = torch.randn(1, 4, 25, 25)
    rois = torch.tensor([[0, 101.3, 87.7, 171.1, 203.9]])
    expected = deform_psroi_pool(input, rois, None, 4, 25 / 255)
    output = deform_psroi_pool(input.to(dtype), rois, None, 4, 25 / 255)
    assert output.dtype == dtype
    torch.testing.assert_close(output.float(), expected, rtol=0, atol=atol)


def test_onnx_form(monkeypatch):
    """What is exported to ONNX computes the same."""
    input = torch.randn(2, 4, 9, 9)
    rois = random_rois(6, 2, 9, 9)
    offset = torch.randn(6, 2, 3, 3)
    expected = deform_psroi_pool(input, rois, offset, 3)
    monkeypatch.setattr(torch.onnx, 'is_in_onnx_export', lambda: True)
    monkeypatch.setattr(torch.nn.functional, 'embedding_bag', None)
    torch.testing.assert_close(
        deform_psroi_pool(input, rois, offset, 3), expected)


@pytest.mark.parametrize('changed, message', [
    (dict(input=torch.zeros(3, 8, 8)), r'\(N, C, H, W\).*\(3, 8, 8\)'),
    (dict(rois=torch.zeros(2, 4)), r'\(R, 5\).*\(2, 4\)'),
    (dict(rois=torch.tensor([[1, 0., 0., 4., 4.]] * 2)), r'indices \[1\.0\]'),
    (dict(offset=torch.zeros(2, 2, 4, 5)), r'\(2, 2, 4, 4\).*\(2, 2, 4, 5\)'),
    (dict(output_size=-4), 'output_size.*-4'),
    (dict(samples_per_bin=0), 'samples_per_bin.* 0'),
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
        deform_psroi_pool(**args)


@pytest.mark.skipif(not torch.cuda.is_available(), reason='needs CUDA')
def test_cuda_equals_cpu():
    """The same numbers and gradients on a GPU."""
    input = torch.randn(2, 4, 25, 25, requires_grad=True)
    rois = random_rois(12, 2, 255, 255)
    offset = torch.randn(12, 2, 4, 4, requires_grad=True)
    expected = deform_psroi_pool(input, rois, offset, 4, 25 / 255)
    expected.square().sum().backward()
    input_gpu = input.detach().cuda().requires_grad_()
    offset_gpu = offset.detach().cuda().requires_grad_()
    output = deform_psroi_pool(input_gpu, rois.cuda(), offset_gpu, 4,
                               25 / 255)
    output.square().sum().backward()
    for actual, wanted in ((output, expected), (input_gpu.grad, input.grad),
                           (offset_gpu.grad, offset.grad)):
        torch.testing.assert_close(
            actual.cpu(), wanted, rtol=1e-3, atol=1e-3)
