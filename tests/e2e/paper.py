"""Printed pages as a stranger has them: an image, a code, its bytes."""
import base64
import random
import subprocess

from support import check


def image_of(pdf, page=1):
    """The lower left of a page, where the code stands, at 150 dots an inch:
    width, rows of grey."""
    r = subprocess.run(["pdftoppm", "-r", "150", "-gray", "-f", str(page),
                        "-l", str(page), str(pdf)], capture_output=True)
    check(r.returncode == 0, f"pdftoppm: {r.stderr}")
    _, size, _, data = r.stdout.split(b"\n", 3)
    width, height = map(int, size.split())
    rows = [data[y * width:y * width + 420]
            for y in range(height - 400, height)]
    return 420, rows


def bad_copy(width, rows, seed):
    """Blurred, speckled, black and white alone: a copy of a copy."""
    rng = random.Random(seed)
    out = []
    for y in range(1, len(rows) - 1):
        a, b, c = rows[y - 1], rows[y], rows[y + 1]
        line = bytearray(width)
        for x in range(1, width - 1):
            v = (4 * b[x] + 2 * (a[x] + c[x] + b[x - 1] + b[x + 1]) +
                 a[x - 1] + a[x + 1] + c[x - 1] + c[x + 1]) // 16
            v += rng.randint(-60, 60)
            line[x] = 255 if v > 128 else 0
        out.append(bytes(line))
    return width, out


def read_code(path, image):
    """By a decoder that is not ours."""
    width, rows = image
    path.write_bytes(b"P5\n%d %d\n255\n" % (width, len(rows)) +
                     b"".join(rows))
    r = subprocess.run(["zbarimg", "-q", "--raw", "--nodbus", str(path)],
                       capture_output=True, text=True)
    return r.stdout.strip()


def unpack(code):
    """A and B of "DBP1-A#B" as bytes."""
    a, b = code.removeprefix("DBP1-").split("#")
    return [base64.b32decode(x + "=" * (-len(x) % 8)) for x in (a, b)]


def pack(a, b):
    """The code of these bytes."""
    return "DBP1-" + "#".join(
        base64.b32encode(x).decode().rstrip("=") for x in (a, b))


def scan(pdf, scratch):
    """The code on the first page."""
    code = read_code(scratch, image_of(pdf))
    check(code.startswith("DBP1-"), f"no code on {pdf}: {code}")
    return code
