"""The README's picture of each lesson: `python -m maintain.thumbnails`, from the stored figures.

Writes docs/pictures/thumb_NN.png. Needs Pillow, which matplotlib brings.
"""

import base64
import io
import sys

from course.lessons import notebooks
from course.lessons.notebooks import ROOT

PICTURES = ROOT / "docs" / "pictures"
SIZE = 200, 130  # pixels, twice as wide as it is shown
# Lesson -> the cell whose figure stands for it (or the cell behind it that only draws).
FIGURES = {
    "00": "map",
    "01": "cell-189",
    "02": "cell-122",
    "03": "cell-045",
    "04": "cell-076",
    "05": "cell-071",
    "06": "cell-086",
    "07": "cell-069",
    "08": "cell-032",
    "09": "cuts",
    "10": "rotate-2",
}


def figure(path, wanted):
    """The bytes of the last picture of a cell. Raises NotebookError where there is none."""
    for cell in notebooks.load(path)["cells"]:
        if cell["id"] in (wanted, f"{wanted}-drawn"):
            found = [output.get("data", {}) for output in cell.get("outputs", [])]
            pictures = [data["image/png"] for data in found if "image/png" in data]
            if pictures:
                return base64.b64decode(pictures[-1])
    raise notebooks.NotebookError(f"{path.name} has no figure in cell {wanted}: name another")


def thumbnail(picture):
    """A picture as the bytes of a small PNG of 64 colours, on a white ground of the same size."""
    from PIL import Image

    small = Image.open(io.BytesIO(picture)).convert("RGBA")  # its corners are round
    small.thumbnail((2 * SIZE[0], 2 * SIZE[1]), Image.Resampling.LANCZOS)
    ground = Image.new("RGB", (2 * SIZE[0], 2 * SIZE[1]), "white")
    ground.paste(
        small, ((ground.width - small.width) // 2, (ground.height - small.height) // 2), small
    )
    buffer = io.BytesIO()
    ground.quantize(64, dither=Image.Dither.NONE).save(buffer, format="png", optimize=True)
    return buffer.getvalue()


def main():
    for path in notebooks.all_paths():
        number = path.stem[:2]
        try:
            picture = thumbnail(figure(path, FIGURES.get(number, "that FIGURES names")))
            (PICTURES / f"thumb_{number}.png").write_bytes(picture)
        except notebooks.NotebookError as error:  # the picture before stays
            print(error, file=sys.stderr)


if __name__ == "__main__":
    main()
