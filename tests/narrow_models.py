"""Configs' models with an eighth of the channels."""


def narrow(config):
    """The same model with a hundredth of the arithmetic; changed in place.

    Models on MobileNetV2 are left as they are.
    """
    backbone = config.model.backbone
    if backbone.type in ('SiamAttnResNet', 'SOTResNet'):
        # SOTResNet's shortcut convs are what costs most.
        backbone.base_channels = 8
        backbone.stem_channels = 8
        _replace(config.model, {2048: 256, 1024: 128, 512: 64, 256: 32, 64: 8})
        _set(config.model, 'fc_channels', 16)
    _defaults(config)


def _replace(node, numbers, key=None):
    """Divide channel numbers by 8, wherever they stand."""
    items = node.items() if isinstance(node, dict) else enumerate(node)
    for name, value in list(items):
        if isinstance(value, (dict, list)):
            _replace(value, numbers, name)
        elif name == 'out_channels' or key == 'in_channels':
            node[name] = numbers[value]


def _set(node, key, value):
    for name, child in list(node.items()):
        if name == key:
            node[name] = value
        elif isinstance(child, dict):
            _set(child, key, value)


def _defaults(config):
    """Channel numbers that a config leaves at a class's default."""
    heads = config.model.get('refine_head') or config.model.head.get(
        'refine_head') or {}
    for name in ('box_head', 'mask_head'):
        head = heads.get(name)
        if head and config.model.backbone.type != 'SiamMobileNetV2':
            head.in_channels = 32
            head.roi_layer.fc_channels = 16
            head['fc_channels' if name == 'box_head' else
                 'conv_channels'] = 16
    for name in ('box_fusion', 'mask_fusion'):
        fusion = heads.get(name)
        if fusion and config.model.backbone.type != 'SiamMobileNetV2':
            fusion.out_channels = 32
    if config.model.backbone.type != 'SiamMobileNetV2' and heads.get(
            'mask_fusion', {}) and heads.mask_fusion.in_channels:
        # The stem's channels are 64 / 8; stage 1's are those of a neck map.
        heads.mask_fusion.in_channels[0] = 8
