# Why: importance of SNPs to the models, association scans, and what both have in common.


rule explain_effects:
    input:
        dosage=f"{study.results}/cohort/dosage.npy",
        variants=f"{study.results}/cohort/variants.tsv",
        checkpoints=study.interpretation.files("checkpoint.npz"),
    output:
        **study.interpretation.importance,
    log:
        f"{study.logs}/interpretation/explain/{{trait}}/{{model}}.log",
    wildcard_constraints:
        model=study.interpretation.names("effects"),
    conda:
        "../../envs/training.yaml"
    resources:
        **study.resources(2000, minutes=30),
    params:
        seeds=study.interpretation.seeds,
        window_kb=study.interpretation.settings.get("window_kb"),
        source=study.source("explain_effects"),
    message:
        "interpretation: importance of SNPs to {wildcards.model}, {wildcards.trait}"
    script:
        "../scripts/explain_effects.py"


rule explain_gradients:
    input:
        dosage=f"{study.results}/cohort/dosage.npy",
        samples=f"{study.results}/cohort/samples.tsv",
        variants=f"{study.results}/cohort/variants.tsv",
        checkpoints=study.interpretation.files("checkpoint.npz"),
        predictions=study.interpretation.files("predictions.tsv"),
    output:
        **study.interpretation.importance,
    log:
        f"{study.logs}/interpretation/explain/{{trait}}/{{model}}.log",
    wildcard_constraints:
        model=study.interpretation.names("gradients"),
    conda:
        "../../envs/training.yaml"
    threads: study.fits.threads
    resources:
        **study.resources(
            study.fits.memory,
            minutes=lambda wildcards: study.fits.minutes(wildcards) // 2,
            gpu=lambda wildcards: min(1, study.fits.gpus(wildcards)),
        ),
    params:
        seeds=study.interpretation.seeds,
        window_kb=study.interpretation.settings.get("window_kb"),
        settings=study.interpretation.gradients,
        source=lambda wildcards: study.source("explain_gradients", wildcards.model),
    message:
        "interpretation: importance of SNPs to {wildcards.model}, {wildcards.trait}"
    script:
        "../scripts/explain_gradients.py"


rule collect_importance:
    input:
        fits=study.interpretation.importance_tables("fits"),
        chromosomes=study.interpretation.importance_tables("chromosomes"),
        attention=study.fits.files(study.interpretation.attentive, "attention.tsv"),
        estimates=study.fits.files(study.interpretation.attentive, "estimates.tsv"),
        variants=f"{study.results}/cohort/variants.tsv",
    output:
        **study.interpretation.collected,
    log:
        f"{study.logs}/interpretation/collect_importance.log",
    conda:
        "../../envs/training.yaml"
    resources:
        **study.resources(),
    params:
        asked=study.interpretation.named(study.interpretation.models),
        attentive=[
            {key: fit[key] for key in ("trait", "model")} for fit in study.interpretation.attentive
        ],
        source=study.source("collect_importance"),
    message:
        "interpretation: chromosomes' importance, attention, and how well the fits agree"
    script:
        "../scripts/collect_importance.py"


rule collect_pairs:
    input:
        cim=f"{study.results}/contacts/cim.tsv",
        checkpoints=study.fits.files(study.interpretation.paired, "checkpoint.npz"),
        nulls=study.interpretation.nulls,
    output:
        pairs=f"{study.interpretation.folder}/pair_weights.tsv",
    log:
        f"{study.logs}/interpretation/collect_pairs.log",
    conda:
        "../../envs/training.yaml"
    resources:
        **study.resources(4000),
    params:
        fits=[{key: fit[key] for key in ("trait", "model")} for fit in study.interpretation.paired],
        source=study.source(
            "collect_pairs", *sorted({fit["model"] for fit in study.interpretation.paired})
        ),
    message:
        "interpretation: what models learned of pairs of chromosomes"
    script:
        "../scripts/collect_pairs.py"


rule tabulate_motif_bias:
    input:
        checkpoints=study.fits.files(study.interpretation.motif_biased, "checkpoint.npz"),
    output:
        table=f"{study.interpretation.folder}/motif_bias.tsv",
    log:
        f"{study.logs}/interpretation/tabulate_motif_bias.log",
    conda:
        "../../envs/training.yaml"
    resources:
        **study.resources(),
    params:
        fits=[
            {key: fit[key] for key in ("trait", "model")}
            for fit in study.interpretation.motif_biased
        ],
        source=study.source("tabulate_motif_bias"),
    message:
        "interpretation: what attention learned of pairs of classes of variants"
    script:
        "../scripts/tabulate_motif_bias.py"


rule permute_pairs:
    input:
        dosage=f"{study.results}/cohort/dosage.npy",
        samples=f"{study.results}/cohort/samples.tsv",
        variants=f"{study.results}/cohort/variants.tsv",
        phenotypes=f"{study.results}/cohort/phenotypes/{{trait}}.tsv",
        products=f"{study.results}/cohort/products.npy",
        cim=study.fits.cim,
        tuned=study.fits.tuned_parameters,
        covariates=study.inputs.covariates_table,
    output:
        null=f"{study.interpretation.folder}/pairs/{{trait}}/{{model}}.tsv",
    log:
        f"{study.logs}/interpretation/permute_pairs/{{trait}}/{{model}}.log",
    conda:
        "../../envs/training.yaml"
    resources:
        **study.resources(study.fits.memory, minutes=2880, gpu=study.fits.gpus),
    params:
        block=lambda wildcards: study.models[wildcards.model],
        permutations=study.interpretation.settings.get("pair_permutations"),
        seed=0,
        source=lambda wildcards: study.source("permute_pairs", wildcards.model, "gblup"),
    message:
        "interpretation: {wildcards.trait} shuffled, for what {wildcards.model} finds by chance"
    script:
        "../scripts/permute_pairs.py"


# All traits at once: lines that several have are decomposed together.
rule estimate_parameters:
    input:
        products=f"{study.results}/cohort/products.npy",
        samples=f"{study.results}/cohort/samples.tsv",
        phenotypes=expand(f"{study.results}/cohort/phenotypes/{{trait}}.tsv", trait=study.traits),
        covariates=study.inputs.covariates_table,
    output:
        **(
            study.interpretation.parameters
            or {"table": f"{study.interpretation.folder}/genetic_parameters.tsv"}
        ),
    log:
        f"{study.logs}/interpretation/estimate_parameters.log",
    conda:
        "../../envs/training.yaml"
    resources:
        **study.resources(6000, minutes=240),
    params:
        traits=list(study.traits),
        source=study.source("estimate_parameters"),
    message:
        "interpretation: heritabilities and genetic correlations"
    script:
        "../scripts/estimate_parameters.py"


rule compute_components:
    input:
        bed=f"{study.genotyped}/imputation/merged.bed",
        bim=f"{study.genotyped}/imputation/merged.bim",
        fam=f"{study.genotyped}/imputation/merged.fam",
    output:
        components=f"{study.interpretation.folder}/gwas/components/all_lines.tsv",
    log:
        f"{study.logs}/interpretation/compute_components.log",
    conda:
        "../../envs/training.yaml"
    resources:
        **study.resources(4000, minutes=120),
    params:
        components=study.interpretation.settings.get("principal_components"),
        source=study.source("compute_components"),
    message:
        "interpretation: principal components of all lines"
    script:
        "../scripts/compute_components.py"


rule scan_trait:
    input:
        bed=f"{study.genotyped}/imputation/merged.bed",
        bim=f"{study.genotyped}/imputation/merged.bim",
        fam=f"{study.genotyped}/imputation/merged.fam",
        phenotypes=f"{study.results}/cohort/phenotypes/{{trait}}.tsv",
        covariates=study.inputs.covariates_table,
        components=f"{study.interpretation.folder}/gwas/components/all_lines.tsv",
    output:
        scan=f"{study.interpretation.folder}/gwas/{{trait}}.tsv",
        summary=f"{study.interpretation.folder}/gwas/summaries/{{trait}}.tsv",
    log:
        f"{study.logs}/interpretation/scan_trait/{{trait}}.log",
    wildcard_constraints:
        trait=study.any_of(study.traits),
    conda:
        "../../envs/training.yaml"
    resources:
        **study.resources(3000, minutes=120),
    params:
        source=study.source("scan_trait"),
    message:
        "interpretation: association of each SNP with {wildcards.trait}"
    script:
        "../scripts/scan_trait.py"


rule collect_scans:
    input:
        summaries=expand(
            f"{study.interpretation.folder}/gwas/summaries/{{trait}}.tsv",
            trait=study.interpretation.scanned,
        ),
    output:
        table=f"{study.interpretation.folder}/gwas_summary.tsv",
    log:
        f"{study.logs}/interpretation/collect_scans.log",
    conda:
        "../../envs/training.yaml"
    resources:
        **study.resources(),
    params:
        source=study.source("collect_scans"),
    message:
        "interpretation: the scans' summaries"
    script:
        "../scripts/collect_scans.py"


rule compare_loci:
    input:
        snps=study.interpretation.rankings(study.interpretation.compared),
        scans=[
            f"{study.interpretation.folder}/gwas/{trait}.tsv"
            for trait, _ in study.interpretation.compared
        ],
    output:
        table=f"{study.interpretation.folder}/overlap.tsv",
    log:
        f"{study.logs}/interpretation/compare_loci.log",
    conda:
        "../../envs/training.yaml"
    resources:
        **study.resources(2000, minutes=60),
    params:
        asked=study.interpretation.named(study.interpretation.compared),
        top=study.interpretation.settings.get("top"),
        window_kb=study.interpretation.settings.get("window_kb"),
        source=study.source("compare_loci"),
    message:
        "interpretation: top loci of the models and of the scans"
    script:
        "../scripts/compare_loci.py"


rule recover_qtl:
    input:
        qtl=study.interpretation.qtl.get("file", []),
        assembly=study.settings["chromosomes"],
        snps=study.interpretation.rankings(study.interpretation.ranked),
    output:
        table=f"{study.interpretation.folder}/qtl_recovery.tsv",
        names=f"{study.interpretation.folder}/qtl_traits.tsv",
    log:
        f"{study.logs}/interpretation/recover_qtl.log",
    conda:
        "../../envs/training.yaml"
    resources:
        **study.resources(2000, minutes=60),
    params:
        asked=study.interpretation.named(study.interpretation.ranked),
        qtl={key: value for key, value in study.interpretation.qtl.items() if key != "file"},
        traits=list(study.traits),
        top=study.interpretation.settings.get("top"),
        source=study.source("recover_qtl"),
    message:
        "interpretation: known QTL near the models' top loci"
    script:
        "../scripts/recover_qtl.py"


rule plot_recovery:
    input:
        table=f"{study.interpretation.folder}/qtl_recovery.tsv",
    output:
        png=report(
            f"{study.report.figures}/qtl_recovery.png",
            caption="../report/qtl_recovery.rst",
            **study.report.place("Recovery of known QTL", "interpretation"),
        ),
        svg=f"{study.report.figures}/qtl_recovery.svg",
    log:
        f"{study.logs}/interpretation/plot_recovery.log",
    conda:
        "../../envs/training.yaml"
    resources:
        **study.resources(),
    params:
        labels=study.interpretation.labels,
        top=study.interpretation.settings.get("top"),
        distance_kb=study.interpretation.qtl.get("distance_kb"),
        source=study.source("plot_recovery"),
    message:
        "interpretation: known QTL that the models find, beside chance"
    script:
        "../scripts/plot_recovery.py"


rule plot_manhattan:
    input:
        scan=study.interpretation.scan,
        summary=study.interpretation.summary,
        snps=study.interpretation.rankings_of,
    output:
        png=report(
            f"{study.report.figures}/manhattan_{{trait}}.png",
            caption="../report/manhattan.rst",
            **study.report.place("Scan of {trait}, importance beneath", "interpretation"),
        ),
        svg=f"{study.report.figures}/manhattan_{{trait}}.svg",
    log:
        f"{study.logs}/interpretation/plot_manhattan_{{trait}}.log",
    conda:
        "../../envs/training.yaml"
    resources:
        **study.resources(),
    params:
        labels=study.interpretation.labels_of,
        unit=lambda wildcards: study.traits[wildcards.trait]["unit"],
        source=study.source("plot_manhattan"),
    message:
        "interpretation: Manhattan and QQ plot of {wildcards.trait}, importance beneath"
    script:
        "../scripts/plot_manhattan.py"


rule knock_out_groups:
    input:
        groups=study.hypotheses.files("groups.npz"),
        products=study.hypotheses.products,
        dosage=f"{study.results}/cohort/dosage.npy",
        samples=f"{study.results}/cohort/samples.tsv",
        variants=f"{study.results}/cohort/variants.tsv",
        phenotypes=f"{study.results}/cohort/phenotypes/{{trait}}.tsv",
        covariates=study.inputs.covariates_table,
        split=study.fits.first_split,
    output:
        table=f"{study.interpretation.folder}/knock_outs/{{trait}}.tsv",
    log:
        f"{study.logs}/interpretation/knock_outs/{{trait}}.log",
    wildcard_constraints:
        trait=study.any_of(study.traits),
    conda:
        "../../envs/training.yaml"
    resources:
        **study.resources(4000, minutes=120),
    params:
        hypotheses=study.hypotheses.names,
        seed=study.seeds[0],
        draws=study.hypotheses.settings.get("draws"),
        source=study.source("knock_out_groups"),
    message:
        "interpretation: groups knocked out, {wildcards.trait}"
    script:
        "../scripts/knock_out_groups.py"


rule knock_out_network:
    input:
        dosage=f"{study.results}/cohort/dosage.npy",
        samples=f"{study.results}/cohort/samples.tsv",
        checkpoint=study.interpretation.first_fit("checkpoint.npz"),
        predictions=study.interpretation.first_fit("predictions.tsv"),
    output:
        table=f"{study.interpretation.folder}/knock_outs/{{trait}}/{{model}}.tsv",
    log:
        f"{study.logs}/interpretation/knock_outs/{{trait}}/{{model}}.log",
    wildcard_constraints:
        model=study.any_of(fit["model"] for fit in study.interpretation.grouped),
    conda:
        "../../envs/training.yaml"
    threads: study.fits.threads
    resources:
        **study.resources(
            study.fits.memory,
            minutes=study.fits.minutes,
            gpu=lambda wildcards: min(1, study.fits.gpus(wildcards)),
        ),
    params:
        hypothesis=lambda wildcards: study.models[wildcards.model]["parameters"]["hypothesis"],
        seed=study.seeds[0],
        draws=study.hypotheses.settings.get("draws"),
        source=lambda wildcards: study.source("knock_out_network", wildcards.model),
    message:
        "interpretation: groups knocked out in {wildcards.model}, {wildcards.trait}"
    script:
        "../scripts/knock_out_network.py"


rule collect_knock_outs:
    input:
        tables=study.interpretation.knock_outs,
    output:
        table=f"{study.interpretation.folder}/knock_outs.tsv",
    log:
        f"{study.logs}/interpretation/collect_knock_outs.log",
    conda:
        "../../envs/training.yaml"
    resources:
        **study.resources(),
    params:
        source=study.source("collect_knock_outs"),
    message:
        "interpretation: knock-outs of all traits"
    script:
        "../scripts/collect_knock_outs.py"
