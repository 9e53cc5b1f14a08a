"""Draws docs/report.png: the top of the report of a real run, as a browser shows it.

    python -m benchmarks.report_picture [--sample samples/masked_lm.py]

Needs Chromium (`apt-get install chromium`). On a machine that is not idle the report says so.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image

ROOT = Path(__file__).parents[1]
PICTURE = ROOT / "docs" / "report.png"
_FLAGS = (
    "--headless=new --no-sandbox --disable-gpu --disable-quic --no-first-run --hide-scrollbars "
    "--disable-background-networking --disable-component-update --disable-sync"
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sample", default="samples/masked_lm.py")
    parser.add_argument("--steps", type=int, default=30)
    parser.add_argument("--html", type=Path, help="draw this report instead of making one")
    parser.add_argument("--size", default="1100,2480", help="of the window, default 1100,2480")
    chosen = parser.parse_args()
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        sys.exit("no Chromium on this machine: apt-get install chromium")
    with tempfile.TemporaryDirectory() as folder:
        page = (chosen.html or _report(Path(folder), chosen)).resolve()
        profile, size = f"--user-data-dir={folder}/profile", f"--window-size={chosen.size}"
        command = [browser, *_FLAGS.split(), profile, size, f"--screenshot={PICTURE}"]
        subprocess.run([*command, page.as_uri()], check=True, stderr=subprocess.DEVNULL)
    # A page has few colours; half of the bytes says the same.
    Image.open(PICTURE).convert("RGB").quantize(256, kmeans=1).save(PICTURE, optimize=True)
    print(f"{PICTURE}: {PICTURE.stat().st_size // 1024} KB")


def _report(folder: Path, chosen: argparse.Namespace) -> Path:
    page = folder / "report.html"
    verify = [sys.executable, "-m", "ortwrap", "verify", chosen.sample]
    command = [*verify, "--steps", str(chosen.steps), "--html", str(page)]
    subprocess.run(command, cwd=ROOT, check=True)
    return page


if __name__ == "__main__":
    main()
