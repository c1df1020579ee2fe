#!/usr/bin/env bash
# Brings a fresh Debian 12 with Python 3.11 to where soyfold runs: .venv with pinned packages,
# PLINK 1.9 and 2, Beagle with Java, and the headers that hicstraw's build needs. Safe to run again.
set -euo pipefail
cd "$(dirname "$0")/.."

packages=(plink1.9 plink2 beagle default-jre-headless g++ python3-dev python3-venv libcurl4-openssl-dev zlib1g-dev)
conda_way="conda install -c conda-forge -c bioconda 'plink=1.90*' plink2 beagle gxx libcurl zlib"

python=$(command -v python3.11 || command -v python3 || true)
if [ -z "$python" ] || ! "$python" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))'; then
    echo "soyfold: found ${python:-no python3}; allowed: Python 3.11; to mend: apt-get install python3.11 python3.11-venv" >&2
    exit 1
fi

# A line a step: what is done, then how long it took.
step() { printf 'soyfold: %s ... ' "$1"; begun=$SECONDS; }
took() { echo "$((SECONDS - begun)) s"; }

has_plink() { command -v plink1.9 >/dev/null || { command -v plink >/dev/null && plink --version | grep -q '^PLINK v1\.9'; }; }
has_plink2() { command -v plink2 >/dev/null; }
has_beagle() { command -v beagle >/dev/null && command -v java >/dev/null; }
has_venv() { [ -x .venv/bin/python ] || "$python" -c 'import ensurepip' 2>/dev/null; }
has_headers() { command -v g++ >/dev/null && { [ -f /usr/include/curl/curl.h ] || ls /usr/include/*/curl/curl.h; } >/dev/null 2>&1 && [ -f /usr/include/zlib.h ]; }

if ! has_plink || ! has_plink2 || ! has_beagle || ! has_venv || ! has_headers; then
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        step "installing ${packages[*]} (apt)"
        apt-get update -qq
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${packages[@]}" >/dev/null
        took
    elif ! has_plink || ! has_plink2 || ! has_beagle || ! has_venv; then
        echo "soyfold: found no PLINK 1.9, no PLINK 2, no Beagle with Java or no Python venv; to mend: sudo apt-get install ${packages[*]}   (or: $conda_way)" >&2
        exit 1
    fi
fi

if [ ! -x .venv/bin/python ]; then
    step "making .venv with $("$python" --version)"
    "$python" -m venv .venv
    took
fi
step "installing the $(grep -c == envs/constraints.txt) pinned Python packages into .venv (2.3 GB)"
.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-compile -r envs/requirements.txt -c envs/constraints.txt
# On all cores, and without the packages' own tests: pip takes 98 s for all of it on one core.
.venv/bin/python -m compileall -q -j 0 -x '/tests?/' .venv/lib >/dev/null 2>&1 || true
took
step "building hicstraw, which reads .hic files, where it isn't there"
if ! .venv/bin/python -c 'import hicstraw' 2>/dev/null &&
    ! .venv/bin/python -m pip install --quiet --disable-pip-version-check -r envs/requirements-hic.txt -c envs/constraints.txt; then
    echo
    echo "soyfold: hicstraw could not be built, so .hic input won't work (all other Hi-C formats do); to mend: sudo apt-get install g++ python3-dev libcurl4-openssl-dev zlib1g-dev, then make setup" >&2
else
    took
fi
touch .venv/.ready
echo "soyfold: set up in $SECONDS s; 'source .venv/bin/activate' puts snakemake on your path"
