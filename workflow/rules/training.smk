# Every trait x model x seed. A quick model's seeds share a job; models with attention write more.
# A search finds a network's hyperparameters, once for a trait, on the first split's validation lines.


rule tune_model:
    input:
        dosage=f"{RESULTS}/cohort/dosage.npy",
        samples=f"{RESULTS}/cohort/samples.tsv",
        variants=f"{RESULTS}/cohort/variants.tsv",
        phenotypes=f"{RESULTS}/cohort/phenotypes/{{trait}}.tsv",
        cim=cim_of,
        split=f"{RESULTS}/cohort/splits/{SCHEME}/seed{SEEDS[0]}.tsv",
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
        mem_mb=lambda wildcards, threads: threads
        * (16000 if MODELS[wildcards.model]["preset"] == "paper" else 4000),
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


rule fit_model:
    input:
        dosage=f"{RESULTS}/cohort/dosage.npy",
        samples=f"{RESULTS}/cohort/samples.tsv",
        variants=f"{RESULTS}/cohort/variants.tsv",
        phenotypes=f"{RESULTS}/cohort/phenotypes/{{trait}}.tsv",
        cim=cim_of,
        tuned=tuned_of,
        splits=[f"{RESULTS}/cohort/splits/{SCHEME}/seed{{seed}}.tsv"],
    output:
        **fit_outputs(f"{{model,{names_like(False, 'one')}}}", ["{seed}"], attention=False),
    log:
        f"{LOGS}/training/{{trait}}/{{model}}/seed{{seed}}.log",
    benchmark:
        f"{BENCHMARKS}/training/{{trait}}/{{model}}/seed{{seed}}.tsv"
    conda:
        "../../envs/training.yaml"
    threads: lambda wildcards: 4 if MODELS[wildcards.model]["preset"] == "paper" else 1
    resources:
        mem_mb=lambda wildcards: 16000 if MODELS[wildcards.model]["preset"] == "paper" else 4000,
        runtime=lambda wildcards: 2880 if MODELS[wildcards.model]["preset"] == "paper" else 240,
        gpu=lambda wildcards: MODELS[wildcards.model]["gpu"],
    params:
        block=lambda wildcards: block_of(wildcards.model),
        seeds=lambda wildcards: [int(wildcards.seed)],
        source=lambda wildcards: sources_of(wildcards.model),
    message:
        "training: {wildcards.model} on {wildcards.trait}, seed {wildcards.seed}"
    script:
        "../scripts/fit_model.py"


use rule fit_model as fit_attention_model with:
    output:
        **fit_outputs(f"{{model,{names_like(True, 'one')}}}", ["{seed}"], attention=True),


use rule fit_model as fit_model_seeds with:
    input:
        dosage=f"{RESULTS}/cohort/dosage.npy",
        samples=f"{RESULTS}/cohort/samples.tsv",
        variants=f"{RESULTS}/cohort/variants.tsv",
        phenotypes=f"{RESULTS}/cohort/phenotypes/{{trait}}.tsv",
        cim=cim_of,
        tuned=tuned_of,
        splits=[f"{RESULTS}/cohort/splits/{SCHEME}/seed{seed}.tsv" for seed in SEEDS],
    output:
        **fit_outputs(f"{{model,{names_like(False, 'all')}}}", SEEDS, attention=False),
    log:
        f"{LOGS}/training/{{trait}}/{{model}}/all_seeds.log",
    benchmark:
        f"{BENCHMARKS}/training/{{trait}}/{{model}}/all_seeds.tsv"
    params:
        block=lambda wildcards: block_of(wildcards.model),
        seeds=SEEDS,
        source=lambda wildcards: sources_of(wildcards.model),
    message:
        "training: {wildcards.model} on {wildcards.trait}, all seeds"


use rule fit_model_seeds as fit_attention_model_seeds with:
    output:
        **fit_outputs(f"{{model,{names_like(True, 'all')}}}", SEEDS, attention=True),
