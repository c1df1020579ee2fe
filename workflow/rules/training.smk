# Every trait x model x split. A quick model's splits share a job, and so do its controls; models with
# attention write more.
# A search finds a network's hyperparameters, once for a trait, on the first split's validation lines.
# Products of all lines once a study, decompositions once a split are what kernel models share.


rule compute_products:
    input:
        dosage=f"{study.results}/cohort/dosage.npy",
    output:
        products=f"{study.results}/cohort/products.npy",
    log:
        f"{study.logs}/cohort/compute_products.log",
    conda:
        "../../envs/training.yaml"
    resources:
        **study.resources(4000, minutes=60),
    params:
        source=study.source("compute_products"),
    message:
        "cohort: products of all lines' dosages"
    script:
        "../scripts/compute_products.py"


rule decompose_kernel:
    input:
        products=f"{study.results}/cohort/products.npy",
        samples=f"{study.results}/cohort/samples.tsv",
        split=f"{study.results}/cohort/splits/{{parts}}.tsv",
    output:
        small=f"{study.results}/training/kernels/{{parts}}/{{kernel}}_{{part}}.npz",
        reflectors=f"{study.results}/training/kernels/{{parts}}/{{kernel}}_{{part}}.npy",
    log:
        f"{study.logs}/training/kernels/{{parts}}/{{kernel}}_{{part}}.log",
    wildcard_constraints:
        kernel="additive|gaussian[0-9.]+",
        part="train|train_val",
    conda:
        "../../envs/training.yaml"
    resources:
        **study.resources(6000, minutes=120),
    params:
        source=study.source("decompose_kernel"),
    message:
        "training: {wildcards.kernel} kernel of {wildcards.parts}, {wildcards.part}"
    script:
        "../scripts/decompose_kernel.py"


# Neither temp() nor an input of the fits: reflectors made again for a new trait would rerun all others.
rule release_kernels:
    input:
        predictions=study.kernels.read,
    output:
        released=f"{study.results}/training/kernels/{{parts}}/released.tsv",
    log:
        f"{study.logs}/training/kernels/{{parts}}/release_kernels.log",
    priority: 2
    localrule: True
    conda:
        "../../envs/training.yaml"
    resources:
        **study.resources(500),
    params:
        source=study.source("release_kernels"),
    message:
        "training: the fits on {wildcards.parts} are done, its kernels go"
    script:
        "../scripts/release_kernels.py"


# Kernels of hypotheses and their copies hang on genotypes alone: traits share them, and they stay.
rule multiply_groups:
    input:
        dosage=f"{study.results}/cohort/dosage.npy",
        groups=f"{study.hypotheses.folder}/{{hypothesis}}/groups.npz",
    output:
        products=f"{study.hypotheses.tried}/{{hypothesis}}/products.npz",
    log:
        f"{study.logs}/training/multiply_groups/{{hypothesis}}.log",
    conda:
        "../../envs/training.yaml"
    resources:
        **study.resources(4000, minutes=240),
    params:
        permuted=study.hypotheses.settings.get("permuted"),
        source=study.source("multiply_groups"),
    message:
        "training: products of the groups of {wildcards.hypothesis}, and of its copies"
    script:
        "../scripts/multiply_groups.py"


rule try_hypotheses:
    input:
        products=study.hypotheses.products,
        dosage=f"{study.results}/cohort/dosage.npy",
        samples=f"{study.results}/cohort/samples.tsv",
        variants=f"{study.results}/cohort/variants.tsv",
        phenotypes=f"{study.results}/cohort/phenotypes/{{trait}}.tsv",
        covariates=study.inputs.covariates_table,
        splits=study.hypotheses.splits,
    output:
        scores=f"{study.hypotheses.tried}/{{trait}}.tsv",
    log:
        f"{study.logs}/training/try_hypotheses/{{trait}}.log",
    wildcard_constraints:
        trait=study.any_of(study.traits),
    conda:
        "../../envs/training.yaml"
    resources:
        **study.resources(4000, minutes=240),
    params:
        hypotheses=study.hypotheses.names,
        seeds=study.seeds,
        source=study.source("try_hypotheses"),
    message:
        "training: hypotheses and their copies on {wildcards.trait}"
    script:
        "../scripts/try_hypotheses.py"


rule try_network_hypothesis:
    input:
        dosage=f"{study.results}/cohort/dosage.npy",
        samples=f"{study.results}/cohort/samples.tsv",
        variants=f"{study.results}/cohort/variants.tsv",
        phenotypes=f"{study.results}/cohort/phenotypes/{{trait}}.tsv",
        covariates=study.inputs.covariates_table,
        splits=study.hypotheses.splits,
        groups=study.fits.groups,
        classes=study.fits.classes,
        cim=study.fits.cim,
        tuned=study.fits.tuned_parameters,
    output:
        scores=f"{study.hypotheses.tried}/{{trait}}/{{model}}/{{arm}}.tsv",
    log:
        f"{study.logs}/training/try_hypotheses/{{trait}}/{{model}}/{{arm}}.log",
    wildcard_constraints:
        trait=study.any_of(study.traits),
        model=study.any_of(study.hypotheses.networks),
        arm="[a-z0-9]+",
    conda:
        "../../envs/training.yaml"
    threads: study.fits.threads
    resources:
        **study.resources(
            study.fits.memory,
            minutes=lambda wildcards: study.fits.minutes(wildcards) * len(study.seeds),
            gpu=lambda wildcards: min(1, study.fits.gpus(wildcards)),
        ),
    params:
        block=lambda wildcards: study.models[wildcards.model],
        seeds=study.seeds,
        kind=lambda wildcards: study.fits.kind_of(wildcards.trait),
        source=lambda wildcards: study.source("try_network_hypothesis", wildcards.model),
    message:
        "training: {wildcards.arm} of the hypothesis of {wildcards.model} on {wildcards.trait}"
    script:
        "../scripts/try_network_hypothesis.py"


# A target's curve by a model: every number of lines, alone and beside the traits of its group.
for fitted_by, names in study.transfer.models.items():

    rule:
        name:
            fitted_by
        input:
            dosage=f"{study.results}/cohort/dosage.npy",
            samples=f"{study.results}/cohort/samples.tsv",
            variants=f"{study.results}/cohort/variants.tsv",
            phenotypes=study.transfer.phenotypes,
            cells=study.transfer.cells,
            cim=study.fits.cim,
            groups=study.fits.groups,
            classes=study.fits.classes,
            products=study.kernels.products,
            families=study.transfer.families,
            covariates=study.inputs.covariates_table,
            conditions=study.transfer.conditions,
            splits=study.transfer.splits,
        output:
            scores=f"{study.transfer.folder}/{{trait}}/{{model}}.tsv",
        log:
            f"{study.logs}/training/{fitted_by}/{{trait}}_{{model}}.log",
        wildcard_constraints:
            trait=study.any_of(study.transfer.targets),
            model=study.any_of(names),
        conda:
            "../../envs/training.yaml"
        threads: study.fits.threads
        resources:
            **study.resources(study.fits.memory, minutes=2880, gpu=study.fits.gpus),
        params:
            block=lambda wildcards: study.fits.block(wildcards.model),
            seeds=study.seeds,
            traits=study.transfer.together,
            environments=study.transfer.environments,
            points=study.transfer.settings.get("points"),
            fewest=study.transfer.settings.get("fewest"),
            weights=study.fits.weights,
            kinds=study.transfer.kinds,
            source=lambda wildcards, code=fitted_by: study.source(code, wildcards.model),
            script=fitted_by,
        message:
            "training: {wildcards.model} on {wildcards.trait}, over the lines with a value of it"
        script:
            "../scripts/{params.script}.py"


rule tune_model:
    input:
        dosage=f"{study.results}/cohort/dosage.npy",
        samples=f"{study.results}/cohort/samples.tsv",
        variants=f"{study.results}/cohort/variants.tsv",
        phenotypes=f"{study.results}/cohort/phenotypes/{{trait}}.tsv",
        cim=study.fits.cim,
        groups=study.fits.groups,
        classes=study.fits.classes,
        covariates=study.inputs.covariates_table,
        split=study.fits.first_split,
    output:
        best=f"{study.results}/training/{{trait}}/{{model}}/tuning/best.yaml",
        trials=f"{study.results}/training/{{trait}}/{{model}}/tuning/trials.tsv",
    log:
        f"{study.logs}/training/{{trait}}/{{model}}/tuning.log",
    wildcard_constraints:
        model=study.fits.tuned_names,
    conda:
        "../../envs/training.yaml"
    threads: study.fits.search["workers"]
    resources:
        mem_mb=lambda wildcards, attempt, threads: (
            attempt * threads * study.fits.memory(wildcards)
        ),
        runtime=2880,
        gpu=study.fits.gpus,
    params:
        block=study.fits.searched,
        trials=study.fits.search["trials"],
        seed=study.fits.search["seed"],
        weights=study.fits.weights,
        kind=lambda wildcards: study.fits.kind_of(wildcards.trait),
        source=lambda wildcards: study.source("tune_model", wildcards.model),
    message:
        "training: searching {wildcards.model}'s hyperparameters for {wildcards.trait}"
    script:
        "../scripts/tune_model.py"


for job in study.fits.jobs:

    rule:
        name:
            job.rule
        input:
            dosage=f"{study.results}/cohort/dosage.npy",
            samples=f"{study.results}/cohort/samples.tsv",
            variants=f"{study.results}/cohort/variants.tsv",
            phenotypes=job.phenotypes,
            cim=job.cim,
            groups=job.groups,
            classes=job.classes,
            tuned=study.fits.tuned_parameters,
            products=study.kernels.products,
            kernels=job.kernels,
            families=job.families,
            covariates=study.inputs.covariates_table,
            conditions=job.conditions,
            splits=job.split_files,
        output:
            **job.outputs,
        log:
            f"{study.logs}/training/{{trait}}/{{model}}/{job.name}.log",
        # A split's kernels are large until its fits are done.
        priority: 1
        conda:
            "../../envs/training.yaml"
        threads: study.fits.threads
        resources:
            **study.resources(study.fits.memory, minutes=study.fits.minutes, gpu=study.fits.gpus),
        params:
            block=job.block,
            seeds=job.seeds,
            traits=job.together,
            weights=job.weights,
            kind=job.kind,
            source=job.source,
            script=job.script,
        message:
            job.message
        # By a parameter: the loop's own name would be that of its last round when this is read.
        script:
            "../scripts/{params.script}.py"


# Seconds for all splits of a scheme: the members' predictions are read, weighted and written.
for job in study.fits.blend_jobs:

    rule:
        name:
            job.rule
        input:
            members=job.members,
        output:
            **job.outputs,
        log:
            f"{study.logs}/training/{{trait}}/{{model}}/{job.name}.log",
        conda:
            "../../envs/training.yaml"
        resources:
            **study.resources(),
        params:
            block=job.block,
            source=job.source,
        message:
            f"training: {{wildcards.model}} on {{wildcards.trait}}, splits of {job.scheme}"
        script:
            "../scripts/fit_blend.py"
