# SPDX-License-Identifier: MIT
"""Reads the text on a machine's screen: each character is looked up in the font that drew it."""

import re
from pathlib import Path

FONT_HEIGHT = 16
VGA_BIOS = Path("/usr/share/seabios/vgabios-stdvga.bin")
# 'A' in the font of a VGA BIOS: there the font begins 0x41 characters before it.
VGA_A = bytes.fromhex("00 00 10 38 6c c6 c6 fe c6 c6 c6 c6 00 00 00 00")


def font_of_hypervisor(header):
    """The font that its image has: {shape: character}."""
    rows = [bytes.fromhex(row.replace("0x", "").replace(",", ""))
            for row in re.findall(r"\{ (0x[^}]*) \}", Path(header).read_text())]
    return {row: chr(0x20 + number) for number, row in enumerate(rows)}


def font_of_vga():
    """The font of text mode."""
    rom = VGA_BIOS.read_bytes()
    begin = rom.index(VGA_A) - ord("A") * FONT_HEIGHT
    return {rom[begin + code * FONT_HEIGHT:begin + (code + 1) * FONT_HEIGHT]: chr(code)
            for code in range(0x7e, 0x1f, -1)}


def read_rows(ppm, font, cell_width=8):
    """The rows of text in a picture (binary PPM). What is no character of the font becomes U+FFFD. A character of
    text mode may be wider than its shape of 8 pixels."""
    data = Path(ppm).read_bytes()
    magic, width, height, _ = data.split(None, 4)[:4]
    assert magic == b"P6"
    width, height = int(width), int(height)
    pixels = data[-width * height * 3:]
    lit = [[any(pixels[3 * at:3 * at + 3]) for at in range(y * width, (y + 1) * width)] for y in range(height)]

    def cell(column, row):
        left, top = column * cell_width, row * FONT_HEIGHT
        shape = bytes(sum(0x80 >> bit for bit in range(8) if lit[top + y][left + bit]) for y in range(FONT_HEIGHT))
        return font.get(shape, "\ufffd")

    return ["".join(cell(column, row) for column in range(width // cell_width)).rstrip()
            for row in range(height // FONT_HEIGHT)]


def wrap(lines, width):
    """The rows that lines take on a screen."""
    return [line[at:at + width].rstrip() for line in lines for at in range(0, max(len(line), 1), width)]
