# Hi-C of any format -> one cooler per library -> merged, balanced -> CIM and its controls.

from soyfold.contacts import cim

# Without a bin size that the study fixes, the coarsest of the libraries is found when they merge.
FIXED_RESOLUTION = SETTINGS["contacts"]["resolution"]
if FIXED_RESOLUTION == "coarsest":
    FIXED_RESOLUTION = None

SOURCE_OF_CONTACTS = "expected from chromosome lengths"
if LIBRARIES:
    SOURCE_OF_CONTACTS = (
        f"Hi-C of {len(LIBRARIES)} {'libraries' if len(LIBRARIES) > 1 else 'library'}"
    )
    if SETTINGS["contacts"]["balance"]:
        SOURCE_OF_CONTACTS += ", ICE-balanced"


rule load_library:
    input:
        unpack(
            lambda wildcards: {
                key: LIBRARIES[wildcards.library][key]
                for key in ("file", "bins")
                if LIBRARIES[wildcards.library][key]
            }
        ),
        chromosomes=SETTINGS["chromosomes"],
    output:
        cool=f"{RESULTS}/contacts/libraries/{{library}}.cool",
        table=f"{RESULTS}/contacts/libraries/{{library}}.tsv",
    log:
        f"{LOGS}/contacts/load_library/{{library}}.log",
    benchmark:
        f"{BENCHMARKS}/contacts/load_library/{{library}}.tsv"
    conda:
        "../../envs/contacts.yaml"
    threads: 1
    resources:
        mem_mb=raised(2000),
        runtime=240,
        gpu=0,
    params:
        row=lambda wildcards: LIBRARIES[wildcards.library],
        resolution=FIXED_RESOLUTION,
        source=source_digest("load_library"),
    message:
        "contacts: loading library {wildcards.library} from {input.file}"
    script:
        "../scripts/load_library.py"


rule merge_libraries:
    input:
        coolers=expand(f"{RESULTS}/contacts/libraries/{{library}}.cool", library=LIBRARIES),
        tables=expand(f"{RESULTS}/contacts/libraries/{{library}}.tsv", library=LIBRARIES),
    output:
        cool=f"{RESULTS}/contacts/merged.cool",
        table=f"{RESULTS}/contacts/libraries.tsv",
    log:
        f"{LOGS}/contacts/merge_libraries.log",
    benchmark:
        f"{BENCHMARKS}/contacts/merge_libraries.tsv"
    conda:
        "../../envs/contacts.yaml"
    threads: 1
    resources:
        mem_mb=raised(4000),
        runtime=240,
        gpu=0,
    params:
        balance=SETTINGS["contacts"]["balance"],
        source=source_digest("merge_libraries"),
    message:
        "contacts: merging and balancing {output.cool}"
    script:
        "../scripts/merge_libraries.py"


rule sum_contacts:
    input:
        cool=f"{RESULTS}/contacts/merged.cool" if LIBRARIES else [],
        chromosomes=SETTINGS["chromosomes"],
    output:
        f"{RESULTS}/contacts/cim_sums.tsv",
    log:
        f"{LOGS}/contacts/sum_contacts.log",
    benchmark:
        f"{BENCHMARKS}/contacts/sum_contacts.tsv"
    conda:
        "../../envs/contacts.yaml"
    threads: 1
    resources:
        mem_mb=raised(2000),
        runtime=60,
        gpu=0,
    params:
        balanced=SETTINGS["contacts"]["balance"],
        source_of_contacts=SOURCE_OF_CONTACTS,
        source=source_digest("sum_contacts"),
    message:
        "contacts: by pairs of chromosomes, {params.source_of_contacts}"
    script:
        "../scripts/sum_contacts.py"


rule normalise_cim:
    input:
        sums=f"{RESULTS}/contacts/cim_sums.tsv",
        chromosomes=SETTINGS["chromosomes"],
    output:
        f"{RESULTS}/contacts/cim.tsv",
    log:
        f"{LOGS}/contacts/normalise_cim.log",
    benchmark:
        f"{BENCHMARKS}/contacts/normalise_cim.tsv"
    conda:
        "../../envs/contacts.yaml"
    threads: 1
    resources:
        mem_mb=raised(1000),
        runtime=10,
        gpu=0,
    params:
        method=SETTINGS["contacts"]["normalisation"],
        zero_diagonal=SETTINGS["contacts"]["zero_diagonal"],
        source=source_digest("normalise_cim"),
    message:
        "contacts: normalising {input.sums} ({params.method})"
    script:
        "../scripts/normalise_cim.py"


rule make_control:
    input:
        cim=f"{RESULTS}/contacts/cim.tsv",
        sums=f"{RESULTS}/contacts/cim_sums.tsv",
        chromosomes=SETTINGS["chromosomes"],
    output:
        f"{RESULTS}/contacts/cim_{{control}}.tsv",
    log:
        f"{LOGS}/contacts/make_control/{{control}}.log",
    benchmark:
        f"{BENCHMARKS}/contacts/make_control/{{control}}.tsv"
    wildcard_constraints:
        control=cim.CONTROL,
    conda:
        "../../envs/contacts.yaml"
    threads: 1
    resources:
        mem_mb=raised(1000),
        runtime=10,
        gpu=0,
    params:
        method=SETTINGS["contacts"]["normalisation"],
        zero_diagonal=SETTINGS["contacts"]["zero_diagonal"],
        source=source_digest("make_control"),
    message:
        "contacts: control CIM {wildcards.control}"
    script:
        "../scripts/make_control.py"


rule plot_cim:
    input:
        cim=f"{RESULTS}/contacts/cim.tsv",
        chromosomes=SETTINGS["chromosomes"],
    output:
        png=report(
            f"{RESULTS}/report/figures/cim.png",
            caption="../report/cim.rst",
            category=CATEGORY["contacts"],
            labels={"what": "CIM"},
        ),
        svg=f"{RESULTS}/report/figures/cim.svg",
    log:
        f"{LOGS}/contacts/plot_cim.log",
    benchmark:
        f"{BENCHMARKS}/contacts/plot_cim.tsv"
    conda:
        "../../envs/contacts.yaml"
    threads: 1
    resources:
        mem_mb=raised(1000),
        runtime=10,
        gpu=0,
    params:
        method=SETTINGS["contacts"]["normalisation"],
        title=SETTINGS["title"],
        source_of_contacts=SOURCE_OF_CONTACTS,
        source=source_digest("plot_cim"),
    message:
        "contacts: heat map {output.png}"
    script:
        "../scripts/plot_cim.py"
