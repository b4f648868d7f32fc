"""The layer check can fail: every kind of breach in a made-up tree is found, and nothing else."""

import pathlib
import subprocess
import sys
import tempfile
import unittest

import check_layers

TABLE = """
room 0 core
room 1 mpi h5
room 2 shard
room 4 run rehearsal
api mpi.h mpi
api torch/* shard
only rehearsal tools/rehearsal
"""


class CheckLayers(unittest.TestCase):
    def setUp(self):
        self._directory = tempfile.TemporaryDirectory()
        self.addCleanup(self._directory.cleanup)
        self.top = pathlib.Path(self._directory.name)
        for header in ("core/a.hpp", "mpi/a.hpp", "h5/a.hpp", "shard/a.hpp", "run/a.hpp",
                       "rehearsal/a.hpp"):
            self.write(f"lib/{header}", "#pragma once\n")

    def write(self, path, text):
        (self.top / path).parent.mkdir(parents=True, exist_ok=True)
        (self.top / path).write_text(text, encoding="utf-8")

    def breaches(self):
        return check_layers.breaches(self.top, TABLE)[0]

    def assert_one(self, *parts):
        found = self.breaches()
        self.assertEqual(len(found), 1, found)
        for part in parts:
            self.assertIn(part, found[0])

    def test_a_clean_tree_has_none(self):
        self.write("lib/shard/b.cpp", '#include "core/a.hpp"\n#include "h5/a.hpp"\n#include <mutex>\n')
        self.write("lib/mpi/b.cpp", "#include <mpi.h>\n")
        self.assertEqual(self.breaches(), [])

    def test_back_edge(self):
        self.write("lib/core/b.cpp", '\n\n#include "shard/a.hpp"\n')
        self.assert_one("lib/core/b.cpp:3", "stands above core")

    def test_sibling(self):
        self.write("lib/h5/b.hpp", '#  include "mpi/a.hpp"\n')
        self.assert_one("lib/h5/b.hpp:1", "beside h5")

    def test_foreign_api_elsewhere(self):
        self.write("lib/run/b.cpp", "#include <mpi.h>\n")
        self.assert_one("<mpi.h> belongs to mpi alone")

    def test_foreign_api_in_quotes(self):
        self.write("tools/evd/b.cpp", '#include "mpi.h"\n')
        self.assert_one("<mpi.h> belongs to mpi alone")

    def test_family_of_headers(self):
        self.write("apps/train/main.cpp", "#include <torch/torch.h>\n")
        self.assert_one("belongs to shard alone")

    def test_kept_room(self):
        self.write("tools/rehearsal/b.cpp", '#include "rehearsal/a.hpp"\n')
        self.write("tools/evd/b.cpp", '#include "rehearsal/a.hpp"\n')
        self.assert_one("tools/evd/b.cpp", "seen by tools/rehearsal only")

    def test_a_tool_named_as_a_room_has_headers_of_its_own(self):
        self.write("tools/rehearsal/server.hpp", "#pragma once\n")
        self.write("tools/rehearsal/b.cpp", '#include "rehearsal/server.hpp"\n')
        self.write("tools/evd/b.cpp", '#include "rehearsal/server.hpp"\n')
        self.assert_one("tools/evd/b.cpp", "does not exist")

    def test_relative_include(self):
        self.write("lib/core/b.cpp", '#include "a.hpp"\n')
        self.assert_one("full path from lib/")

    def test_missing_header(self):
        self.write("lib/shard/b.cpp", '#include "core/gone.hpp"\n')
        self.assert_one("does not exist")

    def test_unknown_room(self):
        self.write("lib/utils/b.cpp", "\n")
        self.assert_one("lib/utils is not in rooms.txt")

    def test_long_main(self):
        self.write("apps/train/main.cpp", "\n" * 61)
        self.assert_one("at most 60")

    def test_the_command_fails_on_a_breach_and_on_an_empty_tree(self):
        script = pathlib.Path(check_layers.__file__)
        self.write("lib/core/b.cpp", '#include "shard/table.hpp"\n')
        done = subprocess.run([sys.executable, script, self.top], capture_output=True, text=True,
                              check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("lib/core/b.cpp:1", done.stdout)
        with tempfile.TemporaryDirectory() as empty:
            done = subprocess.run([sys.executable, script, empty], capture_output=True, check=False)
        self.assertEqual(done.returncode, 1)


if __name__ == "__main__":
    unittest.main()
