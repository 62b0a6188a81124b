#!/usr/bin/env python3
"""Runs the README's commands, and checks that what README and docs name exists.

Commands are the lines of ```sh blocks; they run with the tiny test model as the default model and must succeed.
Usage: readme_test.py path/to/hearth
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent
HEARTH = pathlib.Path(sys.argv.pop(1)).resolve() if len(sys.argv) > 1 else ROOT / "build/release/hearth"
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


class Readme(unittest.TestCase):
    def test_commands_run(self):
        with tempfile.TemporaryDirectory() as home:
            shutil.copytree(ROOT / "tests/testdata/tiny", pathlib.Path(home) / "models/SmolLM2-135M-Instruct")
            environment = {**os.environ, "HEARTH_HOME": home, "PATH": f"{HEARTH.parent}:{os.environ['PATH']}"}
            commands = [line for page in PAGES for block in re.findall(r"```sh\n(.*?)```", page.read_text(), re.S) for line in block.splitlines() if line.strip()]
            self.assertGreater(len(commands), 5)
            for command in commands:
                with self.subTest(command):
                    result = subprocess.run(["bash", "-c", command], env=environment, capture_output=True, text=True, timeout=300)
                    self.assertEqual(result.returncode, 0, result.stderr)

    def test_example_is_the_one_that_is_built(self):
        self.assertIn((ROOT / "examples/generate.cpp").read_text().strip(), (ROOT / "README.md").read_text())

    def test_files_that_pages_name_exist(self):
        for page in PAGES:
            text = re.sub(r"```.*?```", "", page.read_text(), flags=re.S)
            for target in re.findall(r"\]\(([^)#:]+)\)", text):
                self.assertTrue((page.parent / target).exists(), f"{page.name}: {target}")
            for name in re.findall(r"`((?:src|tools|tests|docs|bench)/[\w./]+)`", text):
                self.assertTrue((ROOT / name).exists(), f"{page.name}: {name}")
            if page.name == "tour.md":
                for name in re.findall(r"`((?:cli|session|generate|models|nn|cache|ops|weights|text|core)/[\w./]*)`", text):
                    self.assertTrue((ROOT / "src" / name).exists(), f"{page.name}: {name}")


if __name__ == "__main__":
    unittest.main()
