# Products of all lines once a study, decompositions once a split: what all traits' kernel models share.
# Folders of decompositions, with the fits that read them.
KERNEL_FITS = {}
for fit in ALL_FITS:
    if kernel_names.kernels_of(MODELS[fit["model"]]):
        KERNEL_FITS.setdefault(kernel_folder(fit["trait"], fit["split"]), []).append(fit)
KERNEL_ROOT = f"{RESULTS}/training/kernels"
# Those to remove when their fits are done: of the study's fits, and of the final ones.
SPENT = [] if SETTINGS["training"]["keep_kernels"] else list(KERNEL_FITS)
FINAL_RELEASED = [folder for folder in SPENT if folder == f"{KERNEL_ROOT}/{schemes.FINAL}/seed0"]
RELEASED = [folder for folder in SPENT if folder not in FINAL_RELEASED]


rule compute_products:
    input:
        dosage=f"{RESULTS}/cohort/dosage.npy",
    output:
        products=f"{RESULTS}/cohort/products.npy",
    log:
        f"{LOGS}/cohort/compute_products.log",
    benchmark:
        f"{BENCHMARKS}/cohort/compute_products.tsv"
    conda:
        "../../envs/training.yaml"
    threads: 1
    resources:
        mem_mb=raised(4000),
        runtime=60,
        gpu=0,
    params:
        source=source_digest("compute_products"),
    message:
        "cohort: products of all lines' dosages"
    script:
        "../scripts/compute_products.py"


rule decompose_kernel:
    input:
        products=f"{RESULTS}/cohort/products.npy",
        samples=f"{RESULTS}/cohort/samples.tsv",
        split=f"{RESULTS}/cohort/splits/{{parts}}.tsv",
    output:
        small=f"{RESULTS}/training/kernels/{{parts}}/{{kernel}}_{{part}}.npz",
        reflectors=f"{RESULTS}/training/kernels/{{parts}}/{{kernel}}_{{part}}.npy",
    log:
        f"{LOGS}/training/kernels/{{parts}}/{{kernel}}_{{part}}.log",
    benchmark:
        f"{BENCHMARKS}/training/kernels/{{parts}}/{{kernel}}_{{part}}.tsv"
    wildcard_constraints:
        kernel="additive|gaussian[0-9.]+",
        part="train|train_val",
    conda:
        "../../envs/training.yaml"
    threads: 1
    resources:
        mem_mb=raised(6000),
        runtime=120,
        gpu=0,
    params:
        source=source_digest("decompose_kernel"),
    message:
        "training: {wildcards.kernel} kernel of {wildcards.parts}, {wildcards.part}"
    script:
        "../scripts/decompose_kernel.py"


# Neither temp() nor an input of the fits: reflectors made again for a new trait would rerun all others.
rule release_kernels:
    input:
        metrics=lambda wildcards: [
            f"{RESULTS}/{fit['folder']}/metrics.tsv"
            for fit in KERNEL_FITS[f"{RESULTS}/training/kernels/{wildcards.parts}"]
        ],
    output:
        released=f"{RESULTS}/training/kernels/{{parts}}/released.tsv",
    log:
        f"{LOGS}/training/kernels/{{parts}}/release_kernels.log",
    benchmark:
        f"{BENCHMARKS}/training/kernels/{{parts}}/release_kernels.tsv"
    priority: 2
    localrule: True
    conda:
        "../../envs/training.yaml"
    threads: 1
    resources:
        mem_mb=raised(500),
        runtime=10,
        gpu=0,
    params:
        source=source_digest("release_kernels"),
    message:
        "training: the fits on {wildcards.parts} are done, its kernels go"
    script:
        "../scripts/release_kernels.py"
