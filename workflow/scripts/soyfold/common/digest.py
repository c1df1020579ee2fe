"""Which source decides a result: a digest of a script and every soyfold module it reaches.

Snakemake reruns a job when a param changes, but it doesn't see an edit in an imported module, and
it takes a script's new modification time (a fresh checkout) for a new content. Rules therefore
carry this digest as a param: what decides is content, and comments or docstrings decide nothing.
"""

import ast
import functools
import hashlib
from pathlib import Path

SCRIPTS = Path(__file__).resolve().parents[2]


def _file_of(module):
    base = SCRIPTS / Path(*module.split("."))
    for candidate in (base.with_suffix(".py"), base / "__init__.py"):
        if candidate.is_file():
            return candidate
    return None


def _without_docstrings(tree):
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if (
            isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
            and body
            and isinstance(body[0], ast.Expr)
            and isinstance(body[0].value, ast.Constant)
            and isinstance(body[0].value.value, str)
        ):
            node.body = body[1:]
    return tree


@functools.cache
def _parse(path):
    """Digest of one file's code, and the files of soyfold that it imports."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    modules = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            modules.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            modules.add(node.module)
            modules.update(f"{node.module}.{alias.name}" for alias in node.names)
    files = {_file_of(name) for name in modules if name.split(".")[0] == "soyfold"} - {None}
    code = hashlib.sha256(ast.dump(_without_docstrings(tree)).encode()).hexdigest()
    return code, frozenset(files)


def source_digest(*names):
    """Digest over scripts or modules and all of soyfold's modules that they import, in depth.

    Parameters
    ----------
    *names : str
        Scripts by stem (`filter_genotypes`) or modules by dotted name (`soyfold.models.csafm`).

    Returns
    -------
    str
        12 hexadecimal digits; unchanged by comments, docstrings and layout.
    """
    waiting = []
    for name in names:
        path = _file_of(name)
        if path is None:
            raise FileNotFoundError(f"no script or module {name} under {SCRIPTS}")
        waiting.append(path)
    codes = {}
    while waiting:
        path = waiting.pop()
        if path not in codes:
            codes[path], files = _parse(path)
            waiting.extend(files)
    parts = sorted(f"{path.relative_to(SCRIPTS)}:{code}" for path, code in codes.items())
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12]
