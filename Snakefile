# `snakemake` in this folder runs workflow/Snakefile, which is where the Snakemake workflow catalog looks.
# An included file names no default target, unless it is told to.
workflow.include("workflow/Snakefile", overwrite_default_target=True)
