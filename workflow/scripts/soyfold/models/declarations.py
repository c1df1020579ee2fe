"""What each model declares of itself, read from its file without running it.

A model is one file of this folder. It opens with `DECLARATION`, a dict of plain values, and has the
code beneath; since the dict is read as text, a study is checked before the first job without torch,
numba or scikit-learn. What models share (the encoder, the samplers) is declared the same way in the
file of the shared code, without a label, and with a meaning that says whom it holds for:

- `label`, `meaning`: the name in tables and figures; one line for the list of models. A file
  without a label is no model.
- `extends`: the file of shared code whose declaration holds for this model too, but for what it
  says itself. Every network has the parameters of `network`; a direct model those of `direct`, or
  of `by_validation` where it chooses.
- `kind`: network (a class `Network`), direct (a function `fit`) or blend.
- `needs`: what a fit cannot do without, of `NEEDS`.
- `kernels`: shared kernels that a direct model reads: their names, in which `{bandwidths}` stands
  for each value of that parameter, or {parameter: {value: names}}; none but the products for [].
- `linear`: the checkpoint holds `effects`, in trait units per copy of ALT, and nothing beside them
  that predicts a line of no known family. `attention`: NAE, AAS and attention.tsv are written.
  `pairs`: a fitted direct model has `pair_weights()`, what it learned of pairs of chromosomes.
  `reliability`: it has `errors(dosage, rows=None)`, how sure its predictions are (of a model that
  takes covariates also `beside=`, those of the lines),
  `without(groups, residuals)`, what it would have told of training lines without their group's,
  and `without_lines()`, the model without what alone tells these.
- `joint`: of a direct model, its `fit` takes values (n, T) with NaN, and `traits=`, their names.
- `unit`: environment, if a line in an environment is what the model predicts: it has a column of
  values for each environment, as traits learnt together have (`training.environment_tasks`); line,
  the default, if it is a line.
- `conditions`: its `fit` takes `conditions=` (environments, q), covariates of these, standardised.
- `covariates`: its `fit` takes `beside=` (n, p), fixed effects beside the mean; other models are
  fitted to values from which they are taken off.
- `binary`: its `fit` takes `binary=True` for values that are classes 0 and 1, or shares between.
- `weights`: its `fit` takes `weights=` (n,), how much each line's value counts, with a mean of 1;
  a network's loss always does, unless this is false. `untold`: the share of the genetic variance
  that the model leaves in its noise, whatever the plots: 0.1, or 1 of models of structure alone.
- `joint`, `gpu`, `seeds_per_job`, `held_out`: as in models.yaml, where an entry may change them; so
  it may the unit of a network. A direct model that declares `gpu` takes `gpu=`, that of its entry.
- `parameters`: by name a JSON schema with `default` and `description`; of an inherited one only
  what differs.
- `citations`: list of `what`, `citation` and, where there is one, `doi`.
"""

import ast
import dataclasses
import functools
from pathlib import Path

from soyfold.common.errors import UserError
from soyfold.common.schema import check, nearest, overlay

FOLDER = Path(__file__).resolve().parent
NEEDS = {
    "validation": "validation lines, to choose by",
    "families": "families (`traits.families`)",
    "cim": "the CIM",
    "groups": "groups of SNPs (a hypothesis of the study)",
}
OWN = ("label", "meaning", "extends")  # what a declaration doesn't hand on
_TEXT, _SWITCH = {"type": "string", "minLength": 1}, {"type": "boolean"}
_NAMES = {"type": "array", "items": _TEXT}
_NUMBER, _COUNT = {"type": "number"}, {"type": "integer", "minimum": 0}


def _closed(properties, **more):
    return {"type": "object", "additionalProperties": False, "properties": properties, **more}


_PARAMETER = _closed(
    {
        **dict.fromkeys(("default", "type", "enum", "items", "not"), True),
        **dict.fromkeys(("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"), _NUMBER),
        **dict.fromkeys(("minItems", "maxItems"), _COUNT),
        "uniqueItems": _SWITCH,
        "description": _TEXT,
    }
)
RULES = _closed(
    {
        **dict.fromkeys(("label", "meaning", "extends"), _TEXT),
        "kind": {"enum": ["network", "direct", "blend"]},
        "needs": {"type": "array", "items": {"enum": list(NEEDS)}, "uniqueItems": True},
        "kernels": {"anyOf": [_NAMES, {"type": "object"}]},
        **dict.fromkeys(
            (
                "linear",
                "attention",
                "pairs",
                "reliability",
                "weights",
                "covariates",
                "conditions",
                "binary",
                "joint",
                "held_out",
            ),
            _SWITCH,
        ),
        "untold": _NUMBER,
        "unit": {"enum": ["line", "environment"]},
        "gpu": _COUNT,
        "seeds_per_job": {"enum": ["one", "all"]},
        "parameters": {"type": "object", "additionalProperties": _PARAMETER},
        "citations": {
            "type": "array",
            "items": _closed(
                {"what": _TEXT, "citation": _TEXT, "doi": _TEXT}, required=["what", "citation"]
            ),
        },
    },
    required=["meaning"],
)


@dataclasses.dataclass(frozen=True)
class Declaration:
    """What a model's file says, with all that it extends beneath it; see the module."""

    module: str
    label: str | None = None
    meaning: str | None = None
    kind: str | None = None
    extends: str | None = None
    needs: list = dataclasses.field(default_factory=list)
    kernels: list | dict | None = None
    linear: bool = False
    attention: bool = False
    pairs: bool = False
    reliability: bool = False
    weights: bool = False
    untold: float = 0.1
    covariates: bool = False
    conditions: bool = False
    binary: bool = False
    joint: bool = False
    unit: str = "line"
    held_out: bool = True
    gpu: int = 0
    seeds_per_job: str = "one"
    lineage: tuple = ()  # files beneath this one
    parameters: dict = dataclasses.field(default_factory=dict)
    citations: list = dataclasses.field(default_factory=list)

    @property
    def defaults(self):
        """Every parameter with its default."""
        return {name: rule["default"] for name, rule in self.parameters.items()}

    @property
    def schema(self):
        """JSON schema of a mapping of parameters."""
        return _closed(self.parameters)

    @property
    def cim(self):
        """The CIM that a fit takes: real or none. Attention is held against it by AAS."""
        return "real" if self.attention or "cim" in self.needs else "none"


def modules():
    """Names of the files that declare something, models and what they share, sorted."""
    texts = {path.stem: path.read_text(encoding="utf-8") for path in sorted(FOLDER.glob("*.py"))}
    return [name for name, text in texts.items() if "\nDECLARATION = {" in text]


def models():
    """Names of the files that are a model's, sorted."""
    return [name for name in modules() if "label" in own_declaration(name)]


@functools.cache
def own_declaration(module):
    """`DECLARATION` of a file by itself, checked."""
    path = FOLDER / f"{module}.py"
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "DECLARATION":
            try:
                value = dict(ast.literal_eval(node.value))
            except (TypeError, ValueError):
                raise UserError(
                    "a DECLARATION that is no dict of plain values",
                    file=path,
                    at=f"line {node.lineno}",
                    mend="write the values out: it is read without running the file",
                ) from None
            return check(value, RULES, file=path, at="DECLARATION")
    raise UserError(
        "no DECLARATION", file=path, allowed="that of a model, such as gblup.py has", mend="add it"
    )


def _lineage(module):
    """Declarations from a model's own to that of what all of its kind share, by file."""
    found = {}
    while module:
        if not (FOLDER / f"{module}.py").is_file():
            raise UserError(
                f"extends: {module}",
                file=FOLDER / f"{next(reversed(found))}.py",
                at="DECLARATION",
                allowed=", ".join(modules()),
                mend=nearest(module, modules()),
            )
        if module in found:
            raise UserError(
                f"a circle: {' -> '.join([*found, module])}",
                file=FOLDER / f"{module}.py",
                at="DECLARATION key extends",
                mend="let one of them stand alone",
            )
        found[module] = own_declaration(module)
        module = found[module].get("extends")
    kind = next((part["kind"] for part in found.values() if "kind" in part), None)
    base = {"network": "network", "direct": "direct"}.get(kind)
    if base == "direct" and any("validation" in part.get("needs", []) for part in found.values()):
        base = "by_validation"
    return found | ({base: own_declaration(base)} if base else {})


def declaration(module, *, file=None, at=None):
    """Read what a file of this folder declares.

    Parameters
    ----------
    module : str
        File name without its end: gblup, csafm; encoder and others of shared code too. A module's
        own `__name__` will do.
    file, at : str, keyword only
        Where the module is named as a model's, for the message.

    Returns
    -------
    Declaration

    Raises
    ------
    UserError
        For a module that isn't there or declares nothing, a declaration that isn't literal, has an
        unknown key or lacks one.
    """
    module = module.rpartition(".")[2]
    found = _declaration(module) if (FOLDER / f"{module}.py").is_file() else None
    if found is None or (at and found.label is None):
        raise UserError(
            f"module {module!r}" + (", which is no model" if found else ""),
            file=file,
            at=at,
            allowed=f"{', '.join(models())}, or a file of your own in {FOLDER}",
            mend=nearest(module, models()),
        )
    return found


@functools.cache
def _declaration(module):
    found, whole = _lineage(module), {}
    for part in reversed(found.values()):
        more = {key: [*whole.get(key, []), *part.get(key, [])] for key in ("needs", "citations")}
        inherited = {key: value for key, value in whole.items() if key not in OWN}
        whole = overlay(inherited, part) | more
    if "label" in whole:
        _refuse_gaps(whole, FOLDER / f"{module}.py")
    return Declaration(module, **whole, lineage=tuple(found)[1:])


def _refuse_gaps(whole, path):
    """Refuse a model, or a parameter of it, that lacks what every one has."""
    checked = {"": (whole, ("kind",))}
    for name, rule in whole.get("parameters", {}).items():
        checked[f" key parameters.{name}"] = (rule, ("default", "description"))
    for at, (rule, keys) in checked.items():
        if absent := [key for key in keys if key not in rule]:
            raise UserError(f"no {absent[0]}", file=path, at=f"DECLARATION{at}", mend="add it")
