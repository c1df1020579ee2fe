"""The HTML report in a browser without a network: every result opens, is drawn, fits the window."""

import os
import shutil
import subprocess
import sys

import pytest
from projects import copy_project
from tiny_road import TRAITS, write_spaced_study

pytestmark = pytest.mark.slow

PROGRAMS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
WIDTHS = (1280, 800)
# What of the page is wider than its window, and (in a page of ours) what of it was drawn.
OVERFLOW = "document.documentElement.scrollWidth - window.innerWidth"
SHOW = """path => {
  const result = results[path];
  const image = result.mime_type.startsWith('image');
  app.setView({content: image ? 'img' : 'html', contentPath: result.data_uri, resultPath: path});
  return image;
}"""
DRAWN = """document.readyState === 'complete' &&
  (!document.querySelector('script.spec') || document.body.dataset.drawn === 'yes')"""
COUNTS = """() => ({
  specs: document.querySelectorAll('script.spec').length,
  drawn: [...document.querySelectorAll('.chart canvas')].filter((c) => c.width > 100).length,
  tables: document.querySelectorAll('table').length,
  rows: Math.min(...[...document.querySelectorAll('tbody')].map((body) => body.rows.length)),
  overflow: document.documentElement.scrollWidth - window.innerWidth,
})"""


@pytest.fixture(scope="module")
def browser():
    """Headless Chromium; skipped aloud where it or playwright is missing."""
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if program is None:
        pytest.skip(f"none of {', '.join(PROGRAMS)} on PATH (bash envs/install_browser.sh)")
    playwright = pytest.importorskip("playwright.sync_api", reason="bash envs/install_browser.sh")
    with playwright.sync_playwright() as driver:
        running = driver.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield running
        running.close()


def write_report(project, study, **variables):
    """What `make report` runs; the report's path."""
    done = subprocess.run(
        [sys.executable, "workflow/scripts/write_report.py", str(study), "--cores", "2"],
        cwd=project.folder, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        timeout=2400, check=False, env={**os.environ, **variables},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-4000:]
    return project.folder / done.stdout.splitlines()[-1].partition(" ")[2].strip()


@pytest.fixture(scope="module")
def bare(root, tmp_path_factory):
    """Report of a study without Hi-C, networks, controls, tables of the paper, interpretation.

    From a checkout, files and to results whose paths hold spaces.
    """
    folder = tmp_path_factory.mktemp("bare") / "a checkout"
    project = copy_project(root, folder)
    study = write_spaced_study(folder)
    study.write(f"my {TRAITS}", study.lines(f"my {TRAITS}")[:2])
    study.config["contacts"] = "expected"
    study.config["evaluation"] = {"paper_tables": False, "controls": False}
    study.config["interpretation"] = False
    return write_report(project, study.save(), SOYFOLD_RESULTS="my results")


@pytest.fixture(scope="module")
def full(finished_demo):
    """Report of the demo."""
    return write_report(finished_demo, "config/config.yaml")


def visit(browser, report, width):
    """Open a report from disk; the page, and lists of its complaints and of its requests."""
    context = browser.new_context(viewport={"width": width, "height": 800}, offline=True)
    page = context.new_page()
    errors, asked = [], []
    page.on("console", lambda message: message.type == "error" and errors.append(message.text))
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"file://{report}")
    page.wait_for_selector("nav")
    return page, errors, asked


def shown_frame(page, path):
    """The frame that shows a result, once it shows this one."""
    page.wait_for_function(
        "path => document.querySelector('iframe')?.src === results[path].data_uri", arg=path
    )
    return page.query_selector("iframe").content_frame()


def check_results(page, width):
    """Open every result of every category; each is drawn and no wider than its window."""
    for path in page.evaluate("Object.keys(results)"):
        assert page.evaluate("path => results[path].caption", path).strip(), f"{path}: no caption"
        if page.evaluate(SHOW, path):
            page.wait_for_function(
                "path => document.querySelector('.p-3 > img')?.src === results[path].data_uri",
                arg=path,
            )
            image = page.wait_for_selector(".p-3 > img")
            page.wait_for_function("image => image.complete", arg=image)
            box = image.bounding_box()
            assert image.evaluate("image => image.naturalWidth") > 0, path
            assert box["x"] >= 0 and box["x"] + box["width"] <= width, (path, box)
        else:
            frame = shown_frame(page, path)
            frame.wait_for_selector("h1")
            frame.wait_for_function(DRAWN, timeout=60_000)
            found = frame.evaluate(COUNTS)
            assert found["drawn"] == found["specs"], (path, found)
            assert found["specs"] + found["tables"] > 0 and found["rows"] != 0, (path, found)
            assert found["overflow"] <= 0, (path, found)
        assert page.evaluate(OVERFLOW) <= 0, path


@pytest.mark.parametrize("study", ["bare", "full"])
@pytest.mark.parametrize("width", WIDTHS)
def test_every_result_opens_from_disk(study, width, browser, request):
    report = request.getfixturevalue(study)
    page, errors, asked = visit(browser, report, width)
    assert page.evaluate(OVERFLOW) <= 0
    check_results(page, width)
    assert errors == []
    outside = [url for url in asked if not url.startswith(("file:", "data:", "blob:"))]
    assert outside == [], "asked for something outside the file"
    page.context.close()


def test_categories_come_in_the_order_of_reading(full, bare, browser):
    for report, wanted in ((full, "1234567"), (bare, "1234")):
        page, _, _ = visit(browser, report, 1280)
        names = page.evaluate("Object.keys(categories)")
        assert "".join(sorted(name[0] for name in names)) == wanted, names
        page.context.close()


def test_it_opens_with_verdicts_and_leads_on(full, browser):
    page, errors, _ = visit(browser, full, 1280)
    text = page.inner_text(".prose")
    assert "Demo: simulated soybean lines" in text
    assert "oil" in text and "best of" in text and "GBLUP" in text
    assert page.query_selector("div#rulegraph") is None
    scores = {row.inner_text().split()[0] for row in page.query_selector_all(".prose tr")}
    assert {"model", "GBLUP", "Mean", "CSAFM"} <= scores
    assert "PCC is the correlation" in text
    # From one category straight to another: the menu shows the second one's results.
    page.click(".prose a:has-text('2 Quality control')")
    page.wait_for_selector("nav td:has-text('Lines and SNPs lost')")
    page.click(".prose a:has-text('7 Methods')")
    page.wait_for_selector("nav td:has-text('Methods and versions')")
    assert page.query_selector("nav td:has-text('Lines and SNPs lost')") is None
    assert errors == []
    page.context.close()


def test_what_draws_is_there_once(full, bare, browser):
    for report in (full, bare):
        held = report.read_text(encoding="utf-8")
        assert held.count("data-packed=") == 1 and held.count("vega-embed") < 20
        page, errors, _ = visit(browser, report, 1280)
        for view, drawn in (("Workflow", 1), ("Statistics", 2)):
            page.click(f"nav >> text={view}")
            page.wait_for_function(
                f"document.querySelectorAll('canvas, svg.marks').length >= {drawn}"
            )
        assert errors == []
        page.context.close()


def test_a_page_draws_when_opened_alone(full, browser):
    page = browser.new_context(offline=True).new_page()
    page.goto(f"file://{full.parent}/tables/comparisons.html")
    page.wait_for_function(DRAWN)
    assert page.evaluate(COUNTS)["drawn"] == 1
    page.context.close()


def test_tables_sort_and_filter(full, browser):
    page, errors, _ = visit(browser, full, 1280)
    path = next(p for p in page.evaluate("Object.keys(results)") if p.endswith("/scores.html"))
    page.evaluate(SHOW, path)
    frame = shown_frame(page, path)
    table = frame.wait_for_selector("table")
    rows = len(table.query_selector_all("tbody tr"))
    table.query_selector("th:has-text('MAE')").click()
    keys = frame.evaluate(
        """() => { const t = document.querySelector('table');
           const at = [...t.tHead.rows[0].cells].findIndex((c) => c.textContent.startsWith('MAE'));
           return [...t.tBodies[0].rows].map((r) => Number(r.cells[at].dataset.key)); }"""
    )
    assert keys == sorted(keys, reverse=True) and len(set(keys)) > 2
    frame.select_option("select", "oil")
    shown = frame.evaluate(
        "[...document.querySelector('tbody').rows].filter((row) => !row.hidden).length"
    )
    assert 0 < shown < rows and frame.inner_text(".shown") == f"{shown} of {rows} rows"
    assert errors == []
    page.context.close()


def test_methods_tell_of_this_run(full):
    page = (full.parent / "tables/methods.html").read_text()
    for fact in (
        "PLINK 1.9",
        "Beagle",
        "22Jul22.46e",
        "splits, random",
        "10.1186/s13742-015-0047-8",
    ):
        assert fact in page, fact
    for unused in ("SVR", "Optuna", "cv1"):
        assert f">{unused}" not in page.split("Please cite")[1], unused
