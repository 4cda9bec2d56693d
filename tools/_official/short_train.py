# A few steps of the small model from the shipped weights, on a folder of
# sequences with masks: for tools/check_official_line.sh.
#   --cfg-options train_dataloader.dataset.sources.video.data_root=PATH
_base_ = '../../configs/siamattn/siamattn_mobilenetv2_cpu-10e.py'

weights = ('{{ fileDirname }}/../../siamattn_mm/weights/'
           'siamattn_mobilenetv2.pth')
# Not `load_from`, from which mmengine would resume.
model = dict(
    init_cfg=dict(type='Pretrained', checkpoint=weights),
    backbone=dict(init_cfg=None))

train_dataloader = dict(
    batch_size=2,
    num_workers=1,
    dataset=dict(
        sources=dict(
            # Four steps an epoch.
            video=dict(pairs_per_epoch=8, sequences=None),
            coco=None,
            animals=None,
            fod=None,
            synthetic=None,
            regions=None)))
val_dataloader = None
val_evaluator = None
val_cfg = None

train_cfg = dict(max_epochs=2)
optim_wrapper = dict(optimizer=dict(lr=1e-4))
default_hooks = dict(
    logger=dict(interval=1),
    checkpoint=dict(interval=4, save_best=None),
    train_images=dict(interval=4))
