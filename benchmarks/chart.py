"""Draw the ratios that benchmarks saved.

A bar for each is as long as its share of the largest that is wanted. A mark shows its floor.

Run: python benchmarks/export.py tables small cpu fresh --save ratios.json
     python benchmarks/start.py --save ratios.json
     python benchmarks/calls.py --save ratios.json
     python benchmarks/chart.py ratios.json docs/speed.svg
"""

from __future__ import annotations

import argparse
from html import escape
from pathlib import Path

from ratios import Verdict, load

ROW, TEXT, BAR, VALUE = 26, 500, 260, 190
SIDE = 10
# A bar that is longer than twice what is wanted ends there.
LONGEST = 2.0
GOOD, MISSED, LINE, FLOOR = "#2f7d5b", "#b5533c", "#888888", "#222222"


def drawing(verdicts: list[tuple[str, Verdict]]) -> str:
    """Return the chart as SVG."""
    width, height = TEXT + BAR + VALUE, ROW * (len(verdicts) + 1)
    wanted = TEXT + BAR / LONGEST
    rows = [_row(number, scenario, verdict) for number, (scenario, verdict) in enumerate(verdicts, 1)]
    size = f'width="{width}" height="{height}"'
    lines = (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif" font-size="13">',
        f'<rect {size} fill="white"/>',
        f'<text x="{wanted}" y="17" text-anchor="middle">wanted at most</text>',
        *rows,
        f'<line x1="{wanted}" y1="{ROW}" x2="{wanted}" y2="{height}" stroke="{LINE}" stroke-dasharray="4 3"/>',
        "</svg>",
    )
    return "".join(f"{line}\n" for line in lines)


def _row(number: int, scenario: str, verdict: Verdict) -> str:
    share = verdict.value / verdict.wanted if verdict.wanted else LONGEST * (verdict.value > 0)
    length = BAR * min(share, LONGEST) / LONGEST
    top = ROW * number
    colour = GOOD if verdict.good else MISSED
    floor = ""
    if verdict.floor is not None:
        x = TEXT + BAR * min(verdict.floor / verdict.wanted, LONGEST) / LONGEST
        floor = f'<rect x="{x:.1f}" y="{top + 2}" width="3" height="{ROW - 4}" fill="{FLOOR}"/>'
    return (
        f'<text x="{TEXT - SIDE}" y="{top + 17}" text-anchor="end">{escape(f"{scenario}: {verdict.what}")}</text>'
        f'<rect x="{TEXT}" y="{top + 4}" width="{length:.1f}" height="{ROW - 8}" fill="{colour}"/>{floor}'
        f'<text x="{TEXT + BAR + SIDE}" y="{top + 17}">{verdict.value:.2f}, at most {verdict.wanted:.2f}</text>'
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("ratios", type=Path, help="the file that benchmarks saved into")
    parser.add_argument("chart", type=Path, help="the SVG file to write")
    given = parser.parse_args()
    found = load(given.ratios)
    verdicts = [(scenario, verdict) for scenario, each in found.items() for verdict in each]
    given.chart.write_text(drawing(verdicts), "utf-8")


if __name__ == "__main__":
    main()
