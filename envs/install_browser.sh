#!/usr/bin/env bash
# Brings the browser that the report is tested in: Chromium without a desktop, and what drives it. The
# report itself needs neither. Where they can't be installed, the tests say so and are skipped.
set -uo pipefail
cd "$(dirname "$0")/.."

has_browser() { command -v chromium-headless-shell chromium chromium-browser google-chrome >/dev/null; }

if ! has_browser && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "soyfold: installing chromium-headless-shell"
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium-headless-shell >/dev/null
fi
has_browser || echo "soyfold: found no Chromium, so the report is not tested in a browser; to mend: sudo apt-get install chromium-headless-shell" >&2
.venv/bin/python -c 'import playwright' 2>/dev/null ||
    .venv/bin/python -m pip install --quiet --disable-pip-version-check -r envs/requirements-browser.txt -c envs/constraints.txt ||
    echo "soyfold: found no playwright, so the report is not tested in a browser; to mend: pip install -r envs/requirements-browser.txt" >&2
