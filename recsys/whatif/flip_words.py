"""The fairness view in plain words: what a report shows, and what it does not."""

from recsys.intervals import Interval
from recsys.whatif.fairness import FlipReport

_ROUNDING = 1e-9


def plain_words(report: FlipReport) -> list[str]:
    """Returns three to five sentences in plain words: what the report shows, and what it does not."""
    if (report.top < 0).all():
        return ["No item passes the filters, so nobody is shown anything."]
    differences = ", and ".join(filter(None, (_exposure_in_words(report), _likes_in_words(report))))
    return [
        _moved_in_words(report),
        *([differences[0].upper() + differences[1:] + "."] if differences else []),
        *_only_for_in_words(report),
        f"This speaks of {report.n_bases} invented people, each once in every group with all but the {report.name} equal; the "
        "intervals say how much the means depend on which of these people are taken, and nothing about a population.",
        "It does not say whether a difference is right or wrong, nor whether real people would notice it, nor whether the lists "
        "serve one group better than another.",
    ]


def _moved_in_words(report: FlipReport) -> str:
    if not report.moved.mean:
        if all(pair.rank_biased.mean > 1 - _ROUNDING for pair in report.overlap):
            return (
                f"Changing only the {report.name} changes nothing: everyone is shown the same items in the same order."
            )
        return f"Changing only the {report.name} changes only the order: everyone is shown the same items, at other places."
    moved = f"{report.moved.mean:.1f} of {report.k} items on average {_span(report.moved)}"
    between = "" if len(report.groups) == 2 else ", from one group to another"
    return f"Changing only the {report.name} changes {moved}{between}."


def _exposure_in_words(report: FlipReport) -> str:
    """The largest difference whose interval is on one side of zero."""
    table = report.exposure
    clear = table[(table["difference_low"] > 0) | (table["difference_high"] < 0)]
    if not len(clear):
        return f"no category gets clearly more or less attention by the {report.name}" if report.moved.mean else ""
    row = clear.iloc[int(clear["difference"].abs().to_numpy().argmax())]
    base = table[(table["category"] == row["category"]) & (table["group"] == report.groups[0])]["mean"].iloc[0]
    change = [100 * row[name] for name in ("difference", "difference_low", "difference_high")]
    return (
        f"the attention that {row['category']} gets differs most: {row['mean']:.1%} for {row['group']} and {base:.1%} for "
        f"{report.groups[0]} ({change[0]:+.1f} points [{change[1]:+.1f}, {change[2]:+.1f}])"
    )


def _likes_in_words(report: FlipReport) -> str:
    """The largest difference of popularity whose interval is on one side of zero."""
    found = [(part.group, part.difference) for part in report.likes if part.difference]
    clear = [(group, change) for group, change in found if change.low > 0 or change.high < 0]
    if not clear:
        return ""
    group, change = max(clear, key=lambda pair: abs(pair[1].mean))
    low, high = sorted((abs(change.low), abs(change.high)))
    size = f"{abs(change.mean):.1f} {'more' if change.mean > 0 else 'fewer'} likes on average [{low:.1f}, {high:.1f}]"
    return f"the items listed for {group} have {size} than those listed for {report.groups[0]}"


def _only_for_in_words(report: FlipReport) -> list[str]:
    counts = report.only_for["group"].value_counts()
    told = [f"{counts[group]} for {group}" for group in report.groups if group in counts]
    n = int(counts.sum())
    said = f"{n} {'item is' if n == 1 else 'items are'} listed for one group and never for another"
    return [f"{said}: {', '.join(told)}."] if told else []


def _span(found: Interval) -> str:
    return f"[{found.low:.1f}, {found.high:.1f}]"
