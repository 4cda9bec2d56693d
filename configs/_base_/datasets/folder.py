# Folders of images with a ground truth file each; see docs/datasets.md.
folder_root = 'data/train_sequences/'
folder_source = dict(
    type='SequenceFolderSource', data_root=folder_root, frame_range=100)
