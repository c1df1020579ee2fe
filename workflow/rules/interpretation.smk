# Why: importance of SNPs to the models, association scans, and what both have in common.


rule explain_effects:
    input:
        dosage=f"{RESULTS}/cohort/dosage.npy",
        variants=f"{RESULTS}/cohort/variants.tsv",
        checkpoints=explained_files("checkpoint.npz"),
    output:
        **importance_tables(),
    log:
        f"{LOGS}/interpretation/explain/{{trait}}/{{model}}.log",
    benchmark:
        f"{BENCHMARKS}/interpretation/explain/{{trait}}/{{model}}.tsv"
    wildcard_constraints:
        model=names_asked("effects"),
    conda:
        "../../envs/interpretation.yaml"
    threads: 1
    resources:
        mem_mb=raised(2000),
        runtime=30,
        gpu=0,
    params:
        seeds=SEEDS,
        window_kb=INTERPRETATION.get("window_kb"),
        source=source_digest("explain_effects"),
    message:
        "interpretation: importance of SNPs to {wildcards.model}, {wildcards.trait}"
    script:
        "../scripts/explain_effects.py"


rule explain_gradients:
    input:
        dosage=f"{RESULTS}/cohort/dosage.npy",
        samples=f"{RESULTS}/cohort/samples.tsv",
        variants=f"{RESULTS}/cohort/variants.tsv",
        checkpoints=explained_files("checkpoint.npz"),
        predictions=explained_files("predictions.tsv"),
    output:
        **importance_tables(),
    log:
        f"{LOGS}/interpretation/explain/{{trait}}/{{model}}.log",
    benchmark:
        f"{BENCHMARKS}/interpretation/explain/{{trait}}/{{model}}.tsv"
    wildcard_constraints:
        model=names_asked("gradients"),
    conda:
        "../../envs/interpretation.yaml"
    threads: lambda wildcards: 4 if MODELS[wildcards.model]["preset"] == "paper" else 1
    resources:
        mem_mb=lambda wildcards, attempt: attempt * memory_of(wildcards.model),
        runtime=lambda wildcards: 1440 if MODELS[wildcards.model]["preset"] == "paper" else 120,
        gpu=lambda wildcards: min(1, MODELS[wildcards.model]["gpu"]),
    params:
        seeds=SEEDS,
        window_kb=INTERPRETATION.get("window_kb"),
        settings={
            key: value
            for key, value in INTERPRETATION.items()
            if key in ("lines", "steps", "tolerance")
        },
        source=lambda wildcards: source_digest(
            "explain_gradients", f"soyfold.models.{MODELS[wildcards.model]['module']}"
        ),
    message:
        "interpretation: importance of SNPs to {wildcards.model}, {wildcards.trait}"
    script:
        "../scripts/explain_gradients.py"


rule collect_importance:
    input:
        fits=[f"{WHY}/importance/{trait}/{model}/fits.tsv" for trait, model in EXPLAINED],
        chromosomes=[
            f"{WHY}/importance/{trait}/{model}/chromosomes.tsv" for trait, model in EXPLAINED
        ],
        attention=[f"{RESULTS}/{fit['folder']}/attention.tsv" for fit in EXPLAINED_ATTENTION],
        variants=f"{RESULTS}/cohort/variants.tsv",
    output:
        **({"attention": f"{WHY}/attention.tsv"} if EXPLAINED_ATTENTION else {}),
        fits=f"{WHY}/fits.tsv",
        chromosomes=f"{WHY}/chromosomes.tsv",
    log:
        f"{LOGS}/interpretation/collect_importance.log",
    benchmark:
        f"{BENCHMARKS}/interpretation/collect_importance.tsv"
    conda:
        "../../envs/interpretation.yaml"
    threads: 1
    resources:
        mem_mb=raised(1000),
        runtime=10,
        gpu=0,
    params:
        asked=[{"trait": trait, "model": model} for trait, model in EXPLAINED],
        attentive=[{key: fit[key] for key in ("trait", "model")} for fit in EXPLAINED_ATTENTION],
        source=source_digest("collect_importance"),
    message:
        "interpretation: chromosomes' importance, attention, and how well the fits agree"
    script:
        "../scripts/collect_importance.py"


rule compute_components:
    input:
        bed=f"{RESULTS}/imputation/merged.bed",
        bim=f"{RESULTS}/imputation/merged.bim",
        fam=f"{RESULTS}/imputation/merged.fam",
    output:
        components=f"{WHY}/gwas/components/all_lines.tsv",
    log:
        f"{LOGS}/interpretation/compute_components.log",
    benchmark:
        f"{BENCHMARKS}/interpretation/compute_components.tsv"
    conda:
        "../../envs/interpretation.yaml"
    threads: 1
    resources:
        mem_mb=raised(4000),
        runtime=120,
        gpu=0,
    params:
        components=INTERPRETATION.get("principal_components"),
        source=source_digest("compute_components"),
    message:
        "interpretation: principal components of all lines"
    script:
        "../scripts/compute_components.py"


rule scan_trait:
    input:
        bed=f"{RESULTS}/imputation/merged.bed",
        bim=f"{RESULTS}/imputation/merged.bim",
        fam=f"{RESULTS}/imputation/merged.fam",
        phenotypes=f"{RESULTS}/cohort/phenotypes/{{trait}}.tsv",
        components=f"{WHY}/gwas/components/all_lines.tsv",
    output:
        scan=f"{WHY}/gwas/{{trait}}.tsv",
        summary=f"{WHY}/gwas/summaries/{{trait}}.tsv",
    log:
        f"{LOGS}/interpretation/scan_trait/{{trait}}.log",
    benchmark:
        f"{BENCHMARKS}/interpretation/scan_trait/{{trait}}.tsv"
    wildcard_constraints:
        trait=any_of(TRAITS),
    conda:
        "../../envs/interpretation.yaml"
    threads: 1
    resources:
        mem_mb=raised(3000),
        runtime=120,
        gpu=0,
    params:
        source=source_digest("scan_trait"),
    message:
        "interpretation: association of each SNP with {wildcards.trait}"
    script:
        "../scripts/scan_trait.py"


rule collect_scans:
    input:
        summaries=expand(f"{WHY}/gwas/summaries/{{trait}}.tsv", trait=SCANNED),
    output:
        table=f"{WHY}/gwas_summary.tsv",
    log:
        f"{LOGS}/interpretation/collect_scans.log",
    benchmark:
        f"{BENCHMARKS}/interpretation/collect_scans.tsv"
    conda:
        "../../envs/interpretation.yaml"
    threads: 1
    resources:
        mem_mb=raised(1000),
        runtime=10,
        gpu=0,
    params:
        source=source_digest("collect_scans"),
    message:
        "interpretation: the scans' summaries"
    script:
        "../scripts/collect_scans.py"


rule compare_loci:
    input:
        snps=[snps_or_scan(trait, model) for trait, model in COMPARED],
        scans=[f"{WHY}/gwas/{trait}.tsv" for trait, _ in COMPARED],
    output:
        table=f"{WHY}/overlap.tsv",
    log:
        f"{LOGS}/interpretation/compare_loci.log",
    benchmark:
        f"{BENCHMARKS}/interpretation/compare_loci.tsv"
    conda:
        "../../envs/interpretation.yaml"
    threads: 1
    resources:
        mem_mb=raised(2000),
        runtime=60,
        gpu=0,
    params:
        asked=[{"trait": trait, "model": model} for trait, model in COMPARED],
        top=INTERPRETATION.get("top"),
        window_kb=INTERPRETATION.get("window_kb"),
        source=source_digest("compare_loci"),
    message:
        "interpretation: top loci of the models and of the scans"
    script:
        "../scripts/compare_loci.py"


rule recover_qtl:
    input:
        qtl=QTL.get("file", []),
        assembly=SETTINGS["chromosomes"],
        snps=[snps_or_scan(trait, model) for trait, model in FOUND],
    output:
        table=f"{WHY}/qtl_recovery.tsv",
        names=f"{WHY}/qtl_traits.tsv",
    log:
        f"{LOGS}/interpretation/recover_qtl.log",
    benchmark:
        f"{BENCHMARKS}/interpretation/recover_qtl.tsv"
    conda:
        "../../envs/interpretation.yaml"
    threads: 1
    resources:
        mem_mb=raised(2000),
        runtime=60,
        gpu=0,
    params:
        asked=[{"trait": trait, "model": model} for trait, model in FOUND],
        qtl={key: value for key, value in QTL.items() if key != "file"},
        traits=list(TRAITS),
        top=INTERPRETATION.get("top"),
        source=source_digest("recover_qtl"),
    message:
        "interpretation: known QTL near the models' top loci"
    script:
        "../scripts/recover_qtl.py"


rule plot_recovery:
    input:
        table=f"{WHY}/qtl_recovery.tsv",
    output:
        png=report(
            f"{RESULTS}/report/figures/qtl_recovery.png",
            caption="../report/qtl_recovery.rst",
            category=CATEGORY["interpretation"],
            labels={"what": "Recovery of known QTL"},
        ),
        svg=f"{RESULTS}/report/figures/qtl_recovery.svg",
    log:
        f"{LOGS}/interpretation/plot_recovery.log",
    benchmark:
        f"{BENCHMARKS}/interpretation/plot_recovery.tsv"
    conda:
        "../../envs/interpretation.yaml"
    threads: 1
    resources:
        mem_mb=raised(1000),
        runtime=10,
        gpu=0,
    params:
        labels={model: MODELS[model]["label"] for _, model in EXPLAINED} | {"gwas": "GWAS"},
        top=INTERPRETATION.get("top"),
        distance_kb=QTL.get("distance_kb"),
        source=source_digest("plot_recovery"),
    message:
        "interpretation: known QTL that the models find, beside chance"
    script:
        "../scripts/plot_recovery.py"


rule plot_manhattan:
    input:
        scan=lambda wildcards: [snps_or_scan(wildcards.trait, "gwas")] if SCANNED else [],
        summary=lambda wildcards: (
            [f"{WHY}/gwas/summaries/{wildcards.trait}.tsv"] if SCANNED else []
        ),
        snps=lambda wildcards: [
            snps_or_scan(wildcards.trait, model) for model in ASKED[wildcards.trait]
        ],
    output:
        png=report(
            f"{RESULTS}/report/figures/manhattan_{{trait}}.png",
            caption="../report/manhattan.rst",
            category=CATEGORY["interpretation"],
            labels={"what": "Scan of {trait}, importance beneath"},
        ),
        svg=f"{RESULTS}/report/figures/manhattan_{{trait}}.svg",
    log:
        f"{LOGS}/interpretation/plot_manhattan_{{trait}}.log",
    benchmark:
        f"{BENCHMARKS}/interpretation/plot_manhattan_{{trait}}.tsv"
    conda:
        "../../envs/interpretation.yaml"
    threads: 1
    resources:
        mem_mb=raised(1000),
        runtime=10,
        gpu=0,
    params:
        labels=lambda wildcards: [MODELS[model]["label"] for model in ASKED[wildcards.trait]],
        unit=lambda wildcards: TRAITS[wildcards.trait]["unit"],
        source=source_digest("plot_manhattan"),
    message:
        "interpretation: Manhattan and QQ plot of {wildcards.trait}, importance beneath"
    script:
        "../scripts/plot_manhattan.py"
