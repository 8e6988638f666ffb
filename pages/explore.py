"""Where do people and items sit?"""

from pages.shared.diagnosis import draw_comparison, draw_diagnosis
from pages.shared.frame import open_page
from pages.shared.language import _
from pages.shared.mapping import draw_explorer
from pages.shared.tabs import draw_tabs

with open_page(_("Where do people and items sit?")) as page:
    explorer, diagnosis, encoders = draw_tabs("explore_tab")
    if explorer.open:
        with explorer:
            draw_explorer(page)
    if diagnosis.open:
        with diagnosis:
            draw_diagnosis(page)
    if encoders.open:
        with encoders:
            draw_comparison(page)
