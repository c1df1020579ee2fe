"""Why a model predicts what it predicts: importance of SNPs, association scans, known loci.

- `plan`: which models are asked, and how
- `effects`: importance by SNP effects, of linear models
- `explaining`, `gradients`: importance by integrated gradients, of networks (imports torch)
- `importance`: over seeds, by window, by chromosome
- `gwas`: single-SNP association with principal components, by PLINK 2
- `genetic_parameters`, `parameter_tables`: heritabilities and correlations of traits, by REML
- `loci`: top loci, and what chance makes of them
- `overlap`: top loci of models beside those of the scan
- `attention`: attention between chromosomes, over seeds
- `qtl`: published loci, named as the study names them
- `recovery`: those that a model finds again
"""
