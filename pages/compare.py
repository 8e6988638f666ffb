"""What changes if they were someone else?"""

from pages.shared.comparing import compare_both, draw_comparison
from pages.shared.frame import open_page, show_status
from pages.shared.groups import draw_groups
from pages.shared.growing import draw_growth
from pages.shared.language import _
from pages.shared.many import draw_many
from pages.shared.scenarios import draw_scenarios
from pages.shared.second import draw_second
from pages.shared.sweeping import draw_sweep
from pages.shared.tabs import draw_tabs
from pages.shared.wanting import draw_wanted

with open_page(_("What changes if they were someone else?")) as page:
    second = draw_second(page)
    found = compare_both(page, second)
    both, sweeps, wanted, fairness, many, growth, share = draw_tabs("tab")
    if both.open:
        with both:
            draw_comparison(page, found)
    if sweeps.open:
        with sweeps:
            draw_sweep(page, found.first)
    if wanted.open:
        with wanted:
            draw_wanted(page, found.first)
    if fairness.open:
        with fairness:
            draw_groups(page)
    if many.open:
        with many:
            draw_many(page)
    if growth.open:
        with growth:
            draw_growth(page, second)
    if share.open:
        with share:
            draw_scenarios(page, found)
    show_status(page, found.second)
