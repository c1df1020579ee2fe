#!/usr/bin/env bash
# What tests/slurm needs beyond envs/install.sh: Slurm with its accounting, on Debian, as root.
set -euo pipefail

packages=(slurm-wlm slurmdbd slurm-wlm-basic-plugins slurm-wlm-mysql-plugin mariadb-server munge)
missing=0
for program in munged mariadbd slurmdbd slurmctld slurmd sbatch sacct; do
    command -v "$program" >/dev/null || missing=1
done
[ "$missing" = 1 ] || exit 0
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    echo "soyfold: found no Slurm, and only root on Debian may install it; to mend: apt-get install ${packages[*]}" >&2
    exit 1
fi
echo "soyfold: installing ${packages[*]}"
# The packages' own services stay off: the test starts its own in a private folder.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod +x "$policy"
    trap 'rm -f "$policy"' EXIT
fi
apt-get update -qq
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${packages[@]}" >/dev/null
