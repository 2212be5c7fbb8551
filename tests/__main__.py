"""`python -m tests`: everything a change must pass, in the order in which it fails fastest.

Further words go to pytest: `python -m tests -m 'not slow and not exhaustive'`. What takes many minutes is left out
unless it is asked for: `python -m pytest -m exhaustive`.
"""

import subprocess
import sys
import time
from pathlib import Path

WORKERS = ("-n", "auto", "--maxprocesses", "4", "--dist", "worksteal")
CHECKS = (("ruff", "check", "."), ("ruff", "format", "--check", "."), ("mypy",), ("pytest", "-q", *WORKERS))


def main() -> int:
    root = Path(__file__).resolve().parents[1]
    failed = []
    for number, check in enumerate(CHECKS, start=1):
        words = [*check, *sys.argv[1:]] if check[0] == "pytest" else [*check]
        print(f"[{number}/{len(CHECKS)}] {' '.join(words)}", flush=True)
        started = time.monotonic()
        code = subprocess.run([sys.executable, "-m", *words], cwd=root, check=False).returncode
        print(f"[{number}/{len(CHECKS)}] {'passed' if code == 0 else 'FAILED'} in {time.monotonic() - started:.0f} s")
        if code:
            failed.append(check[0])
    print("failed: " + ", ".join(failed) if failed else "all passed", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
