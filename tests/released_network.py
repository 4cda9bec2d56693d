"""The released R50 network with weights by rule, and its golden numbers."""
import importlib.util
import json
import warnings

import numpy as np
import torch

from siamattn_mm.apis import init_tracker
from siamattn_mm.utils.convert import convert

CONFIG = 'configs/siamattn/siamattn_r50_released.py'


def official_state_dict(golden, seed=0):
    """Weights by rule, under the released checkpoint's names."""
    spec = importlib.util.spec_from_file_location('weights',
                                                  golden / 'weights.py')
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    shapes = json.loads((golden / 'official_state_dict.json').read_text())
    return {
        name: torch.from_numpy(np.asarray(value))
        for name, value in module.make_weights(shapes, seed).items()
    }


def write_checkpoint(official, config, path):
    """A checkpoint file of the released config with these weights."""
    with warnings.catch_warnings():
        warnings.filterwarnings('ignore', 'init_tracker was called without')
        blank = init_tracker(str(config), device='cpu')
    converted = convert(official, 'siamattn', blank.model.state_dict())
    assert not converted.untouched
    torch.save(dict(state_dict=converted.state_dict), path)


def stored_stages(golden, pair):
    """Inputs and outputs of the reference."""
    every = np.load(golden / 'official_network.npz')
    return {
        key[len(pair) + 1:]: every[key]
        for key in every.files if key.startswith(pair)
    }


def run_stages(model, stored):
    """The same outputs by a model, on its device."""
    device = next(model.parameters()).device
    template, search = (torch.from_numpy(stored[key]).permute(
        2, 0, 1)[None].float().to(device) for key in ('template', 'search'))
    with torch.no_grad():
        outs = model(dict(template=template, search=search), mode='tensor')
        stem, layer1 = model.forward_search(search)[0]
        rois = torch.from_numpy(stored['rois']).to(device)
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
    return {name: value.cpu() for name, value in found.items()}


def errors_of(found, stored, tolerance):
    """The worst error of each stage, as a share of what is tolerated."""
    assert set(stored) - {'template', 'search', 'rois'} == set(found)
    worst = {}
    for name, value in found.items():
        expected = stored[name]
        assert value.shape == expected.shape, name
        limit = tolerance * max(1., float(expected.std()))
        worst[name] = float(
            np.abs(value.float().numpy() - expected).max()) / limit
    print({name: f'{share:.3f}' for name, share in worst.items()})
    return worst
