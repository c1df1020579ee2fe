# soyfold with the environments of envs/, made from the same files by Snakemake itself:
#   docker build --tag soyfold .
#   docker run --rm --volume "$PWD":/study soyfold --cores 8 --configfile my_study.yaml
# For GPUs, of which the building machine sees none, name their driver's CUDA: --build-arg CUDA=12.8
# For Apptainer: apptainer build soyfold.sif docker-daemon://soyfold:latest
FROM condaforge/miniforge3:25.3.1-0
COPY . /opt/soyfold
RUN conda config --system --set channel_priority strict \
    && conda env create --quiet --prefix /opt/snakemake --file /opt/soyfold/envs/snakemake.yaml
ENV PATH=/opt/snakemake/bin:$PATH
ARG CUDA=""
# The prefix is part of an environment's name, so the run below has to give the same.
RUN CONDA_OVERRIDE_CUDA="$CUDA" snakemake --snakefile /opt/soyfold/envs/all.smk --directory /tmp/envs --cores 1 \
        --software-deployment-method conda --conda-prefix /opt/envs --conda-create-envs-only \
    && rm -r /tmp/envs && conda clean --all --yes
WORKDIR /study
ENTRYPOINT ["snakemake", "--snakefile", "/opt/soyfold/Snakefile", \
    "--software-deployment-method", "conda", "--conda-prefix", "/opt/envs"]
