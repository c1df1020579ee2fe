"""explain_reruns: what Snakemake's reasons mean to who asks why a job runs."""

import runpy

import pytest

PARAMS = (
    "Params have changed since last execution: Union of exclusive params before and now across"
    " all output: before: {before} now: {now}"
)


@pytest.fixture(scope="module")
def script(root):
    return runpy.run_path(str(root / "workflow/scripts/explain_reruns.py"))


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        ("Missing output files: a.tsv", ["a.tsv: no such file yet"]),
        (
            "Updated input files: a, b, c, d, e; Input files updated by another job: f",
            ["a, b, c and 2 more: changed since", "f: made anew by another job"],
        ),
        (
            PARAMS.format(
                before="['metrics.py 0f', 'models/gblup.py aa'],{'p': {'x': 1, 'y': 2}}",
                now="['metrics.py 0f', 'models/gblup.py bb'],{'p': {'x': 3, 'y': 2}}",
            ),
            ["code of models/gblup.py", "parameter p.x: 1 -> 3"],
        ),
        (PARAMS.format(before="'old'", now="<nothing exclusive>"),
         ["a parameter: 'old' -> '<nothing exclusive>'"]),
    ],
)  # fmt: skip
def test_a_reason_names_what_changed(script, reason, told):
    found = script["explain_reason"](reason)
    assert [line.replace('"', "") for line in found] == [line.replace("''", "'") for line in told]


def test_jobs_with_one_explanation_stand_together(script):
    output = "\n".join(
        f"[Sun]\nJob {k}: training: gblup, seed{k}\nReason: Missing output files: a" for k in (0, 1)
    )
    assert script["explain"](output) == [
        "training: gblup, seed0 (and 1 more jobs)", "    a: no such file yet",
    ]  # fmt: skip
    assert script["explain"]("Building DAG")[0].startswith("nothing would run")
