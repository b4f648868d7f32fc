"""A contact sheet, and curves of gradient norms. For tools/bench/qk_norm.

usage: qk_norm_pictures.py sheet OUT NAME=FOLDER...    a column for each folder of PNG files
       qk_norm_pictures.py curves OUT NAME=CSV...      a panel for each file: a line a step, a
                                                       column a seed; the axis is logarithmic
"""

import csv
import math
import pathlib
import sys

from PIL import Image, ImageDraw

CELL_PX = 96
TITLE_PX = 30
PANEL_PX = (420, 280)
MARGIN_PX = 36
INKS = ("#1f77b4", "#d62728", "#2ca02c", "#9467bd", "#8c564b")


def sheet(out, columns):
    files = [sorted(pathlib.Path(folder).glob("*.png")) for _, folder in columns]
    files = [[path for path in column if not path.name.startswith("contact")] for column in files]
    rows = max(map(len, files))
    picture = Image.new("RGB", (len(columns) * (CELL_PX + 4), TITLE_PX + rows * (CELL_PX + 4)),
                        "white")
    pen = ImageDraw.Draw(picture)
    for x, ((name, _), column) in enumerate(zip(columns, files)):
        pen.multiline_text((x * (CELL_PX + 4) + 2, 2), name.replace(" ", "\n", 1), fill="black")
        for y, path in enumerate(column):
            cell = Image.open(path).convert("RGB").resize((CELL_PX, CELL_PX),
                                                          Image.Resampling.NEAREST)
            picture.paste(cell, (x * (CELL_PX + 4), TITLE_PX + y * (CELL_PX + 4)))
    picture.save(out)


def seeds_of(path):
    """Values of each column behind the first; None where there is none that a logarithm takes."""
    with open(path, newline="") as file:
        rows = list(csv.reader(file))[1:]
    def number(text):
        value = float(text or "nan")
        return value if math.isfinite(value) and value > 0 else None
    return [[number(text) for text in column] for column in list(zip(*rows))[1:]]


def panel(pen, left, name, seeds, low, high):
    width, height = PANEL_PX

    def place(step, value, steps):
        share = (math.log10(value) - low) / (high - low)
        return left + MARGIN_PX + step / max(steps - 1, 1) * (width - MARGIN_PX - 8), \
            TITLE_PX + (1 - share) * (height - TITLE_PX - 8)

    steps = max(map(len, seeds))
    for power in range(low, high + 1):
        (x, y), (end, _) = place(0, 10.0 ** power, steps), place(steps - 1, 10.0 ** power, steps)
        pen.line([(x, y), (end, y)], fill="#cccccc")
        pen.text((left + 2, y - 6), f"1e{power}", fill="black")
    pen.text((left + MARGIN_PX, 8), f"{name}: gradient norm, {steps} steps", fill="black")
    for ink, values in zip(INKS, seeds):
        points = [place(step, value, steps) for step, value in enumerate(values) if value]
        if len(points) > 1:
            pen.line(points, fill=ink)


def curves(out, panels):
    read = [(name, seeds_of(path)) for name, path in panels]
    known = [value for _, seeds in read for values in seeds for value in values if value]
    low, high = math.floor(math.log10(min(known))), math.ceil(math.log10(max(known)))
    picture = Image.new("RGB", (PANEL_PX[0] * len(read), PANEL_PX[1]), "white")
    for i, (name, seeds) in enumerate(read):
        panel(ImageDraw.Draw(picture), i * PANEL_PX[0], name, seeds, low, max(high, low + 1))
    picture.save(out)


def main():
    what, out, *named = sys.argv[1:]
    pairs = [tuple(word.split("=", 1)) for word in named]
    (sheet if what == "sheet" else curves)(out, pairs)


main()
