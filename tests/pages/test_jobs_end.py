"""Work that nobody waits for ends with its server."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CODE = """
import os, sys
from pathlib import Path
from pages.shared.job import Job
job = Job.begin(Path(sys.argv[1]), ["build", "movielens-100k", "--words"], is_patient=True)
assert job.is_running
print(job.process.pid, flush=True)
os.kill(os.getpid(), 9)
"""


def test_a_patient_job_ends_with_the_process_that_started_it(tmp_path):
    environment = {**os.environ, "COLDLENS_DATA_DIR": str(tmp_path), "PYTHONPATH": str(ROOT)}

    done = subprocess.run(
        [sys.executable, "-c", CODE, str(tmp_path / "job")],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )

    assert done.returncode == -9, done.stderr
    job = Path(f"/proc/{int(done.stdout.split()[-1])}/cmdline")
    for _ in range(100):
        if not job.exists() or b"--words" not in job.read_bytes():
            return
        time.sleep(0.1)
    pytest.fail("the job is still running ten seconds later")
