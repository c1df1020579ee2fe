"""Which source decides a result: a digest of the definitions that a script reaches.

Snakemake reruns a job when a param changes, but it doesn't see an edit in an imported module, and
it takes a script's new modification time (a fresh checkout) for a new content. Rules therefore
carry this digest as a param: what decides is the code that computes. A function that the script
doesn't reach decides nothing, and neither do words: comments, docstrings, what an error or a log
says. Nor does what a model declares of itself, whose values reach a job as its params.
"""

import ast
import atexit
import contextlib
import functools
import hashlib
import json
import operator
import os
import sys
from pathlib import Path

SCRIPTS = Path(__file__).resolve().parents[2]
# How errors and logs are worded changes no result.
WORDS = {SCRIPTS / "soyfold/common/errors.py", SCRIPTS / "soyfold/common/logs.py"}
# Calls that end in an error or a line of a log: what they say is left out, that they do is not.
TELLING = {"UserError", "debug", "info", "warning", "error", "exception", "warn"}
# The same where the first argument decides (`parameters.require`).
DECIDING = {"require"}
# What a model declares of itself.
DECLARED = {"DECLARATION"}
# Statements of a module that define no name.
RUN = "<run>"


@functools.cache
def file_of(module):
    """The file of a script (`fit_direct`) or module (`soyfold.metrics`); None if there is none."""
    base = SCRIPTS / Path(*module.split("."))
    for candidate in (base.with_suffix(".py"), base / "__init__.py"):
        if candidate.is_file():
            return candidate
    return None


class _Wordless(ast.NodeTransformer):
    """Takes docstrings and what is only said out of a tree."""

    def visit(self, node):
        """Drop a docstring, then look at what is inside."""
        body = getattr(node, "body", None)
        if isinstance(body, list) and body and isinstance(node, _WITH_DOCSTRINGS):
            first = body[0]
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
                node.body = body[1:]
        return super().visit(node)

    def visit_Call(self, node):
        """Drop the arguments of a call that tells."""
        name = getattr(node.func, "attr", getattr(node.func, "id", None))
        if name in TELLING or name in DECIDING:
            node.args = node.args[:1] if name in DECIDING else []
            node.keywords = []
        return self.generic_visit(node)


_IMPORTS = (ast.Import, ast.ImportFrom)
_WITH_DOCSTRINGS = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


class _Source:
    """A file: the statements that define each name, those that run on import, and what is imported.

    Attributes
    ----------
    statements : dict of str to list of ast.stmt
        By the name defined; under `RUN` those that define none.
    imported : dict of str to tuple
        Local name -> dotted module of soyfold, and the name in it (None for the module itself).
    """

    def __init__(self, path):
        self.statements, self.imported, self._reached = {RUN: []}, {}, {}
        tree = _Wordless().visit(ast.parse(path.read_text(encoding="utf-8")))
        for statement in tree.body:
            if isinstance(statement, _IMPORTS):
                self.imported |= _imports(statement)
            for name in set(_defined(statement)) - DECLARED:
                self.statements.setdefault(name, []).append(statement)

    def reached_from(self, name):
        """Code of the statements of a name, and (module, name) of all that they name."""
        if name not in self._reached:
            found = self.statements.get(name, [])
            self._reached[name] = [ast.dump(s) for s in found], self._targets(name, found)
        return self._reached[name]

    def _targets(self, name, found):
        inner = [node for s in found for node in ast.walk(s)]
        imports = [_imports(node) for node in inner if isinstance(node, _IMPORTS)]
        imported = functools.reduce(operator.or_, imports, self.imported)
        targets = {imported[name]} if name in imported else set()
        for base, attribute in _names(inner):
            if base in imported:
                module, taken = imported[base]
                targets.add((module, taken or attribute))
            elif base in self.statements:
                targets.add((None, base))
        return targets


def _imports(node):
    """Local name -> (module, name) of what an import takes from soyfold."""
    if isinstance(node, ast.Import):
        pairs = [(alias.asname or alias.name, (alias.name, None)) for alias in node.names]
    else:
        pairs = []
        for alias in node.names:
            whole = f"{node.module}.{alias.name}"
            target = (whole, None) if file_of(whole) else (node.module, alias.name)
            pairs.append((alias.asname or alias.name, target))
    return {name: target for name, target in pairs if target[0].split(".")[0] == "soyfold"}


def _defined(statement):
    """The names that a statement at a module's top defines; `RUN` for one that defines none."""
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return [statement.name]
    if isinstance(statement, _IMPORTS):
        return [alias.asname or alias.name.split(".")[0] for alias in statement.names]
    if isinstance(statement, ast.Assign | ast.AnnAssign | ast.AugAssign):
        targets = getattr(statement, "targets", None) or [statement.target]
        names = [node.id for t in targets for node in ast.walk(t) if isinstance(node, ast.Name)]
        return names or [RUN]
    return [RUN]


def _names(nodes):
    """(name, attribute) of all that is named; attribute None where the name stands alone."""
    chains = [n for n in nodes if isinstance(n, ast.Attribute) and isinstance(n.value, ast.Name)]
    based = {chain.value for chain in chains}
    alone = {node.id for node in nodes if isinstance(node, ast.Name) and node not in based}
    return {(chain.value.id, chain.attr) for chain in chains} | {(name, None) for name in alone}


_read = functools.cache(_Source)


def _expand(path, module, name):
    """(file, name) of each statement that a target means: a module stands for all that is in it."""
    if module is not None:
        submodule = name and file_of(f"{module}.{name}")
        path, name = (submodule, None) if submodule else (file_of(module), name)
    if path is None or path in WORDS:
        return []
    # What a module does on import is done whatever is taken from it.
    names = _read(path).statements if name is None else (name, RUN)
    return [(path, name) for name in names]


def reached(*names):
    """The definitions that scripts or modules reach, in depth.

    Parameters
    ----------
    *names : str
        Scripts by stem (`filter_genotypes`) or modules by dotted name (`soyfold.models.csafm`).

    Returns
    -------
    dict of Path to dict of str to list of str
        By file and name, the code of the statements that define it.

    Raises
    ------
    FileNotFoundError
        For a name that is neither.
    """
    waiting, found = [], {}
    for name in names:
        if file_of(name) is None:
            raise FileNotFoundError(f"no script or module {name} under {SCRIPTS}")
        waiting += _expand(None, name, None)
    while waiting:
        path, name = waiting.pop()
        if name not in found.setdefault(path, {}):
            found[path][name], targets = _read(path).reached_from(name)
            for target in targets:
                waiting += _expand(path, *target)
    return found


@functools.cache
def _told():
    """Digests by names, as far as a process before this one told them of the very same sources.

    To read all files as syntax takes half of snakemake's start. What was told lies with the
    compiled modules, and counts for one content of the sources alone.
    """
    content = hashlib.sha256(repr(sys.version_info[:3]).encode())
    for path in sorted(SCRIPTS.rglob("*.py")):
        content.update(f"{path.relative_to(SCRIPTS)} {path.stat().st_size} ".encode())
        content.update(path.read_bytes())
    file = SCRIPTS / "soyfold/common/__pycache__/source_digests.json"
    told, sources = {}, content.hexdigest()
    with contextlib.suppress(OSError, ValueError, AttributeError):
        told = json.loads(file.read_text(encoding="utf-8")).get(sources, {})
    atexit.register(_keep, file, sources, told, len(told))
    return told


def _keep(file, sources, told, before):
    """Write what was told, if there is more of it."""
    if len(told) == before:
        return
    with contextlib.suppress(OSError):
        file.parent.mkdir(exist_ok=True)
        temporary = file.with_suffix(f".{os.getpid()}")
        temporary.write_text(json.dumps({sources: told}), encoding="utf-8")
        temporary.replace(file)


def source_digests(*names):
    """Digests of all that scripts or modules reach (`reached`), file by file.

    Returns
    -------
    list of str
        `models/gblup.py 1f0c2ab9`: the file under soyfold, and 8 hexadecimal digits, unchanged by
        words, by layout, and by code that isn't reached. As a param it tells which file changed.
    """
    known, key = _told(), " ".join(names)
    if key not in known:
        found = sorted(reached(*names).items())
        known[key] = [_digest_file(path, definitions) for path, definitions in found]
    return list(known[key])


def _digest_file(path, definitions):
    code = "\n".join(f"{name}:{definitions[name]}" for name in sorted(definitions))
    place = path.relative_to(SCRIPTS).as_posix().removeprefix("soyfold/")
    return f"{place} {hashlib.sha256(code.encode()).hexdigest()[:8]}"


def source_digest(*names):
    """One digest over `source_digests`: 12 hexadecimal digits."""
    return hashlib.sha256("\n".join(source_digests(*names)).encode()).hexdigest()[:12]
