"""`make app`: starts Streamlit, and loads the heavy packages while the browser is still loading the page.

`streamlit run app.py` works as well; its first list comes a second or two later.
"""

import sys
import threading
from pathlib import Path

APP = Path(__file__).resolve().parents[2] / "app.py"


def main() -> None:
    """Runs the dashboard; arguments go to `streamlit run`."""
    threading.Thread(target=_import_heavy_packages, daemon=True).start()
    from streamlit.web.cli import main as streamlit

    from pages.shared.quiet import stay_here

    stay_here()
    sys.argv = ["streamlit", "run", str(APP), *sys.argv[1:]]
    streamlit()


def _import_heavy_packages() -> None:
    from transformers import AutoModel, AutoTokenizer, BertModel  # noqa: F401  # what the packaged encoder needs


if __name__ == "__main__":
    main()
