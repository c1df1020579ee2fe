# Every trait x model x split. A quick model's splits share a job; models with attention write more.
# A search finds a network's hyperparameters, once for a trait, on the first split's validation lines.


rule tune_model:
    input:
        dosage=f"{RESULTS}/cohort/dosage.npy",
        samples=f"{RESULTS}/cohort/samples.tsv",
        variants=f"{RESULTS}/cohort/variants.tsv",
        phenotypes=f"{RESULTS}/cohort/phenotypes/{{trait}}.tsv",
        cim=cim_of,
        split=lambda wildcards: split_file(wildcards.trait, f"seed{SEEDS[0]}"),
    output:
        best=f"{RESULTS}/training/{{trait}}/{{model}}/tuning/best.yaml",
        trials=f"{RESULTS}/training/{{trait}}/{{model}}/tuning/trials.tsv",
    log:
        f"{LOGS}/training/{{trait}}/{{model}}/tuning.log",
    benchmark:
        f"{BENCHMARKS}/training/{{trait}}/{{model}}/tuning.tsv"
    wildcard_constraints:
        model=names_tuned(),
    conda:
        "../../envs/training.yaml"
    threads: TUNING["workers"] if TUNING else 1
    resources:
        mem_mb=lambda wildcards, attempt, threads: (attempt * threads * memory_of(wildcards.model)),
        runtime=2880,
        gpu=lambda wildcards: MODELS[wildcards.model]["gpu"],
    params:
        block=lambda wildcards: MODELS[wildcards.model],
        trials=TUNING["trials"] if TUNING else 0,
        seed=TUNING["seed"] if TUNING else 0,
        source=lambda wildcards: source_digest(
            "tune_model", f"soyfold.models.{MODELS[wildcards.model]['module']}"
        ),
    message:
        "training: searching {wildcards.model}'s hyperparameters for {wildcards.trait}"
    script:
        "../scripts/tune_model.py"


for job in fit_jobs():

    rule:
        name:
            job["rule"]
        input:
            dosage=f"{RESULTS}/cohort/dosage.npy",
            samples=f"{RESULTS}/cohort/samples.tsv",
            variants=f"{RESULTS}/cohort/variants.tsv",
            phenotypes=partial(phenotypes_of, job["splits"]),
            cim=cim_of,
            tuned=tuned_of,
            products=products_of,
            kernels=partial(kernels_of, job["splits"]),
            splits=partial(split_files, job["splits"]),
        output:
            **fit_outputs(job["model"], job["splits"], attention=job["attention"]),
        log:
            f"{LOGS}/training/{{trait}}/{{model}}/{job['name']}.log",
        benchmark:
            f"{BENCHMARKS}/training/{{trait}}/{{model}}/{job['name']}.tsv"
        # A split's kernels are large until its fits are done.
        priority: 1
        conda:
            "../../envs/training.yaml"
        threads: lambda wildcards: 4 if MODELS[wildcards.model]["preset"] == "paper" else 1
        resources:
            mem_mb=lambda wildcards, attempt: attempt * memory_of(wildcards.model),
            runtime=lambda wildcards: 2880 if MODELS[wildcards.model]["preset"] == "paper" else 240,
            gpu=lambda wildcards: MODELS[wildcards.model]["gpu"],
        params:
            block=partial(fit_block, job["splits"]),
            seeds=partial(seeds_of, job["splits"]),
            traits=partial(names_of, job["splits"]),
            source=lambda wildcards: sources_of(wildcards.model),
        message:
            "training: {wildcards.model} on {wildcards.trait}, "
            + job["name"].replace("{", "{wildcards.")
        script:
            "../scripts/fit_model.py"


# Seconds for all splits of a scheme: the members' predictions are read, weighted and written.
for scheme in DRAWN:

    rule:
        name:
            f"fit_blend_{scheme}"
        input:
            members=partial(members_of, scheme_splits(scheme)),
            samples=f"{RESULTS}/cohort/samples.tsv",
        output:
            **fit_outputs(f"{{model,{any_of(BLENDS)}}}", scheme_splits(scheme), attention=False),
        log:
            f"{LOGS}/training/{{trait}}/{{model}}/{scheme}_blend.log",
        benchmark:
            f"{BENCHMARKS}/training/{{trait}}/{{model}}/{scheme}_blend.tsv"
        conda:
            "../../envs/training.yaml"
        threads: 1
        resources:
            mem_mb=raised(1000),
            runtime=10,
            gpu=0,
        params:
            block=partial(fit_block, scheme_splits(scheme)),
            source=lambda wildcards: source_digest(
                "fit_blend", f"soyfold.models.{MODELS[wildcards.model]['module']}"
            ),
        message:
            f"training: {{wildcards.model}} on {{wildcards.trait}}, splits of {scheme}"
        script:
            "../scripts/fit_blend.py"
