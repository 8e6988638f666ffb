"""Work that nobody waits for ends with its server."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CODE = """
from pages.shared.jobs import Job
job = Job(["build", "movielens-100k", "--words"], is_patient=True)
assert job.is_running
print(job._process.pid)
"""


def test_a_patient_job_ends_with_the_process_that_started_it(tmp_path):
    environment = {**os.environ, "COLDLENS_DATA_DIR": str(tmp_path), "PYTHONPATH": str(ROOT)}

    done = subprocess.run([sys.executable, "-c", CODE], env=environment, capture_output=True, text=True, timeout=120)

    assert done.returncode == 0, done.stderr
    assert not Path(f"/proc/{int(done.stdout.split()[-1])}").exists()
