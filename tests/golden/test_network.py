"""Every stage of the released network against the reference's numbers."""
import numpy as np
import pytest
import torch

TOLERANCE = 1e-3


@pytest.fixture(scope='module', params=['pair0', 'pair1'])
def case(request, golden, released_tracker):
    stored = np.load(golden / 'official_network.npz')
    stored = {
        key[len(request.param) + 1:]: stored[key]
        for key in stored.files if key.startswith(request.param)
    }
    model = released_tracker.model
    template, search = (torch.from_numpy(stored[key]).permute(
        2, 0, 1)[None].float() for key in ('template', 'search'))
    with torch.no_grad():
        outs = model(dict(template=template, search=search), mode='tensor')
        stem, layer1 = model.forward_search(search)[0]
        rois = torch.from_numpy(stored['rois'])
        found = dict(
            stem_x=stem[:, ::16, ::4, ::4],
            layer1_x=layer1[:, ::32, ::2, ::2],
            cls=outs['cls_score'],
            loc=outs['bbox_pred'],
            fused_box=outs['fused_box'][:, ::16],
            fused_mask=outs['fused_mask'][:, ::32, ::2, ::2],
            bbox_pred=model.refine_head.predict_delta(outs['fused_box'], rois),
            mask_pred=model.refine_head.predict_mask(outs['fused_mask'], rois))
        for level in range(3):
            for name, step in (('neck_z', 16), ('neck_x', 32), ('dsa_z', 16),
                               ('dsa_x', 32)):
                found[f'{name}{level}'] = outs[name][level][:, ::step]
    return stored, found


def test_every_stored_stage_is_close(case):
    stored, found = case
    assert set(stored) - {'template', 'search', 'rois'} == set(found)
    worst = {}
    for name, value in found.items():
        expected = stored[name]
        assert value.shape == expected.shape, name
        limit = TOLERANCE * max(1., float(expected.std()))
        worst[name] = float(np.abs(value.numpy() - expected).max()) / limit
    print({name: f'{share:.3f}' for name, share in worst.items()})
    assert max(worst.values()) <= 1, worst
