"""What the networks cost: the paper's Table 3, each network in a process of its own."""

import json
import os
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pandas as pd

from soyfold.common.errors import UserError
from soyfold.common.logs import log
from soyfold.evaluation.printed import PRINTED_AS

REFERENCE = "transformer"  # relative_flops is 1 there, as in the paper
KILLED = 9  # exit status
COLUMNS = [
    "model", "parameters", "parameters_M", "parameters_M_paper", "gflops", "relative_flops",
    "relative_flops_paper", "ms_per_sample", "ms_per_sample_paper", "peak_memory_mb", "device",
    "threads", "n_tokens", "snps", "preset",
]  # fmt: skip


def _measure_each(blocks, **options):
    """Print each network's cost as a line of JSON; each has a fork of this process to itself.

    Forking after the imports spares every network the seconds that torch takes to load. It is
    safe because this process has computed nothing: no thread and no GPU context is open.
    """
    from soyfold.evaluation.network_costs import measure

    for block in blocks:
        with ProcessPoolExecutor(1, mp_context=get_context("fork")) as pool:
            try:
                print(json.dumps(pool.submit(measure, block, **options).result()), flush=True)
            except BrokenProcessPool:
                raise SystemExit(KILLED) from None


def measure_costs(blocks, **options):
    """Costs of several networks, one after the other, each in a process of its own.

    Parameters
    ----------
    blocks : list of dict
        The models' entries of the registry.
    **options
        dosage, variants, cim, threads of `measure`.

    Returns
    -------
    DataFrame
        name, model (label), preset, and what `measure` gives.

    Raises
    ------
    UserError
        If a process is killed, as it is where memory runs out.
    RuntimeError
        If one fails otherwise; its last lines are quoted.
    """
    files = {name: str(options[name]) for name in ("dosage", "variants", "cim")}
    request = {"blocks": blocks, "threads": options["threads"], **files}
    scripts = str(Path(__file__).resolve().parents[2])
    path = os.pathsep.join([scripts, *filter(None, [os.environ.get("PYTHONPATH")])])
    done = subprocess.run(
        [sys.executable, "-m", "soyfold.evaluation.costs"],
        input=json.dumps(request), capture_output=True, text=True, check=False,
        # Asking CUDA itself whether it is there would open a context that no fork survives.
        env={**os.environ, "PYTHONPATH": path, "PYTORCH_NVML_BASED_CUDA_CHECK": "1"},
    )  # fmt: skip
    costs = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    if done.returncode == KILLED or done.returncode < 0:
        raise UserError(
            f"the measurement of {blocks[len(costs)]['label']} killed",
            mend="give rule measure_cost more memory, or set evaluation.paper_tables: false",
        )
    if done.returncode:
        raise RuntimeError(f"{blocks[len(costs)]['label']}: {done.stderr.strip()[-2000:]}")
    rows = []
    for block, cost in zip(blocks, costs, strict=True):
        log.info("%s: %s", block["label"], cost)
        facts = {"name": block["name"], "model": block["label"], "preset": block["preset"]}
        rows.append({**facts, **cost})
    return pd.DataFrame(rows)


def cost_table(costs, paper):
    """The paper's Table 3 with its own values beside ours.

    Parameters
    ----------
    costs : DataFrame
        As `measure_costs` returns it.
    paper : DataFrame
        The printed tables: table, model, metric, value.

    Returns
    -------
    DataFrame
        model, parameters, parameters_M (10^6), gflops (10^9 a sample), relative_flops (to the
        Transformer; NaN without one), ms_per_sample, peak_memory_mb, device, threads, n_tokens,
        snps, preset; `..._paper` is what the paper prints: of CSAFM beside csafm_gau, if both it
        and csafm are measured.
    """
    table = costs.assign(parameters_M=costs.parameters / 1e6, gflops=costs.flops / 1e9)
    reference = costs.loc[costs.name == REFERENCE, "flops"]
    table["relative_flops"] = table.flops / (reference.iloc[0] if len(reference) else np.nan)
    printed = paper[paper.table == 3].set_index(["model", "metric"]).value
    known = PRINTED_AS if set(PRINTED_AS) <= set(table.name) else {}
    rows = [known.get(*pair) for pair in zip(table.name, table.model, strict=True)]
    for metric in ("parameters_M", "relative_flops", "ms_per_sample"):
        table[f"{metric}_paper"] = [printed.get((row, metric), np.nan) for row in rows]
    return table[COLUMNS]


if __name__ == "__main__":
    _measure_each(**json.load(sys.stdin))
