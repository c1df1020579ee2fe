# Figures, and pages of the HTML report: tables that sort, interactive figures, methods and versions.
from pathlib import Path

from snakemake import __version__ as SNAKEMAKE_VERSION

from soyfold.evaluation.comparisons import HIGHER_IS_BETTER
from soyfold.evaluation.verdicts import best_names
from soyfold.report.provenance import used_methods
from soyfold.report.pages.templates import template_digest
from soyfold.study.figures import figures_of
from soyfold.study.settings import shipped

for name, figure in figures_of(study, metrics=HIGHER_IS_BETTER).items():

    rule:
        name:
            f"plot_{name}"
        input:
            **figure.files,
        output:
            png=report(
                f"{study.report.figures}/{figure.stem or name}{figure.suffix}.png",
                caption=f"../report/{figure.caption or name}.rst",
                **study.report.place(figure.title, figure.category, figure.part),
            ),
            svg=f"{study.report.figures}/{figure.stem or name}{figure.suffix}.svg",
        log:
            f"{study.logs}/report/plot_{name}{figure.suffix}.log",
        wildcard_constraints:
            **figure.constraints,
        conda:
            "../../envs/evaluation.yaml"
        resources:
            **study.resources(),
        params:
            **figure.params,
            source=study.source(f"plot_{name}"),
            script=f"plot_{name}",
        message:
            f"report: {figure.message}"
        script:
            "../scripts/{params.script}.py"


# What the report opens with.
report: Path(study.report.opening).resolve()


for name, page in study.report.pages.items():

    rule:
        name:
            f"report_{name}"
        input:
            **page.files,
        output:
            page=report(
                f"{study.results}/report/tables/{name}.html",
                caption=f"../report/{name}.rst",
                **study.report.place(page.title, page.category, page.part),
            ),
        log:
            f"{study.logs}/report/report_{name}.log",
        conda:
            "../../envs/evaluation.yaml"
        resources:
            **study.resources(),
        params:
            page=name,
            title=page.title,
            facts=page.facts,
            template=template_digest(),
            source=study.source("report_table"),
        message:
            f"report: page {name}"
        script:
            "../scripts/report_table.py"


rule report_opening:
    input:
        **study.report.pages["scores"].files,
        vega=study.report.vega,
    output:
        text=study.report.opening,
    log:
        f"{study.logs}/report/report_opening.log",
    conda:
        "../../envs/evaluation.yaml"
    resources:
        **study.resources(),
    params:
        traits=list(study.traits),
        scheme=study.scheme,
        title=study.settings["title"],
        place=study.report.place("", "results")["category"],
        template=template_digest(),
        source=study.source("report_opening"),
    message:
        "report: its opening"
    script:
        "../scripts/report_opening.py"


rule bundle_vega:
    output:
        vega=study.report.vega,
    log:
        f"{study.logs}/report/bundle_vega.log",
    conda:
        "../../envs/evaluation.yaml"
    resources:
        **study.resources(),
    params:
        source=study.source("bundle_vega"),
    message:
        "report: bundling what draws interactive figures"
    script:
        "../scripts/bundle_vega.py"


rule report_predictions:
    input:
        predictions=study.fits.files_of("predictions.tsv"),
        intervals=f"{study.results}/evaluation/intervals/{{trait}}.tsv.gz",
        vega=study.report.vega,
    output:
        page=report(
            f"{study.results}/report/interactive/predictions_{{trait}}.html",
            caption="../report/predictions_interactive.rst",
            **study.report.place("{trait}, interactive", "results", "lines"),
        ),
    log:
        f"{study.logs}/report/report_predictions_{{trait}}.log",
    conda:
        "../../envs/evaluation.yaml"
    resources:
        **study.resources(),
    params:
        fits=lambda wildcards: study.fits.of(wildcards.trait),
        unit=lambda wildcards: study.traits[wildcards.trait]["unit"],
        template=template_digest(),
        source=study.source("report_predictions"),
    message:
        "report: {wildcards.trait} line by line"
    script:
        "../scripts/report_predictions.py"


rule report_manhattan:
    input:
        scan=f"{study.interpretation.folder}/gwas/{{trait}}.tsv",
        summary=f"{study.interpretation.folder}/gwas/summaries/{{trait}}.tsv",
        chromosomes=study.settings["chromosomes"],
        vega=study.report.vega,
    output:
        page=report(
            f"{study.results}/report/interactive/manhattan_{{trait}}.html",
            caption="../report/manhattan_interactive.rst",
            **study.report.place("Scan of {trait}, interactive", "interpretation"),
        ),
    log:
        f"{study.logs}/report/report_manhattan_{{trait}}.log",
    conda:
        "../../envs/evaluation.yaml"
    resources:
        **study.resources(2000),
    params:
        template=template_digest(),
        source=study.source("report_manhattan"),
    message:
        "report: association scan of {wildcards.trait}, SNP by SNP"
    script:
        "../scripts/report_manhattan.py"


# Of the lines that `snakemake predict` was asked for. The best models are those of scores that the
# study has by now: as an input they would make each prediction wait for the whole evaluation.
rule report_untested:
    input:
        predictions=f"{study.prediction.folder}/predictions.tsv",
        alignment=f"{study.prediction.folder}/alignment.tsv",
    output:
        page=report(
            f"{study.prediction.folder}/predictions.html",
            caption="../report/untested.rst",
            **study.report.place("Untested lines", "predictions"),
        ),
    log:
        f"{study.logs}/report/report_untested.log",
    conda:
        "../../envs/evaluation.yaml"
    resources:
        **study.resources(),
    params:
        page="untested",
        title="Untested lines",
        facts=lambda wildcards: {
            "best": best_names(study.evaluation.trait_tables, study.models, scheme=study.scheme)
        },
        template=template_digest(),
        source=study.source("report_table"),
    message:
        "report: predictions of untested lines"
    script:
        "../scripts/report_table.py"


rule report_lines:
    input:
        **({"gains": study.selection.gains[0]} if study.selection.gains else {}),
        lines=f"{study.selection.folder}/lines.tsv",
        index=f"{study.selection.folder}/index.tsv",
    output:
        page=report(
            f"{study.selection.folder}/lines.html",
            caption="../report/lines.rst",
            **study.report.place("Lines to advance", "selection"),
        ),
    log:
        f"{study.selection.logs}/report_lines.log",
    conda:
        "../../envs/evaluation.yaml"
    resources:
        **study.resources(),
    params:
        page="lines",
        title="Lines to advance",
        facts={},
        template=template_digest(),
        source=study.source("report_table"),
    message:
        "report: lines to advance"
    script:
        "../scripts/report_table.py"


rule report_crosses:
    input:
        crosses=f"{study.selection.folder}/crosses.tsv",
        vega=study.report.vega,
    output:
        page=report(
            f"{study.selection.folder}/crosses.html",
            caption="../report/crosses.rst",
            **study.report.place("Crosses to make", "selection"),
        ),
    log:
        f"{study.selection.logs}/report_crosses.log",
    conda:
        "../../envs/evaluation.yaml"
    resources:
        **study.resources(),
    params:
        page="crosses",
        title="Crosses to make",
        facts=study.selection.facts,
        template=template_digest(),
        source=study.source("report_table"),
    message:
        "report: crosses to make"
    script:
        "../scripts/report_table.py"


# After all other jobs of the evaluation, whose versions and hours it tells.
rule report_methods:
    input:
        scores=f"{study.results}/evaluation/scores.tsv",
        costs=study.report.costs,
        tables=study.report.page_files,
        citations=shipped("resources/citations.tsv"),
        environments=study.report.environments,
    output:
        page=report(
            f"{study.results}/report/tables/methods.html",
            caption="../report/methods.rst",
            **study.report.place("Methods and versions", "methods"),
        ),
    log:
        f"{study.logs}/report/report_methods.log",
    conda:
        "../../envs/evaluation.yaml"
    resources:
        **study.resources(),
    params:
        study=study.report.facts,
        used=sorted(used_methods(study.settings, **study.report.used)),
        results=lambda wildcards, output: str(Path(output.page).parents[2]),
        snakemake_version=SNAKEMAKE_VERSION,
        conda="conda" in map(str, getattr(workflow.deployment_settings, "deployment_method", ())),
        template=template_digest(),
        source=study.source("report_methods"),
    message:
        "report: methods and versions"
    script:
        "../scripts/report_methods.py"
