"""The checks of formatting and of scripts can fail."""

import pathlib
import subprocess
import tempfile
import unittest

HERE = pathlib.Path(__file__).parent


class ShellChecks(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.top = pathlib.Path(directory.name)
        for folder in ("lib", "apps", "tools", "tests", "slurm", ".ci"):
            (self.top / folder).mkdir()
        style = (HERE / "../../.clang-format").read_text(encoding="utf-8")
        (self.top / ".clang-format").write_text(style, encoding="utf-8")
        (self.top / "lib/good.cpp").write_text("int main() { return 0; }\n", encoding="utf-8")
        (self.top / "tools/good").write_text('#!/bin/bash\necho "$1"\n', encoding="utf-8")

    def run_check(self, script):
        return subprocess.run(["bash", HERE / script, self.top], capture_output=True, text=True,
                              check=False)

    def test_clean_trees_pass(self):
        for script in ("check_format.sh", "check_scripts.sh"):
            done = self.run_check(script)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_an_unformatted_file_is_named(self):
        (self.top / "lib/bad.cpp").write_text("int  main(){return 0;}\n", encoding="utf-8")
        done = self.run_check("check_format.sh")
        self.assertEqual(done.returncode, 1)
        self.assertIn("lib/bad.cpp", done.stdout)
        self.assertNotIn("lib/good.cpp", done.stdout)

    def test_no_sources_is_a_failure(self):
        (self.top / "lib/good.cpp").unlink()
        self.assertEqual(self.run_check("check_format.sh").returncode, 1)

    def test_a_script_that_does_not_parse(self):
        (self.top / "tools/bad").write_text("#!/bin/bash\nif true; then\n", encoding="utf-8")
        self.assertNotEqual(self.run_check("check_scripts.sh").returncode, 0)

    def test_a_script_with_an_unquoted_variable(self):
        (self.top / "slurm/bad.sbatch").write_text("#!/bin/bash\nrm $1\n", encoding="utf-8")
        done = self.run_check("check_scripts.sh")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("SC2086", done.stdout)


if __name__ == "__main__":
    unittest.main()
