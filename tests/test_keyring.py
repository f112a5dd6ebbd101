"""The deployment's secret, where none was given."""

import pytest

from app import config, keyring


def secret_in(folder):
    return keyring.secret_of(config.load({"TASKS_INSTANCE_PATH": str(folder)}))


def test_it_is_made_once_for_its_owner_alone(tmp_path):
    assert secret_in(tmp_path) == secret_in(tmp_path)
    assert (tmp_path / "secret.key").stat().st_mode & 0o777 == 0o600
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("left", ["", "\n", "half of a secret"])
def test_what_is_left_of_a_damaged_one_signs_nothing(tmp_path, left):
    (tmp_path / "secret.key").write_text(left)
    with pytest.raises(config.BadSetting, match="damaged"):
        secret_in(tmp_path)
