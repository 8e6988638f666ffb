import subprocess
import sys

import pytest


@pytest.mark.parametrize("module", ["recsys", "recsys.cli", "recsys.schema", "recsys.recommender"])
def test_import_is_light(module: str):
    code = f"import sys, {module}; print(sorted({{'torch', 'transformers', 'streamlit'}} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("[]\n", "")
