"""What the metafile names is there."""
import modelindex.load_model_index


def test_paths_of_the_metafile_exist(repository, monkeypatch):
    monkeypatch.chdir(repository)
    index = modelindex.load_model_index.load(
        'configs/siamattn/metafile.yml')
    models = index.models
    assert {model.name for model in models} >= {
        'siamattn_r50_released', 'siamattn_r50_paper', 'siamattn_mobilenetv2'}
    for model in models:
        assert (repository / model.config).is_file()
        if model.weights:
            assert (repository / model.weights).is_file()
    for collection in index.collections:
        assert (repository / collection.readme).is_file()
