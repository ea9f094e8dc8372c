#!/usr/bin/env python3
"""Draws the pictures of docs/methods: grey is frozen, green is trained. Standard library only.

`draw.py` writes an SVG a method beside itself; `draw.py --check` says which are not as it draws them.
"""

import os
import sys
from html import escape

HERE = os.path.dirname(os.path.abspath(__file__))
HEIGHT, GAP, LETTER, TOP = 34, 26, 8.2, 18
FILL = {"frozen": "#e5e7eb", "trained": "#a7e3c4", "drawn": "#fde7b0", "plain": "none"}
LINE = {"frozen": "#6b7280", "trained": "#0f7a4b", "drawn": "#b07a0a", "plain": "none"}


class Cell:
    """A box, a circle or a bare text of a picture."""

    def __init__(self, text, kind="plain"):
        self.text, self.kind = text, kind
        self.width = HEIGHT if text in ("+", "⊙") else max(30, 16 + LETTER * len(text))
        self.x = self.y = 0.0

    @property
    def right(self):
        return self.x + self.width

    @property
    def middle(self):
        return self.x + self.width / 2

    def svg(self):
        centre = self.y + HEIGHT / 2
        shape = ""
        if self.text in ("+", "⊙"):
            shape = (
                f'<circle cx="{self.middle:.1f}" cy="{centre:.1f}" r="13" fill="white"'
                ' stroke="#374151"/>'
            )
        elif self.kind != "plain":
            shape = (
                f'<rect x="{self.x:.1f}" y="{self.y:.1f}" width="{self.width:.1f}" height="{HEIGHT}"'
                f' rx="6" fill="{FILL[self.kind]}" stroke="{LINE[self.kind]}"/>'
            )
        text = (
            f'<text x="{self.middle:.1f}" y="{centre + 5:.1f}" text-anchor="middle">'
            f"{escape(self.text)}</text>"
        )
        return shape + text


def cells(words):
    """`[W]` frozen, `{A}` trained, `<P>` drawn once at random, anything else bare."""
    kinds = {"[": "frozen", "{": "trained", "<": "drawn"}
    made = []
    for word in words.split("|"):
        word = word.strip()
        kind = kinds.get(word[:1], "plain")
        made.append(Cell(word if kind == "plain" else word[1:-1], kind))
    return made


def arrow(x1, y1, x2, y2):
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="a"/>'


def flow(main, branch="", start=0, end=0):
    """What goes where: a row, and one below that leaves it at cell `start` and joins at `end`."""
    upper, lower = cells(main), cells(branch) if branch else []
    needed = sum(cell.width for cell in lower) + GAP * (len(lower) + 1)
    x = 16.0
    parts = []
    for i, cell in enumerate(upper):
        if lower and i == end:
            x = max(x, upper[start].middle + needed + 12)
        cell.x, cell.y = x, TOP
        x = cell.right + GAP
    if lower:
        between = upper[start + 1 : end]
        room = upper[end].x - upper[start].right - sum(cell.width for cell in between)
        at = upper[start].right + room / (len(between) + 1)
        for cell in between:
            cell.x = at
            at = cell.right + room / (len(between) + 1)
    line = TOP + HEIGHT / 2
    for left, right in zip(upper, upper[1:]):
        parts.append(arrow(left.right, line, right.x, line))
    if lower:
        below = TOP + HEIGHT + 22
        room = upper[end].middle - upper[start].middle - sum(cell.width for cell in lower)
        gap = room / (len(lower) + 1)
        at = upper[start].middle + gap
        centre = below + HEIGHT / 2
        for cell in lower:
            cell.x, cell.y = at, below
            at = cell.right + gap
        down = f"M{upper[start].middle:.1f},{TOP + HEIGHT} V{centre:.1f} H{lower[0].x:.1f}"
        parts.append(f'<path d="{down}" class="a"/>')
        for left, right in zip(lower, lower[1:]):
            parts.append(arrow(left.right, centre, right.x, centre))
        up = f"M{lower[-1].right:.1f},{centre:.1f} H{upper[end].middle:.1f} V{TOP + HEIGHT}"
        parts.append(f'<path d="{up}" class="a"/>')
    return upper + lower, parts


def strip(row, *more):
    """Boxes side by side: what of a thing is trained and what is not."""
    made, y = [], TOP
    for words in (row, *more):
        x = 16.0
        for cell in cells(words):
            cell.x, cell.y = x, y
            x = cell.right + 3
            made.append(cell)
        y += HEIGHT + 8
    return made, []


def steps(ranks, labels):
    """Bars that get fewer: a budget over time."""
    made, parts, x = [], [], 24.0
    for rank in ranks:
        for i in range(rank):
            y = TOP + 76 - 9 * i
            parts.append(
                f'<rect x="{x:.1f}" y="{y}" width="22" height="7" fill="{FILL["trained"]}"'
                f' stroke="{LINE["trained"]}"/>'
            )
        x += 28
    for at, label in labels:
        cell = Cell(label)
        cell.x, cell.y = 24.0 + 28 * at, TOP + 82
        made.append(cell)
    return made, parts


PICTURES = {
    "adalora": steps(
        [8, 8, 8, 8, 7, 6, 5, 4, 4, 4, 4], [(0, "warm-up"), (4, "pruning"), (8, "finish")]
    ),
    "bitfit": flow("x | [W] | + | {b} | y"),
    "boft": flow("x | {factor m} | … | {factor 1} | [W] | {⊙ s} | + b | y"),
    "bottleneck": flow(
        "what is there | + | on", "{down: few numbers} | σ | {up}", 0, 1
    ),
    "c3a": flow("x | [W] | + | y", "FFT | {⊙ kernels} | FFT⁻¹", 0, 2),
    "compacter": flow(
        "what is there | + | on", "{A₁⊗s₁t₁ + … + Aₙ⊗sₙtₙ} | σ | {the same, up}", 0, 1
    ),
    "fourierft": flow("{n numbers} | <places, by a seed> | inverse FFT | · s | + W | the weight of a pass"),
    "full": strip("{embeddings} | {block 1} | {block 2} | {…} | {block n} | {head}"),
    "houlsby": flow(
        "sublayer | + | + input | [norm]", "{down} | σ | {up} | · s", 0, 1
    ),
    "hra": flow("x | {reflect at uᵣ} | … | {reflect at u₁} | [W] | + b | y"),
    "ia3": flow("x | {⊙ l, feed-forward} | [W] | + b | {⊙ l, keys and values} | y"),
    "intrinsic": flow("{θ: d numbers} | <Pᵢ, by a seed> | {· λᵢ} | + Wᵢ | every weight of a pass"),
    "last-k": strip("[embeddings] | [block 1] | [block 2] | […] | {block n} | {head}"),
    "ln-tuning": flow("x | [attention] | + | {norm} | [feed-forward] | + | {norm}"),
    "loha": flow("x | [W] | + | y", "{(w1_a w1_b)} | ⊙ | {(w2_a w2_b)} | · s", 0, 2),
    "lokr": flow("x | [W] | + | y", "{small w1} | ⊗ | {large w2} | · s", 0, 2),
    "lora": flow("x | [W] | + | y", "{A: to rank} | {B: to outputs} | · s", 0, 2),
    "lowrank": flow("what is there | + | on", "{s t: down} | σ | {s t: up}", 0, 1),
    "miss": flow("x | [W] | + | y", "sum of n shards of x | {Dᵀ}", 0, 2),
    "modules": strip(
        "[embeddings] | [block 1: query] | {block 1: value} | [block 2: query] | {block 2: value} | [head]"
    ),
    "oft": flow("x, in blocks | {R₁ · R₂ · … · Rₙ: rotations} | [W] | + b | y"),
    "parallel": flow(
        "input | [feed-forward] | + | + input | [norm]", "{down} | σ | {up} | · s", 0, 2
    ),
    "pfeiffer": flow(
        "feed-forward | + | + input | [norm]",
        "+ input | [norm] | {down} | σ | {up}",
        0,
        1,
    ),
    "prefix": strip(
        "keys | {p₁} | {…} | {pₙ} | [k₁] | [k₂] | [k₃] | […]",
        "values | {q₁} | {…} | {qₙ} | [v₁] | [v₂] | [v₃] | […]",
    ),
    "prompt": flow("{v₁ v₂ … vₙ} and the text's words | [the whole model] | result"),
    "ptuning": flow("{vectors} | {MLP or LSTM} | v₁ … vₙ and the text | [the whole model] | result"),
    "randlora": flow("x | [W] | + | y", "{Γᵢ} | <A> | {Λᵢ} | <Bᵢ> | Σ over i", 0, 2),
    "reft": flow("h at chosen tokens | + | on", "{W h + b − R h} | {Rᵀ}", 0, 1),
    "road": flow("x | [W] | {turn pairs by θ} | {· α} | y"),
    "shira": flow("x | [W] | + | y", "{few entries at fixed places}", 0, 2),
    "tokens": strip("table | [row 0] | [row 1] | {row 5} | […] | {row 17} | […]"),
    "vera": flow("x | [W] | + | y", "<A> | {⊙ d} | <B> | {⊙ b}", 0, 2),
}


def svg(name):
    """The picture of that name as text."""
    made, parts = PICTURES[name]
    width = max(
        [cell.right for cell in made] + [24 + 28 * 11 if name == "adalora" else 0]
    ) + 16
    height = max(cell.y for cell in made) + HEIGHT + TOP
    inside = "\n".join(parts + [cell.svg() for cell in made])
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}"'
        f' viewBox="0 0 {width:.0f} {height:.0f}" role="img">\n'
        f"<title>{name}: green is trained, grey is frozen, yellow is drawn once</title>\n"
        "<style>text{font:14px sans-serif;fill:#111827}"
        ".a{stroke:#374151;fill:none;marker-end:url(#h)}</style>\n"
        '<defs><marker id="h" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7"'
        ' orient="auto"><path d="M0,0L8,4L0,8z" fill="#374151"/></marker></defs>\n'
        f'<rect width="100%" height="100%" rx="8" fill="white"/>\n{inside}\n</svg>\n'
    )


def main():
    check, wrong = sys.argv[1:] == ["--check"], 0
    for name in PICTURES:
        path = os.path.join(HERE, name + ".svg")
        text = svg(name)
        if check:
            with open(path, encoding="utf-8") as file:
                if file.read() != text:
                    wrong += 1
                    print(f"{name}.svg is not as draw.py draws it", file=sys.stderr)
            continue
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
