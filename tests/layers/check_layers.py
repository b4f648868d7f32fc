"""Parses every #include below lib/, apps/ and tools/ against the table in rooms.txt.

usage: check_layers.py TOP      prints one line per breach; exit code 1 if there is any
"""

import fnmatch
import pathlib
import re
import sys

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.MULTILINE)
SOURCES = {".cpp", ".hpp", ".cu", ".cuh", ".h", ".cc"}
MAX_MAIN_LINES = 60


class Rooms:
    """The table: level of each room, owners of each foreign API, places a room is kept to."""

    def __init__(self, text):
        self.level, self.apis, self.only = {}, [], {}
        for number, line in enumerate(text.splitlines(), 1):
            words = line.split("#")[0].split()
            if not words:
                continue
            kind, first, *rest = words
            if kind == "room":
                self.level.update((room, int(first)) for room in rest)
            elif kind == "api":
                self.apis.append((first, set(rest)))
            elif kind == "only":
                self.only[first] = set(rest)
            else:
                raise ValueError(f"rooms.txt:{number}: unknown word {kind}")


def place_of(path):
    """The room of lib/ROOM/..., or apps/NAME, tools/NAME."""
    parts = path.parts
    return parts[1] if parts[0] == "lib" else "/".join(parts[:2])


def check_own(rooms, place, inside_lib, header, top):
    """What is wrong with an include of one of our headers, or None."""
    room = header.split("/")[0]
    # A tool may be named as a room is; its own headers are its own.
    if place == f"tools/{room}" and (top / "tools" / header).is_file():
        return None
    if room not in rooms.level:
        if inside_lib:
            return f'"{header}" is in no room: include by full path from lib/'
        return None
    if not (top / "lib" / header).is_file():
        return f'"{header}" does not exist'
    if room in rooms.only and place != room and place not in rooms.only[room]:
        return f'"{header}": room {room} is seen by {", ".join(sorted(rooms.only[room]))} only'
    if not inside_lib or place == room:
        return None
    own, other = rooms.level[place], rooms.level[room]
    if other == own:
        return f'"{header}": {room} stands beside {place} (level {own})'
    if other > own:
        return f'"{header}": {room} (level {other}) stands above {place} (level {own})'
    return None


def check_foreign(rooms, place, header):
    for pattern, owners in rooms.apis:
        if fnmatch.fnmatch(header, pattern) and place not in owners:
            return f"<{header}> belongs to {', '.join(sorted(owners))} alone"
    return None


def source_files(top):
    for folder in ("lib", "apps", "tools"):
        for path in sorted((top / folder).rglob("*")):
            if path.suffix in SOURCES and path.is_file():
                yield path.relative_to(top)


def check_file(rooms, path, top):
    inside_lib = path.parts[0] == "lib"
    place = place_of(path)
    if inside_lib and place not in rooms.level:
        yield f"{path}: lib/{place} is not in rooms.txt"
        return
    text = (top / path).read_text(encoding="utf-8")
    for match in INCLUDE.finditer(text):
        line = text.count("\n", 0, match.start(2)) + 1
        quote, header = match.groups()
        check = check_own(rooms, place, inside_lib, header, top) if quote == '"' else None
        wrong = check or check_foreign(rooms, place, header)
        if wrong:
            yield f"{path}:{line}: {wrong}"
    lines = text.count("\n")
    if path.parts[0] == "apps" and lines > MAX_MAIN_LINES:
        yield f"{path}: {lines} lines, a program's main has at most {MAX_MAIN_LINES}"


def breaches(top, table):
    """All breaches below `top`, and how many files were read."""
    rooms = Rooms(table)
    found, count = [], 0
    for path in source_files(top):
        count += 1
        found.extend(check_file(rooms, path, top))
    return found, count


def main():
    top = pathlib.Path(sys.argv[1])
    table = (pathlib.Path(__file__).parent / "rooms.txt").read_text(encoding="utf-8")
    found, count = breaches(top, table)
    for line in found:
        print(line)
    print(f"{count} files, {len(found)} breaches")
    return 1 if found or count == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
