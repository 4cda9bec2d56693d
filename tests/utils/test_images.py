"""Writing pictures under any name."""
import os
import sys

import cv2
import numpy as np
import pytest

from siamattn_mm.utils.images import write_image

IMAGE = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)


@pytest.mark.parametrize('name', [b'a.png', b'\xff\xe4.png', b'\xfc/a.png'])
@pytest.mark.skipif(sys.platform != 'linux', reason='names are UTF-8 there')
def test_names_of_any_bytes(tmp_path, name):
    path = os.fsdecode(os.path.join(os.fsencode(str(tmp_path)), name))
    write_image(path, IMAGE)
    assert os.listdir(os.path.dirname(path)) == [os.path.basename(path)]
    data = np.fromfile(path, np.uint8)
    assert np.array_equal(cv2.imdecode(data, cv2.IMREAD_COLOR), IMAGE)


def test_what_cannot_be_written(tmp_path):
    (tmp_path / 'a.png').mkdir()
    with pytest.raises(OSError):
        write_image(str(tmp_path / 'a.png'), IMAGE)
    assert os.listdir(str(tmp_path)) == ['a.png']
