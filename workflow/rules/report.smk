# Figures, and pages of the HTML report: tables that sort, interactive figures, methods and versions.
from pathlib import Path

from snakemake import __version__ as SNAKEMAKE_VERSION

from soyfold.evaluation.comparisons import HIGHER_IS_BETTER
from soyfold.evaluation.verdicts import best_names
from soyfold.report.provenance import used_methods
from soyfold.report.pages.templates import template_digest
from soyfold.study.settings import shipped


rule plot_learning_curves:
    input:
        histories=lambda wildcards: study.fits.files(
            study.fits.trained(wildcards.trait), "history.tsv"
        ),
    output:
        png=report(
            f"{study.report.figures}/learning_curves_{{trait}}.png",
            caption="../report/learning_curves.rst",
            **study.report.place("Learning curves of {trait}", "curves"),
        ),
        svg=f"{study.report.figures}/learning_curves_{{trait}}.svg",
    log:
        f"{study.logs}/report/plot_learning_curves_{{trait}}.log",
    conda:
        "../../envs/evaluation.yaml"
    resources:
        **study.resources(),
    params:
        fits=lambda wildcards: study.fits.trained(wildcards.trait),
        source=study.source("plot_learning_curves"),
    message:
        "report: learning curves of {wildcards.trait}"
    script:
        "../scripts/plot_learning_curves.py"


rule plot_predictions:
    input:
        predictions=study.fits.files_of("predictions.tsv"),
    output:
        png=report(
            f"{study.report.figures}/predictions_{{trait}}.png",
            caption="../report/predictions.rst",
            **study.report.place("{trait}, all models", "results", "lines"),
        ),
        svg=f"{study.report.figures}/predictions_{{trait}}.svg",
    log:
        f"{study.logs}/report/plot_predictions_{{trait}}.log",
    conda:
        "../../envs/evaluation.yaml"
    resources:
        **study.resources(),
    params:
        fits=lambda wildcards: study.fits.of(wildcards.trait),
        unit=lambda wildcards: study.traits[wildcards.trait]["unit"],
        source=study.source("plot_predictions"),
    message:
        "report: observed against predicted {wildcards.trait}"
    script:
        "../scripts/plot_predictions.py"


rule plot_controls:
    input:
        table=f"{study.results}/evaluation/tables/controls.tsv",
    output:
        png=report(
            f"{study.report.figures}/controls.png",
            caption="../report/controls_figure.rst",
            **study.report.place("Figure", "results", "controls"),
        ),
        svg=f"{study.report.figures}/controls.svg",
    log:
        f"{study.logs}/report/plot_controls.log",
    conda:
        "../../envs/evaluation.yaml"
    resources:
        **study.resources(),
    params:
        source=study.source("plot_controls"),
    message:
        "report: the real CIM against its controls"
    script:
        "../scripts/plot_controls.py"


rule plot_hypotheses:
    input:
        table=f"{study.results}/evaluation/tables/hypotheses.tsv",
        scores=study.hypotheses.scores,
    output:
        png=report(
            f"{study.report.figures}/hypotheses.png",
            caption="../report/hypotheses_figure.rst",
            **study.report.place("Figure", "results", "hypotheses"),
        ),
        svg=f"{study.report.figures}/hypotheses.svg",
    log:
        f"{study.logs}/report/plot_hypotheses.log",
    conda:
        "../../envs/evaluation.yaml"
    resources:
        **study.resources(),
    params:
        source=study.source("plot_hypotheses"),
    message:
        "report: hypotheses beside their copies"
    script:
        "../scripts/plot_hypotheses.py"


rule plot_knock_outs:
    input:
        table=f"{study.interpretation.folder}/knock_outs.tsv",
    output:
        png=report(
            f"{study.report.figures}/knock_outs.png",
            caption="../report/knock_outs.rst",
            **study.report.place("Groups knocked out", "interpretation"),
        ),
        svg=f"{study.report.figures}/knock_outs.svg",
    log:
        f"{study.logs}/report/plot_knock_outs.log",
    conda:
        "../../envs/evaluation.yaml"
    resources:
        **study.resources(),
    params:
        source=study.source("plot_knock_outs"),
    message:
        "report: groups knocked out"
    script:
        "../scripts/plot_knock_outs.py"


rule plot_comparisons:
    input:
        table=f"{study.results}/evaluation/tables/comparisons.tsv",
    output:
        png=report(
            f"{study.report.figures}/comparisons_{{scheme}}_{{metric}}.png",
            caption="../report/comparisons_figure.rst",
            **study.report.place("{metric}, {scheme}", "results", "comparisons"),
        ),
        svg=f"{study.report.figures}/comparisons_{{scheme}}_{{metric}}.svg",
    log:
        f"{study.logs}/report/plot_comparisons_{{scheme}}_{{metric}}.log",
    wildcard_constraints:
        metric="|".join(HIGHER_IS_BETTER),
    conda:
        "../../envs/evaluation.yaml"
    resources:
        **study.resources(),
    params:
        source=study.source("plot_comparisons"),
    message:
        "report: models against the references, {wildcards.metric}, scheme {wildcards.scheme}"
    script:
        "../scripts/plot_comparisons.py"


rule plot_attention:
    input:
        cim=f"{study.results}/contacts/cim.tsv",
        variants=f"{study.results}/cohort/variants.tsv",
        attention=study.report.attention("attention.tsv"),
        estimates=study.report.attention("estimates.tsv"),
    output:
        png=report(
            f"{study.report.figures}/attention_{{trait}}.png",
            caption="../report/attention.rst",
            **study.report.place("Attention, {trait}", "contacts"),
        ),
        svg=f"{study.report.figures}/attention_{{trait}}.svg",
    log:
        f"{study.logs}/report/plot_attention_{{trait}}.log",
    conda:
        "../../envs/evaluation.yaml"
    resources:
        **study.resources(),
    params:
        fits=lambda wildcards: study.fits.attentive(wildcards.trait),
        source=study.source("plot_attention"),
    message:
        "report: attention between chromosomes, {wildcards.trait}"
    script:
        "../scripts/plot_attention.py"


rule plot_pairs:
    input:
        pairs=f"{study.interpretation.folder}/pair_weights.tsv",
    output:
        png=report(
            f"{study.report.figures}/pair_weights_{{trait}}.png",
            caption="../report/pair_weights.rst",
            **study.report.place("Pairs of chromosomes, {trait}", "contacts"),
        ),
        svg=f"{study.report.figures}/pair_weights_{{trait}}.svg",
    log:
        f"{study.logs}/report/plot_pairs_{{trait}}.log",
    conda:
        "../../envs/evaluation.yaml"
    resources:
        **study.resources(),
    params:
        labels=lambda wildcards: {
            fit["model"]: fit["label"] for fit in study.fits.paired(wildcards.trait)
        },
        source=study.source("plot_pairs"),
    message:
        "report: contacts and what was learned of pairs of chromosomes, {wildcards.trait}"
    script:
        "../scripts/plot_pairs.py"


rule plot_tuning:
    input:
        trials=f"{study.results}/training/{{trait}}/{{model}}/tuning/trials.tsv",
    output:
        png=report(
            f"{study.report.figures}/tuning_{{trait}}_{{model}}.png",
            caption="../report/tuning.rst",
            **study.report.place("Search for {model}, {trait}", "curves"),
        ),
        svg=f"{study.report.figures}/tuning_{{trait}}_{{model}}.svg",
    log:
        f"{study.logs}/report/plot_tuning_{{trait}}_{{model}}.log",
    wildcard_constraints:
        trait=study.any_of(study.traits),
        model=study.fits.tuned_names,
    conda:
        "../../envs/evaluation.yaml"
    resources:
        **study.resources(),
    params:
        label=lambda wildcards: study.models[wildcards.model]["label"],
        source=study.source("plot_tuning"),
    message:
        "report: the search for {wildcards.model}'s hyperparameters for {wildcards.trait}"
    script:
        "../scripts/plot_tuning.py"


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
