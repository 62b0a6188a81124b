"""Runs the built command for the tests beside this file. Its path is their first argument."""
import json
import os
import pathlib
import resource
import shutil
import subprocess
import sys
import tempfile
import unittest

HEARTH = sys.argv.pop(1) if len(sys.argv) > 1 and not sys.argv[1].startswith("-") else "build/release/hearth"
SOURCE = pathlib.Path(__file__).resolve().parent.parent
TINY = SOURCE / "tests/testdata/tiny"
SLOW = float(os.environ.get("HEARTH_TEST_SLOWNESS", "1"))  # sanitizers need longer


def hearth(*arguments, stdin=b"", timeout=60, **environment):
    words = [HEARTH, *(a if isinstance(a, bytes) else str(a) for a in arguments)]
    return subprocess.run(words, input=stdin, capture_output=True, timeout=timeout, env={**os.environ, **environment})


def generate(*arguments, model=TINY, **options):
    return hearth("generate", "--model", model, *arguments, **options)


class Copy:
    """A copy of the tiny model that a test may spoil."""

    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory()
        self.path = pathlib.Path(self.folder.name) / "model"
        shutil.copytree(TINY, self.path)
        return self

    def __exit__(self, *_):
        self.folder.cleanup()

    def config(self, **changes):
        config = json.loads((TINY / "config.json").read_text())
        for key, value in changes.items():
            if value is None:
                del config[key]
            else:
                config[key] = value
        (self.path / "config.json").write_text(json.dumps(config))

    def template(self, source):
        config = json.loads((TINY / "tokenizer_config.json").read_text())
        (self.path / "tokenizer_config.json").write_text(json.dumps({**config, "chat_template": source}))


def processor_seconds():
    """What the commands run so far have used. Unlike the clock it does not count what else the machine does."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


class RefusalTest(unittest.TestCase):
    """Exit code 2 and one line that names the culprit, within a second."""

    def run_quickly(self, result_of):
        before = processor_seconds()
        result = result_of()
        message = result.stderr.decode(errors="replace")
        self.assertLess(processor_seconds() - before, 1.0 * SLOW, message)
        return result, message

    def refused(self, result_of, *needles):
        result, message = self.run_quickly(result_of)
        self.assertEqual(result.returncode, 2, (message, result.stdout and result.stdout[:200]))
        self.assertEqual(len(message.strip().splitlines()), 1, message)
        for needle in needles:
            self.assertIn(needle, message)

    def survives(self, result_of):
        """Answered or refused in one line, within a second: for what may be legal and must not crash."""
        result, message = self.run_quickly(result_of)
        self.assertIn(result.returncode, (0, 2), message)
        if result.returncode == 2:
            self.assertEqual(len(message.strip().splitlines()), 1, message)
