"""The whole rehearsal of 12,000 rooms at real speed: processor and memory of each part, and the verdict."""

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOMS, FOR_S = 12_000, 240
PART = re.compile(r"^  (\S.*?) +([\d.]+)% of one core +([\d,]+) MB$", re.MULTILINE)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        command = [
            sys.executable, "-c", "from monitor.cli import main; raise SystemExit(main())", "rehearse", "--rooms",
            str(ROOMS), "--for", str(FOR_S), "--verify", "--data-dir", str(Path(folder) / "rehearsal"),
        ]  # fmt: skip
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    parts = {
        name: {"core_percent": float(share), "mb": int(size.replace(",", ""))}
        for name, share, size in PART.findall(done.stdout)
    }
    if not parts:
        raise SystemExit(done.stdout[-3000:])
    print(json.dumps({"rooms": ROOMS, "for_s": FOR_S, "parts": parts, "verified": done.returncode == 0}))


if __name__ == "__main__":
    main()
