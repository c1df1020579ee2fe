"""All faults, and docs/faults.md, which `python tests/faults/fault_table.py` writes from them."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = ROOT / "docs" / "faults.md"
HEAD = """# Faults

What soyfold answers to files, settings and results that are not as they should be. An error is
one line (before the first job one for each fault) that names the file and the place, what was
found, what is allowed and how to mend it; the run ends with status 1, nothing half-written is left,
and once the fault is mended the same command goes on. Where a run goes on in spite of a fault, what
is lost is counted in a table. `tests/faults` tries each row; `python tests/faults/fault_table.py`
writes this file from the same rows.

"""


def all_faults():
    """Every row, in the order of the document."""
    import chromosome_faults
    import config_faults
    import contact_faults
    import cooler_faults
    import genotype_faults
    import genotype_format_faults
    import hypothesis_faults
    import phenotype_faults
    import reference_faults
    import result_faults
    import sheet_faults
    import vcf_faults

    modules = (
        genotype_faults, vcf_faults, genotype_format_faults, chromosome_faults, phenotype_faults,
        sheet_faults, contact_faults, cooler_faults, hypothesis_faults, reference_faults,
        config_faults, result_faults,
    )  # fmt: skip
    return [fault for module in modules for fault in module.FAULTS]


def _cell(text):
    return text.replace("|", "\\|").replace("\t", " ").replace("\n", " ")


def _answer(fault):
    words = ", ".join(f"`{_cell(word)}`" for word in fault.said)
    if fault.job:
        place = "before the first job" if fault.job == "config" else f"`{fault.job}`"
        return f"error {place}: {words}"
    return f"goes on; `{fault.table}` says {words}"


def document(faults):
    """Text of docs/faults.md."""
    mended = [fault for fault in faults if fault.mended]
    lines = [
        HEAD,
        f"{len(faults)} faults; {len(mended)} were answered badly before they were tried:",
    ]
    lines += ["a traceback, a late or unhelpful line, or silence.\n"]
    lines += ["| fault | answer | mended: before |", "|---|---|---|"]
    lines += [f"| {_cell(f.name)} | {_answer(f)} | {_cell(f.mended)} |" for f in faults]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.path[:0] = [str(ROOT / "workflow" / "scripts"), str(Path(__file__).parent)]
    DOCUMENT.write_text(document(all_faults()), encoding="utf-8")
