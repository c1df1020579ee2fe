# Makes every environment of this folder and runs nothing: for the container (see the Dockerfile).
from pathlib import Path

FILES = sorted(Path(workflow.basedir).glob("*.yaml"))


rule all:
    input:
        [f"{file.stem}.made" for file in FILES],


for file in FILES:

    rule:
        name:
            file.stem
        output:
            f"{file.stem}.made",
        conda:
            file.name
        shell:
            "touch {output}"
