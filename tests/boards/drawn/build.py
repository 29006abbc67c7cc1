"""The page as one file of JavaScript: libraries by `npm ci` from the lock file, then esbuild; each only when needed."""

import os
import shutil
import subprocess
from pathlib import Path

HERE = Path(__file__).parent
BUILT = HERE / "dist"
SOURCES = ("build.mjs", "package-lock.json")


def built() -> Path:
    """The folder of the bundle. The first time takes half a minute and 400 MB, later ones nothing; a change takes 4 s.

    Raises AssertionError with npm's own words.
    """
    npm, node = shutil.which("npm"), shutil.which("node")
    assert npm is not None and node is not None, "bash tests/tools.sh installs node and npm"  # noqa: PT018
    lock, done = HERE / "package-lock.json", HERE / "node_modules" / ".package-lock.json"
    if not done.exists() or done.stat().st_mtime < lock.stat().st_mtime:
        _run([npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--legacy-peer-deps"])
        os.utime(done)
    bundle = BUILT / "page.js"
    sources = [*(HERE / name for name in SOURCES), *(HERE / "src").rglob("*.js*")]
    if not bundle.exists() or bundle.stat().st_mtime < max(path.stat().st_mtime for path in sources):
        _run([node, "build.mjs"])
    return BUILT


def _run(command: list[str]) -> None:
    done = subprocess.run(command, cwd=HERE, capture_output=True, text=True)
    assert done.returncode == 0, f"{' '.join(command[-4:])}\n{done.stdout[-2000:]}{done.stderr[-4000:]}"
