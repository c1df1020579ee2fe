# soyfold: from genotypes, Hi-C and phenotypes to trained models, metric tables and figures.
# Storeys in flow order; each has the same name in workflow/rules, results/<study>, logs.
from snakemake.utils import min_version

min_version("9.27")

if not workflow.configfiles:

    configfile: "config/config.yaml"


include: "workflow/rules/common.smk"
include: "workflow/rules/fits.smk"
include: "workflow/rules/genotypes.smk"
include: "workflow/rules/imputation.smk"
include: "workflow/rules/contacts.smk"
include: "workflow/rules/cohort.smk"
include: "workflow/rules/kernels.smk"
include: "workflow/rules/training.smk"
include: "workflow/rules/prediction.smk"
include: "workflow/rules/evaluation.smk"
include: "workflow/rules/explained.smk"
include: "workflow/rules/interpretation.smk"
include: "workflow/rules/report.smk"
include: "workflow/rules/reported.smk"
include: "workflow/rules/pages.smk"
include: "workflow/rules/targets.smk"


rule all:
    default_target: True
    input:
        **TARGETS,
