"""digest: what an edit of any kind changes, and what it leaves alone."""

import subprocess
import sys
from pathlib import Path

import pytest

from soyfold.common import digest

ROOT = Path(__file__).resolve().parents[3]
FILES = {
    "run.py": "from soyfold import words\nfrom soyfold.a import go, unused\ngo()\n",
    "soyfold/__init__.py": "",
    "soyfold/a.py": (
        '"""Doc."""\n'
        "from soyfold import b\n"
        "from soyfold.common.errors import UserError\n"
        "FACTOR = 1  # why\n"
        "def go():\n"
        '    """Doc."""\n'
        "    from soyfold.lazy import late\n"
        "    if FACTOR > 5:\n"
        "        raise UserError('much', at=f'{FACTOR} kg')\n"
        "    require(FACTOR == 'x', 'found')\n"
        "    return b.double(FACTOR) + late()\n"
        "def unused():\n"
        "    return 7\n"
        "def nobody():\n"
        "    return 8\n"
    ),
    "soyfold/b.py": (
        "from numpy import add\n"
        "REGISTERED = {}\n"
        "def double(x):\n    return add(x, helper(x))\n"
        "def helper(x):\n    return x\n"
        "def other(x):\n    return x\n"
        "REGISTERED['double'] = double\n"
        "if REGISTERED:\n    print()\n"
    ),
    "soyfold/lazy.py": "def late():\n    return 1\n",
    "soyfold/words.py": "SAID = 'a'\n",
    "soyfold/common/errors.py": "class UserError(Exception):\n    said = 'found'\n",
}


@pytest.fixture
def scripts(tmp_path, monkeypatch):
    """A small tree of sources that the digest works on."""
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.setattr(digest, "SCRIPTS", tmp_path)
    monkeypatch.setattr(digest, "WORDS", {tmp_path / "soyfold/common/errors.py"})
    forget()
    yield tmp_path
    forget()


def forget():
    for cache in (digest._read, digest.file_of, digest._told):
        cache.cache_clear()


def edit(scripts, file, old, new):
    """Whether an edit changes the digest of run.py."""
    before = digest.source_digest("run")
    text = (scripts / file).read_text()
    assert old in text
    (scripts / file).write_text(text.replace(old, new))
    forget()
    return digest.source_digest("run") != before


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("run.py", "go()", "go(), go()"),
        ("soyfold/a.py", "FACTOR = 1", "FACTOR = 2"),
        ("soyfold/a.py", "FACTOR > 5", "FACTOR > 6"),
        ("soyfold/a.py", "FACTOR == 'x'", "FACTOR == 'y'"),
        ("soyfold/a.py", "return 7", "return 9"),  # the script imports it
        ("soyfold/b.py", "add(x,", "add(x * 2,"),
        ("soyfold/b.py", "from numpy import add", "from numpy import subtract as add"),
        ("soyfold/b.py", "def helper(x):\n    return x", "def helper(x):\n    return -x"),
        ("soyfold/b.py", "print()", "print(1)"),  # runs on import
        ("soyfold/lazy.py", "return 1", "return 2"),
        ("soyfold/words.py", "'a'", "'b'"),  # taken as a whole module
    ],
)
def test_code_that_computes_decides(scripts, file, old, new):
    assert edit(scripts, file, old, new)


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("soyfold/a.py", '"""Doc."""', '"""Other."""'),
        ("soyfold/a.py", "# why", "# why not"),
        ("soyfold/a.py", "'much', at=f'{FACTOR} kg'", "'more', at=f'{FACTOR} t', mend='less'"),
        ("soyfold/a.py", "'x', 'found'", "'x', f'found {nobody()}'"),
        ("soyfold/a.py", "return 8", "return 9"),
        ("soyfold/a.py", "def nobody", "def new():\n    return go()\n\n\ndef nobody"),
        ("soyfold/b.py", "def other(x):\n    return x", "def other(x):\n    return -x"),
        ("soyfold/common/errors.py", "'found'", "'seen'"),
    ],
)
def test_words_and_code_out_of_reach_decide_nothing(scripts, file, old, new):
    assert not edit(scripts, file, old, new)


def test_what_is_reached_is_named_by_file_and_definition(scripts):
    names = {path.name: set(found) for path, found in digest.reached("run").items()}
    assert {"double", "helper", "add"} <= names["b.py"]
    assert "other" not in names["b.py"]
    assert "errors.py" not in names


def test_an_unknown_script_is_an_error(scripts):
    with pytest.raises(FileNotFoundError, match="no script or module walk"):
        digest.source_digest("walk")


def test_what_was_told_is_kept_for_one_content_of_the_sources(scripts):
    """As processes one after the other: read again where nothing changed, else told anew."""
    code = (
        f"import sys\nsys.path.insert(0, {str(ROOT / 'workflow/scripts')!r})\n"
        "from pathlib import Path\nfrom soyfold.common import digest\n"
        f"digest.SCRIPTS = Path({str(scripts)!r})\n"
        "if len(sys.argv) > 1: digest.reached = None\n"
        "print(digest.source_digests('run'))\n"
    )

    def told(*more):
        command = [sys.executable, "-c", code, *more]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        return done.stdout if done.returncode == 0 else None

    assert told("no reading") is None
    first = told()
    assert told("no reading") == first == f"{digest.source_digests('run')}\n"
    (scripts / "soyfold/lazy.py").write_text("def late():\n    return 3\n")
    assert told("no reading") is None
    assert told() != first
    file = scripts / "soyfold/common/__pycache__/source_digests.json"
    for damage in ("", "[]", "{"):
        file.write_text(damage)
        assert told("no reading") is None and told() != first
