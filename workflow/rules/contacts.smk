# Hi-C of any format -> one cooler per library -> merged, balanced -> CIM and its controls.

from soyfold.contacts.cim import CONTROL


# Contacts go first among the jobs that could start, so that a fault of a Hi-C file is told before
# hours of imputation and not after them.
rule load_library:
    input:
        unpack(study.inputs.library_files),
        chromosomes=study.settings["chromosomes"],
    output:
        cool=f"{study.results}/contacts/libraries/{{library}}.cool",
        table=f"{study.results}/contacts/libraries/{{library}}.tsv",
    log:
        f"{study.logs}/contacts/load_library/{{library}}.log",
    priority: 1
    conda:
        "../../envs/contacts.yaml"
    resources:
        **study.resources(2000, minutes=240),
    params:
        row=lambda wildcards: study.libraries[wildcards.library],
        resolution=study.inputs.resolution,
        source=study.source("load_library"),
    message:
        "contacts: loading library {wildcards.library} from {input.file}"
    script:
        "../scripts/load_library.py"


rule merge_libraries:
    input:
        coolers=expand(
            f"{study.results}/contacts/libraries/{{library}}.cool", library=study.libraries
        ),
        tables=expand(
            f"{study.results}/contacts/libraries/{{library}}.tsv", library=study.libraries
        ),
    output:
        cool=f"{study.results}/contacts/merged.cool",
        table=f"{study.results}/contacts/libraries.tsv",
    log:
        f"{study.logs}/contacts/merge_libraries.log",
    priority: 1
    conda:
        "../../envs/contacts.yaml"
    resources:
        **study.resources(4000, minutes=240),
    params:
        balance=study.settings["contacts"]["balance"],
        source=study.source("merge_libraries"),
    message:
        "contacts: merging and balancing {output.cool}"
    script:
        "../scripts/merge_libraries.py"


rule sum_contacts:
    input:
        cool=f"{study.results}/contacts/merged.cool" if study.libraries else [],
        chromosomes=study.settings["chromosomes"],
    output:
        f"{study.results}/contacts/cim_sums.tsv",
    log:
        f"{study.logs}/contacts/sum_contacts.log",
    priority: 1
    conda:
        "../../envs/contacts.yaml"
    resources:
        **study.resources(2000, minutes=60),
    params:
        balanced=study.settings["contacts"]["balance"],
        source_of_contacts=study.inputs.source_of_contacts,
        source=study.source("sum_contacts"),
    message:
        "contacts: by pairs of chromosomes, {params.source_of_contacts}"
    script:
        "../scripts/sum_contacts.py"


rule normalise_cim:
    input:
        sums=f"{study.results}/contacts/cim_sums.tsv",
        chromosomes=study.settings["chromosomes"],
    output:
        f"{study.results}/contacts/cim.tsv",
    log:
        f"{study.logs}/contacts/normalise_cim.log",
    priority: 1
    conda:
        "../../envs/contacts.yaml"
    resources:
        **study.resources(),
    params:
        method=study.settings["contacts"]["normalisation"],
        zero_diagonal=study.settings["contacts"]["zero_diagonal"],
        source=study.source("normalise_cim"),
    message:
        "contacts: normalising {input.sums} ({params.method})"
    script:
        "../scripts/normalise_cim.py"


rule make_control:
    input:
        cim=f"{study.results}/contacts/cim.tsv",
        sums=f"{study.results}/contacts/cim_sums.tsv",
        chromosomes=study.settings["chromosomes"],
    output:
        f"{study.results}/contacts/cim_{{control}}.tsv",
    log:
        f"{study.logs}/contacts/make_control/{{control}}.log",
    wildcard_constraints:
        control=CONTROL,
    conda:
        "../../envs/contacts.yaml"
    resources:
        **study.resources(),
    params:
        method=study.settings["contacts"]["normalisation"],
        zero_diagonal=study.settings["contacts"]["zero_diagonal"],
        source=study.source("make_control"),
    message:
        "contacts: control CIM {wildcards.control}"
    script:
        "../scripts/make_control.py"


rule plot_cim:
    input:
        cim=f"{study.results}/contacts/cim.tsv",
        chromosomes=study.settings["chromosomes"],
    output:
        png=report(
            f"{study.report.figures}/cim.png",
            caption="../report/cim.rst",
            **study.report.place("CIM", "contacts"),
        ),
        svg=f"{study.report.figures}/cim.svg",
    log:
        f"{study.logs}/contacts/plot_cim.log",
    conda:
        "../../envs/contacts.yaml"
    resources:
        **study.resources(),
    params:
        method=study.settings["contacts"]["normalisation"],
        title=study.settings["title"],
        source_of_contacts=study.inputs.source_of_contacts,
        source=study.source("plot_cim"),
    message:
        "contacts: heat map {output.png}"
    script:
        "../scripts/plot_cim.py"
