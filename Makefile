# Each target sets up what it needs. The only ones a new user has to know: demo and test.
SHELL := /bin/bash
.DELETE_ON_ERROR:
.PHONY: demo new report why test test-slurm lint format docs bench bench-kernels bench-power bench-epistasis bench-temperature bench-scale bench-startup bench-untested bench-crosses clean setup help

BIN := .venv/bin
CORES ?= all
export PATH := $(CURDIR)/$(BIN):$(PATH)

help:
	@echo "make demo    run the embedded demo study (set-up included)"
	@echo "make new     write a study file (STUDY=name VCF=genotypes PHENOTYPES=table)"
	@echo "make report  write a study's HTML report, and finish the study first (STUDY=config/config.yaml)"
	@echo "make why     say why jobs would run again: which input, parameter or source changed (STUDY)"
	@echo "make test    run all tests (set-up included)"
	@echo "make test-slurm   the demo on a real one-node Slurm (as root on Debian; about 20 minutes)"
	@echo "make lint    ruff, snakefmt, snakemake --lint"
	@echo "make docs    write what the models and faults say of themselves into README.md, config/, docs/"
	@echo "make bench   time and memory of the attention's forms (about 15 minutes)"
	@echo "make bench-kernels   GBLUP per fold beside other programs (BENCH_ARGS=\"--janusx PYTHON\")"
	@echo "make bench-power   what each model could have seen: planted epistasis on yeast (BENCH_ARGS)"
	@echo "make bench-epistasis   which models learn products of four loci (BENCH_ARGS)"
	@echo "make bench-temperature   the same traits at eight temperatures: few lines at one (BENCH_ARGS)"
	@echo "make bench-scale   each storey's time and memory on a simulated study (BENCH_ARGS)"
	@echo "make bench-startup   CPU time and memory of a job's imports (BENCH_ARGS)"
	@echo "make bench-untested   SoyNAM lines set aside, predicted as untested ones (UNTESTED_SETS, 25 minutes each)"
	@echo "make bench-crosses   SoyNAM families foretold from their parents (BENCH_ARGS)"
	@echo "make clean   remove the demo's results"

.venv/.ready: envs/install.sh envs/requirements.txt envs/requirements-hic.txt envs/constraints.txt
	@bash envs/install.sh

setup: .venv/.ready

demo: .venv/.ready
	@snakemake --cores $(CORES)

STUDY ?= config/config.yaml
report: .venv/.ready
	@python workflow/scripts/write_report.py "$(STUDY)" --cores $(CORES) $(REPORT_ARGS)

why: .venv/.ready
	@python workflow/scripts/explain_reruns.py --configfile "$(STUDY)"

new: .venv/.ready
	@python workflow/scripts/new_study.py "$(STUDY)" "$(VCF)" "$(PHENOTYPES)"

TEST_PROCESSES ?= auto
test: .venv/.ready
	@bash envs/install_browser.sh
	@OMP_NUM_THREADS=1 python -m pytest -n $(TEST_PROCESSES) --max-worker-restart=0 --durations=20 $(PYTEST_ARGS)

SLURM_STUDY ?= demo
SLURM_LOG ?= results/slurm.log
test-slurm: .venv/.ready
	@bash tests/slurm/install.sh
	@SLURM_STUDY=$(SLURM_STUDY) SLURM_LOG=$(SLURM_LOG) python -m pytest $(PYTEST_ARGS) tests/slurm/demo_on_slurm.py

lint: .venv/.ready
	ruff check .
	ruff format --check .
	snakefmt --check Snakefile workflow envs
	snakemake --lint

format: .venv/.ready
	ruff check --fix .
	ruff format .
	snakefmt Snakefile workflow envs

docs: .venv/.ready
	cd workflow/scripts && python -m soyfold.models.listing
	python tests/faults/fault_table.py

bench: .venv/.ready
	python benchmarks/attention/compare_forms.py --out results/benchmark_attention.tsv $(BENCH_ARGS)

bench-kernels: .venv/.ready
	python benchmarks/kernels/compare_gblup.py --out results/benchmark_kernels.tsv $(BENCH_ARGS)

YEAST := results/yeast/cohort/dosage.npy results/yeast/contacts/cim_sums.tsv
bench-power: .venv/.ready
	snakemake $(YEAST) --cores $(CORES) --configfile config/yeast.yaml
	python benchmarks/power/measure_power.py --out results/benchmark_power.tsv $(BENCH_ARGS)

# On simulated segregants where there are no real data.
YEAST_DATA := $(or $(SOYFOLD_DATA),../shared/data)/yeast
bench-epistasis bench-temperature: bench-%: .venv/.ready
	$(if $(wildcard $(YEAST_DATA)),snakemake $(YEAST) --cores $(CORES) --configfile config/yeast.yaml)
	python benchmarks/epistasis/measure_$*.py --out results/benchmark_$*.tsv \
	  --figure results/benchmark_$*.png $(BENCH_ARGS)

bench-scale: .venv/.ready
	python benchmarks/scale/measure_storeys.py --out results/benchmark_scale.tsv $(BENCH_ARGS)

bench-startup: .venv/.ready
	python benchmarks/startup/measure_imports.py --out results/benchmark_startup.tsv $(BENCH_ARGS)

UNTESTED := results/untested
UNTESTED_SETS ?= 1 2 3 4 5
# Written once: a new file, though of the same bytes, would rerun all of the study.
$(UNTESTED)/%/train.vcf.gz: | .venv/.ready
	python benchmarks/untested/set_aside.py --set $* --out $(UNTESTED)/$*

bench-untested: $(UNTESTED_SETS:%=$(UNTESTED)/%/train.vcf.gz)
	for set in $(UNTESTED_SETS); do snakemake predict --cores $(CORES) \
	  --configfile benchmarks/untested/study.yaml --config study=soynam_untested_$$set \
	  "genotypes={file: $(UNTESTED)/$$set/train.vcf.gz}" \
	  new_genotypes=$(UNTESTED)/$$set/new.vcf.gz || exit 1; done
	python benchmarks/untested/score.py --out results/benchmark_untested.tsv \
	  --predictions $(UNTESTED_SETS:%=results/soynam_untested_%/prediction/new/predictions.tsv)

CROSSES := results/soynam_crosses/cohort
bench-crosses: .venv/.ready
	snakemake $(CROSSES)/dosage.npy $(addprefix $(CROSSES)/phenotypes/,oil.tsv protein.tsv R8.tsv) \
	  --cores $(CORES) --configfile benchmarks/crosses/study.yaml
	python benchmarks/crosses/predict_families.py --results results/soynam_crosses \
	  --out results/benchmark_crosses $(BENCH_ARGS)

clean:
	rm -rf results/demo .pytest_cache .ruff_cache .hypothesis
