"""Tests of the check's verdict: python3 -m unittest discover bench/interop"""

import os
import unittest
from argparse import Namespace
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


class QuantizedTest(unittest.TestCase):
    def run_job(self, models, answers):
        args = Namespace(models=models, seed=7)
        with (
            mock.patch.object(check.peer, "interpreter", return_value="python"),
            mock.patch.object(check.trimtab, "command", return_value=["java"]) as command,
            mock.patch.object(check.subprocess, "run", return_value=mock.Mock(returncode=0)),
            mock.patch.object(check.shutil, "rmtree"),
            mock.patch.object(check, "answer", side_effect=answers) as answer,
            mock.patch.object(check, "print_table"),
        ):
            result = check.JOBS["quantized"](args)
        return result, answer, command

    def test_models_are_made_then_written_then_loaded(self):
        loaded = {"ok": 1, "refused": 0, "wrong": 0, "cases": []}
        made = {"made": ["bert"], "unmade": {"odd": "why"}}
        (result, right), answer, command = self.run_job(HERE, [made, loaded])
        self.assertTrue(right)
        self.assertEqual(result["unmade_models"], {"odd": "why"})
        first, second = (call.args[1] for call in answer.call_args_list)
        self.assertEqual(first[2:4] + first[5:], ["make", HERE, "7"])
        models, written = command.call_args.args[1]
        self.assertEqual(first[4], models)
        self.assertEqual(second[2:], ["check", models, written])

    def test_one_that_is_wrong_makes_the_job_wrong(self):
        loaded = {"ok": 1, "refused": 0, "wrong": 1, "cases": []}
        (_, right), _, _ = self.run_job(HERE, [{"unmade": {}}, loaded])
        self.assertFalse(right)

    def test_a_missing_folder_is_said(self):
        with self.assertRaisesRegex(check.Problem, "no folder of models"):
            check.JOBS["quantized"](Namespace(models="/nowhere/at/all", seed=1))


if __name__ == "__main__":
    unittest.main()
