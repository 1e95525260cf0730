"""Writes figures as tables of Markdown and as charts of SVG."""

import math

from programs import ROOT

PERFORMANCE, COMPARISON = ROOT / "docs/performance.md", ROOT / "docs/comparison.md"
CHARTS = ROOT / "docs/performance"
charts = {}

BEGIN, END = "<!-- make bench writes from here -->", "<!-- to here -->"
COLORS = ["#2563eb", "#d97706", "#059669", "#9333ea", "#dc2626", "#64748b"]


def number(value):
    """Three digits, and thousands with commas."""
    if value is None:
        return ""
    if value == 0 or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.{max(0, 2 - math.floor(math.log10(abs(value))))}f}"


def table(header, rows):
    def line(cells):
        return "| " + " | ".join(cell if isinstance(cell, str) else number(cell) for cell in cells) + " |"

    return "\n".join([line(header), "|" + "---|" * len(header), *map(line, rows)])


def bars(title, rows):
    """A bar for each (name, value), with a logarithmic scale: a step is ten times."""
    rows = [(name, value) for name, value in rows if value]
    low = math.floor(math.log10(min(value for _, value in rows)) - 0.3)
    high = math.log10(max(value for _, value in rows))
    height = 24 * len(rows) + 40
    parts = []
    for index, (name, value) in enumerate(rows):
        width = 400 * (math.log10(value) - low) / (high - low or 1)
        y = 36 + 24 * index
        parts.append(
            f'<text x="210" y="{y + 13}" text-anchor="end">{name}</text>'
            f'<rect x="220" y="{y}" width="{width:.0f}" height="17" fill="{COLORS[0 if index == 0 else 5]}"/>'
            f'<text x="{226 + width:.0f}" y="{y + 13}">{number(value)}</text>'
        )
    for power in range(low + 1, math.floor(high) + 1):
        x = 220 + 400 * (power - low) / (high - low or 1)
        parts.insert(0, f'<path d="M{x:.0f} 30V{height - 8}" stroke="#ddd"/>')
    return svg(title + " (logarithmic)", 720, height, parts)


def lines(title, labels, series):
    """A line for each {name: values}, over the labels."""
    top = max(value for values in series.values() for value in values) * 1.1
    step = 520 / max(1, len(labels) - 1)
    parts = []
    for index in range(5):
        y, value = 230 - 45 * index, top * index / 4.4
        parts.append(
            f'<path d="M50 {y}H570" stroke="#ddd"/>'
            f'<text x="44" y="{y + 4}" text-anchor="end">{number(value)}</text>'
        )
    for index, label in enumerate(labels):
        parts.append(f'<text x="{50 + step * index:.0f}" y="250" text-anchor="middle">{label}</text>')
    for index, (name, values) in enumerate(series.items()):
        points = " ".join(
            f"{50 + step * at:.0f},{230 - 198 * value / top:.0f}" for at, value in enumerate(values)
        )
        color = COLORS[index % len(COLORS)]
        parts.append(
            f'<polyline points="{points}" fill="none" stroke="{color}" stroke-width="2"/>'
            f'<text x="590" y="{50 + 20 * index}" fill="{color}">{name}</text>'
        )
    return svg(title, 720, 265, parts)


def svg(title, width, height, parts):
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}"'
        f' viewBox="0 0 {width} {height}"'
        f' font-family="sans-serif" font-size="12"><rect width="100%" height="100%" fill="white"/>'
        f'<text x="16" y="20" font-size="14" font-weight="bold">{title}</text>\n'
        + "\n".join(parts)
        + "\n</svg>\n"
    )


def write(page, sections):
    """Replaces the part of the page between the marks by the sections, and writes the charts."""
    CHARTS.mkdir(exist_ok=True)
    for name, drawing in charts.items():
        (CHARTS / f"{name}.svg").write_text(drawing)
    text = page.read_text()
    head, tail = text[: text.index(BEGIN)], text[text.index(END) :]
    page.write_text(head + BEGIN + "\n\n" + "\n\n".join(sections) + "\n\n" + tail)


def chart(name, drawing):
    """Keeps a drawing, to be written with the page."""
    charts[name] = drawing


def section(title, text, header, rows, image=None):
    parts = [f"### {title}", text, table(header, rows)]
    if image:
        parts.append(f"![{title}](performance/{image}.svg)")
    print(f"\n{title}")
    for row in [header, *rows]:
        first, *others = (cell if isinstance(cell, str) else number(cell) for cell in row)
        print("  " + first.ljust(42) + "  ".join(other.ljust(12) for other in others), flush=True)
    return "\n\n".join(part for part in parts if part)


def skipped(title, package):
    print(f"\n{title}: skipped, {package} is missing", flush=True)
    return f"### {title}\n\nSkipped: {package} is missing."
