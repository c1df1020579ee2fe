"""Figures of the report: each has its script and caption, and all that a study draws are known."""

import re

import pytest
from loaded_study import load_demo

from soyfold.study.figures import figures_of

# Drawn by rules of their own, beside what they show.
ELSEWHERE = {"cim", "qtl_recovery", "manhattan_oil", "manhattan_protein"}


@pytest.fixture(scope="module")
def demo():
    return load_demo()


@pytest.fixture(scope="module")
def figures(demo):
    return figures_of(demo, metrics=["PCC", "R2", "selection_efficiency"])


def test_each_has_its_script_and_its_caption(figures, root):
    for name, figure in figures.items():
        assert (root / f"workflow/scripts/plot_{name}.py").is_file()
        assert (root / f"workflow/report/{figure.caption or name}.rst").is_file()


def test_what_a_study_draws_is_drawn_by_one_figure_each(demo, figures):
    patterns = {
        name: re.sub(r"\\?\{\w+\\?\}", ".+", re.escape(f"{figure.stem or name}{figure.suffix}"))
        for name, figure in figures.items()
    }
    for drawn in set(demo.report.drawn) - ELSEWHERE:
        drawing = [name for name, pattern in patterns.items() if re.fullmatch(pattern, drawn)]
        assert len(drawing) == 1, f"{drawn} is drawn by {drawing}"


def test_wildcards_of_the_words_are_those_of_the_file(figures):
    for figure in figures.values():
        known = set(re.findall(r"\{(\w+)\}", figure.suffix))
        assert set(re.findall(r"\{(\w+)\}", figure.title)) <= known
        assert set(re.findall(r"\{wildcards\.(\w+)\}", figure.message)) <= known
        assert set(figure.constraints) <= known
