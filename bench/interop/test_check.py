"""Tests of the check's verdict: python3 -m unittest discover bench/interop"""

import os
import unittest
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from unittest import mock

HERE = os.path.dirname(os.path.abspath(__file__))
LOADER = SourceFileLoader("check", os.path.join(HERE, "check"))
check = module_from_spec(spec_from_loader("check", LOADER))
LOADER.exec_module(check)


class VerdictTest(unittest.TestCase):
    def verdict(self, ok, refused, wrong):
        cases = [{"status": "ok"}] * ok + [{"status": "refused"}] * refused
        with mock.patch.object(check, "say") as say:
            right = check.is_right({"ok": ok, "refused": refused, "wrong": wrong, "cases": cases})
        return right, say.called

    def test_all_alike_is_right(self):
        self.assertEqual(self.verdict(3, 0, 0), (True, False))
        self.assertEqual(self.verdict(1, 5, 0), (True, False))

    def test_one_wrong_is_wrong(self):
        self.assertEqual(self.verdict(3, 0, 1), (False, False))

    def test_nothing_compared_is_wrong_and_said(self):
        self.assertEqual(self.verdict(0, 5, 0), (False, True))
        self.assertEqual(self.verdict(0, 0, 0), (False, True))


if __name__ == "__main__":
    unittest.main()
