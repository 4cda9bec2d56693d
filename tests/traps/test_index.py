"""Where each trap of mmtrack's training has its tests."""
import pytest

# The trap, and the tests that show it: with mmtrack's piece, and with ours.
TRAPS = {
    '1 the backbone is never unfrozen': (
        'engine/hooks/test_backbone_freeze_hook.py',
        'test_mmtracks_hook_never_trains_the_backbone',
        'test_frozen_then_trained'),
    '2 init_weights resets zero convs': (
        'models/sot/test_siamattn.py',
        'test_mmtracks_init_weights_undoes_mmcvs_zero_offsets',
        'test_our_offsets_stay_zero_inside_mmtracks_siamrpn'),
    '2b the model\'s init_cfg is ignored': (
        'traps/test_model_traps.py', 'test_init_cfg_of_the_model'),
    '3 deterministic=True': (
        'traps/test_model_traps.py', 'test_no_deterministic_algorithms',
        'test_why_not'),
    '5 no masks': (
        'traps/test_data_traps.py', 'test_masks_are_read',
        'test_mask_pixels_stay_on_their_image_pixels'),
    '6 frame_range is in the pipeline': (
        'traps/test_data_traps.py', 'test_frame_range_of_a_data_set',
        'test_mmtracks_data_sets_have_no_frame_range'),
    '6b the index is ignored': (
        'traps/test_data_traps.py', 'test_the_place_decides_the_pair'),
    '7 crops are truncated': (
        'traps/test_model_traps.py', 'test_crops_move_with_the_image'),
    '7b frames and crops become float': (
        'traps/test_data_traps.py', 'test_a_batch_is_bytes',
        'test_test_frames_stay_bytes'),
    '8 memory grows with the data': (
        'traps/test_data_traps.py', 'test_no_object_for_each_annotation'),
    'anchors have other heights': (
        'models/task_modules/test_anchor_generator.py',
        'test_mmtracks_own_are_others', 'test_sizes'),
    'negatives come from the first rows': (
        'traps/test_model_traps.py', 'test_negatives_come_from_all_rows'),
}


@pytest.mark.parametrize('trap', TRAPS)
def test_there_is_such_a_test(repository, trap):
    path, *names = TRAPS[trap]
    text = (repository / 'tests' / path).read_text()
    for name in names:
        assert f'\ndef {name}(' in text, (path, name)
