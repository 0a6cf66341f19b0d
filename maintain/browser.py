"""A JupyterLab of its own and a page of Chromium in it, for the browser's tests and screenshots."""

import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parent.parent
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
SECONDS = 1000  # Playwright counts in milliseconds

# No pop-up about news, no question about updates, none about the shape of the page.
_SETTINGS = {
    "@jupyterlab/apputils-extension/notification.jupyterlab-settings": (
        '{"fetchNews": "false", "checkForUpdates": false}'
    ),
    # All cells are there from the start, also those outside of the window.
    "@jupyterlab/notebook-extension/tracker.jupyterlab-settings": '{"windowingMode": "none"}',
}


@contextmanager
def lab(folder):
    """JupyterLab on a copy of the notebooks in `folder`: its address, with a token of its own.

    Settings, configuration and run-time files lie in `folder` too, so it meets no other JupyterLab.
    """
    folder = Path(folder)
    shutil.copytree(ROOT / "notebooks", folder / "notebooks")
    # The lessons read their tables from there.
    shutil.copytree(ROOT / "benchmarks" / "results", folder / "benchmarks" / "results")
    for name, text in _SETTINGS.items():
        path = folder / "settings" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    token = secrets.token_hex(16)
    variables = os.environ | {
        "JUPYTERLAB_SETTINGS_DIR": str(folder / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(folder / "workspaces"),
        "JUPYTER_CONFIG_DIR": str(folder / "config"),
        "JUPYTER_DATA_DIR": str(folder / "data"),
        "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
        "IPYTHONDIR": str(folder / "ipython"),
        "JUPYTER_TOKEN": token,
        "JUPYTER_PREFER_ENV_PATH": "1",
        "PYTHONPATH": os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH")))),
        "OPENBLAS_NUM_THREADS": "1",
    }
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root"]
    command += [f"--ServerApp.port={port}", "--ServerApp.port_retries=0"]
    command += ["--ServerApp.ip=127.0.0.1", f"--ServerApp.root_dir={folder}"]
    address = f"http://127.0.0.1:{port}"
    with open(folder / "lab.log", "wb") as log:
        process = subprocess.Popen(command, env=variables, stdout=log, stderr=log, cwd=folder)
    try:
        _wait_until(lambda: _answers(address, token, process), 90, "JupyterLab did not start")
        yield address, token
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _answers(address, token, process):
    if process.poll() is not None:
        raise RuntimeError("JupyterLab ended: see lab.log")
    try:
        with urllib.request.urlopen(f"{address}/api/status?token={token}", timeout=5):
            return True
    except OSError:
        return False


def _wait_until(done, seconds, complaint):
    deadline = time.monotonic() + seconds
    while not done():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{complaint} within {seconds} s")
        time.sleep(0.1)


@contextmanager
def chromium(width=1300, height=1400):
    """A window of headless Chromium that may use the clipboard."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        context = browser.new_context(
            viewport={"width": width, "height": height},
            permissions=["clipboard-read", "clipboard-write"],
        )
        try:
            yield context
        finally:
            browser.close()


LAB, NOTEBOOK_7 = "lab/tree", "notebooks"  # one server answers for both
_IDLE = {
    LAB: "#jp-main-statusbar :text('| Idle')",
    NOTEBOOK_7: ".jp-NotebookKernelStatus-fade",  # it fades once the kernel has nothing to do
}


def open_notebook(context, server, name, application=LAB):
    """A page with a notebook whose kernel is ready."""
    address, token, *_ = server
    page = context.new_page()
    page.goto(f"{address}/{application}/notebooks/{name}?token={token}&reset")
    page.locator(_IDLE[application]).first.wait_for(state="attached", timeout=60 * SECONDS)
    page.locator(".jp-MarkdownOutput").first.wait_for(timeout=30 * SECONDS)
    return page


def press(page, menu, item):
    """Choose an item of one of the menus at the top."""
    page.get_by_role("menuitem", name=menu, exact=True).click()
    page.get_by_role("menuitem", name=item, exact=True).click()


def run_all(page, seconds=180):
    """Run all cells and wait for the last; the outputs that are errors, as texts."""
    press(page, "Run", "Run All Cells")
    prompts = page.locator(".jp-Notebook .jp-CodeCell .jp-InputArea-prompt")
    numbers = re.compile(r"\[(\d+)\]:")

    def finished():
        found = [text.strip() for text in prompts.all_inner_texts()]
        return found and all(numbers.fullmatch(text) for text in found)

    _wait_until(finished, seconds, "The cells did not end")
    return page.locator(
        '.jp-OutputArea-output[data-mime-type="application/vnd.jupyter.error"], '
        '.jp-OutputArea-output[data-mime-type="application/vnd.jupyter.stderr"]'
    ).all_inner_texts()
