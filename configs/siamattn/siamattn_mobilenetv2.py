_base_ = [
    '../_base_/models/siamattn_mobilenetv2.py',
    '../_base_/datasets/sot_folder.py', '../_base_/default_runtime.py'
]

# What `init_tracker` loads where no checkpoint is named.
package_weights = 'siamattn_mobilenetv2.pth'
