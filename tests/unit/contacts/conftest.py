"""What tests of Hi-C files share: a library loaded and checked, or refused."""

import pytest
from hic_files import PAIRS, load_checked, refuse


@pytest.fixture
def load(tmp_path):
    return lambda row, **options: load_checked(row, tmp_path, PAIRS, **options)


@pytest.fixture
def refused(tmp_path):
    return lambda row, *said: refuse(row, tmp_path, *said)
