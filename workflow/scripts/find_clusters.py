"""Find the lines that are nearly the same, by their calls before imputation."""

from soyfold.clusters import find_clusters
from soyfold.files import write_table
from soyfold.logs import rule_log

with rule_log(snakemake.log[0]):
    clusters = find_clusters(snakemake.input.bed, identity=snakemake.params.identity)
    write_table(clusters, snakemake.output.clusters)
