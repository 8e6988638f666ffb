"""`make shots`: a PNG of every page, light and dark, wide and narrow, into the folder shots/."""

import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from driver import ROOT, chromium, serve, visit

PAGES = {
    "recommend": "/",
    "explain": "/explain",
    "explore": "/explore",
    "compare": "/compare?age=27&gender=F&interests=romance&v=1&b-age=60&b-gender=M",
    "evaluate": "/evaluate",
    "datasets": "/datasets",
}
SIZES = {"wide": {"width": 1440, "height": 1300}, "narrow": {"width": 420, "height": 1300}}


def main() -> None:
    """Writes the pictures."""
    folder = ROOT / "shots"
    folder.mkdir(exist_ok=True)
    scratch = Path(tempfile.mkdtemp())
    with serve(ROOT / "data", scratch / "log") as server, chromium() as browser:
        for scheme in ("light", "dark"):
            for size, viewport in SIZES.items():
                with visit(browser, server, color_scheme=scheme) as visitor:
                    visitor.page.set_viewport_size(viewport)
                    for name, path in PAGES.items():
                        visitor.open(path)
                        visitor.page.wait_for_timeout(800)
                        target = folder / f"{name}-{scheme}-{size}.png"
                        visitor.page.screenshot(path=target)
                        print(target.relative_to(ROOT))


if __name__ == "__main__":
    main()
