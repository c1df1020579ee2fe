"""Find the lines that are nearly the same, by their calls before imputation."""

from soyfold.cohort.clusters import find_clusters
from soyfold.common.files import write_table
from soyfold.common.logs import rule_log

with rule_log(snakemake.log[0]):
    clusters = find_clusters(snakemake.input.bed, identity=snakemake.params.identity)
    write_table(clusters, snakemake.output.clusters)
