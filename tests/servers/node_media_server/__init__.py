"""Installs the Node-Media-Server of package-lock.json into .tools, once."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
TOOLS = HERE.parents[2] / ".tools"
FILES = ("package.json", "package-lock.json", ".npmrc")


def installed() -> Path:
    """The program's first file. The first time takes ten seconds. Raises AssertionError with npm's own words."""
    lock, folder = HERE / "package-lock.json", TOOLS / "node-media-server"
    done = folder / "package-lock.json"
    if not done.exists() or done.read_bytes() != lock.read_bytes():
        TOOLS.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(dir=TOOLS) as work:
            for name in FILES:
                shutil.copy(HERE / name, work)
            npm = shutil.which("npm")
            assert npm is not None, "bash tests/tools.sh installs node and npm"
            command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
            said = subprocess.run(command, cwd=work, capture_output=True, text=True)
            assert said.returncode == 0, f"{said.stdout[-2000:]}{said.stderr[-4000:]}"
            made = Path(work) / "made"
            made.mkdir()
            for name in ("node_modules", *FILES):
                os.rename(Path(work) / name, made / name)
            shutil.rmtree(folder, ignore_errors=True)
            os.rename(made, folder)  # whole, or not at all
    return folder / "node_modules/node-media-server/bin/app.js"
