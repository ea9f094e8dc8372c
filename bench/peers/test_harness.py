"""Tests of the harness alone: python3 -m unittest discover bench/peers"""

import argparse
import os
import sys
import tempfile
import unittest
from unittest import mock

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from harness import methods, places, runs, speed, start, tune_bert  # noqa: E402 (needs the path above)
from harness.problem import Problem  # noqa: E402

WORK = {"weights": "random", "trainable": 7, "real_tokens": [90, 10, 20], "padded_tokens": [99] * 3}
ARGS = argparse.Namespace(
    loss="full", rounds=1, steps=3, warmup=1, batch=2, threads=1, seed=0, side="both"
)


def done(seconds, losses, memory=100.0):
    answer = {"losses": losses, "step_seconds": seconds}
    return runs.Run({**answer, "loss": "full", "threads": 1, "trainable": 7}, 0.0, memory)


class TuneBertTest(unittest.TestCase):
    def setUp(self):
        self.runs = {
            ("peer", "f32"): [done([9, 2, 1], [3.0, 2.0, 1.0], 400)],
            ("trimtab", "f32"): [done([9, 1, 0.5], [3.0, 2.0004, 1.0], 100)],
            ("peer", "bf16"): [done([9, 1, 1], [3.01, 2.0, 1.0], 300)],
            ("trimtab", "bf16"): [done([9, 0.25, 0.25], [3.0, 2.0, 1.02], 90)],
        }

    def report(self):
        sides, dtypes = ["peer", "trimtab"], ["f32", "bf16"]
        with mock.patch.object(tune_bert, "say"):
            return tune_bert.report(ARGS, WORK, sides, dtypes, self.runs, {})

    def test_speed_counts_real_tokens_after_the_warmup(self):
        result, _ = self.report()
        self.assertEqual(result["peer"]["f32"]["tokens_per_s"], 10.0)
        self.assertEqual(result["trimtab"]["bf16"]["tokens_per_s"], 60.0)

    def test_ratios_are_trimtab_over_peer(self):
        result, _ = self.report()
        speeds = {"f32": 2.0, "bf16": 4.0, "bf16_vs_peer_f32": 6.0}
        self.assertEqual(result["ratio"], {**speeds, "memory_f32": 0.25, "memory_bf16": 0.3})

    def test_losses_within_rounding_are_equal(self):
        result, equal = self.report()
        self.assertTrue(equal and result["losses_equal"])
        self.assertAlmostEqual(result["max_loss_gap"], 0.0004)
        self.assertAlmostEqual(result["bf16_stray_from_f32"]["peer"], 0.01)
        self.assertAlmostEqual(result["bf16_stray_from_f32"]["trimtab"], 0.02)

    def test_other_losses_are_other_work(self):
        self.runs["trimtab", "f32"].append(done([9, 1, 1], [3.0, 2.0, 1.1]))
        result, equal = self.report()
        self.assertFalse(equal or result["losses_equal"])

    def test_a_side_that_did_another_job_is_refused(self):
        for key, value in {"trainable": 8, "threads": 2, "loss": "label-words"}.items():
            answer = {**done([1, 1, 1], [1, 1, 1]).answer, key: value}
            with self.assertRaisesRegex(Problem, f"trimtab reports {key} {value}"):
                tune_bert.check("trimtab", answer, ARGS, WORK)
        broken = done([1, 1, 1], [1.0, float("nan"), 1.0]).answer
        with self.assertRaisesRegex(Problem, "losses that are not all finite"):
            tune_bert.check("trimtab", broken, ARGS, WORK)
        short = done([1, 1, 1], [1, 1]).answer
        with self.assertRaisesRegex(Problem, "2 losses, not 3"):
            tune_bert.check("trimtab", short, ARGS, WORK)


class MethodsTest(unittest.TestCase):
    START = {"shared": True, "peft_type": "LORA", "start": "/somewhere"}

    def measured(self, ours, theirs):
        def run(name, command, threads):
            side = ours if "-trimtab-" in name else theirs
            if isinstance(side, Problem):
                raise side
            return side

        with (
            mock.patch.object(methods, "run", run),
            mock.patch.object(methods, "say"),
            mock.patch.object(methods.trimtab, "command", lambda name, arguments: arguments),
        ):
            return methods.measured("lora", self.START, ARGS, WORK, "w", "m", "python")

    def test_equal_work_is_told_from_other_work(self):
        theirs = done([9, 2, 1], [3.0, 2.0, 1.0], 400)
        same = self.measured(done([9, 1, 0.5], [3.0, 2.0004, 1.0], 100), theirs)
        self.assertTrue(same["equal"])
        self.assertEqual((same["ratio"], same["memory_ratio"]), (2.0, 0.25))
        self.assertEqual(same["trimtab"]["tokens_per_s"], 20.0)
        other = self.measured(done([9, 1, 0.5], [3.0, 2.1, 1.0]), theirs)
        self.assertFalse(other["equal"])

    def test_what_the_peer_cannot_do_is_said(self):
        found = self.measured(done([9, 2, 1], [3.0, 2.0, 1.0]), Problem("log:\nno such thing"))
        self.assertEqual(found["peer"], {"refused": "no such thing"})
        self.assertNotIn("ratio", found)

    def test_the_table_is_in_the_order_of_speed(self):
        def of(name, speed):
            ours = {"trainable": 1234, "tokens_per_s": speed, "peak_memory_mb": 5000}
            return {"method": name, "trimtab": ours}

        record = {"full": of("full", 100.0), "lora": of("lora", 250.0)}
        record["lora"]["peer"] = {"tokens_per_s": 100.0, "peak_memory_mb": 9000}
        record["lora"]["ratio"] = 2.5
        lines = list(methods.table(record))
        self.assertEqual(
            lines[2], "| `lora` | 1,234 | 250 | 2.5 × | 5,000 | 100 | 9,000 | 2.5 × |"
        )
        self.assertEqual(lines[3], "| `full` | 1,234 | 100 | 1.0 × | 5,000 | – | – | – |")


class RunTest(unittest.TestCase):
    def run_python(self, code):
        with tempfile.TemporaryDirectory() as logs, mock.patch.object(runs, "LOGS", logs):
            return runs.run("case", [sys.executable, "-c", code], threads=1)

    def test_reads_the_last_line(self):
        self.assertEqual(self.run_python("print('hello'); print('{\"a\": 1}')").answer, {"a": 1})

    def test_peak_memory_is_the_childs(self):
        small = self.run_python("print('{}')").peak_memory_mb
        large = self.run_python("b = bytearray(200 << 20); del b; print('{}')").peak_memory_mb
        # Less than 200, as a small child starts with what this process held when it forked.
        self.assertGreater(large - small, 150)
        self.assertLess(large - small, 230)

    def test_the_clock_stops_at_the_first_line(self):
        late = "import time; print('{}', flush=True); time.sleep(1.5)"
        self.assertLess(self.run_python(late).seconds_to_first_line, 1.4)

    def test_failures_say_why(self):
        with self.assertRaisesRegex(Problem, "(?s)ended with 3.*no such luck"):
            self.run_python("import sys; print('no such luck', file=sys.stderr); sys.exit(3)")
        for printed in ("hello", "", "[1]"):
            with self.assertRaisesRegex(Problem, "no JSON object"):
                self.run_python(f"print({printed!r})")


class PlacesTest(unittest.TestCase):
    def test_a_model_needs_weights_and_a_vocabulary(self):
        with tempfile.TemporaryDirectory() as directory:
            open(os.path.join(directory, "config.json"), "w").close()
            with self.assertRaisesRegex(Problem, "model.safetensors, tokenizer.json or vocab.txt"):
                places.model_directory(directory)
            for name in ("model.safetensors", "vocab.txt"):
                open(os.path.join(directory, name), "w").close()
            self.assertEqual(places.model_directory(directory), directory)

    def test_strings_are_found_at_any_depth(self):
        self.assertEqual(start.strings({"a": [{"b": "paris"}, 1, None], "c": "x"}), {"paris", "x"})


class SpeedTest(unittest.TestCase):
    def report(self, mine, other):
        def one(speeds, probabilities, memory):
            test = {"test": "tg8", "tokens_per_s_each": speeds}
            answer = {"tests": [test], "load_seconds": 0.5, "resident_mb": memory}
            return runs.Run({**answer, "log_probabilities": probabilities}, 0.0, memory)

        args = argparse.Namespace(rounds=1, repetitions=3, threads=2, side="both")
        both = {"peer": [one([10, 20, 90], other, 100)], "trimtab": [one([30, 20, 40], mine, 50)]}
        with mock.patch.object(speed, "say"):
            return speed.report("decode", args, "a.gguf", both, {})

    def test_ratio_is_of_medians(self):
        result, equal = self.report([-1.0, -2.0], [-1.1, -2.2])
        self.assertTrue(equal)
        self.assertEqual((result["ratio"], result["resident_ratio"]), (1.5, 0.5))
        self.assertAlmostEqual(result["max_log_probability_gap"], 0.2)

    def test_other_probabilities_are_other_work(self):
        self.assertFalse(self.report([-1.0, -2.0], [-1.0, -3.0])[1])
        self.assertFalse(self.report([-1.0], [-1.0, -3.0])[1])


if __name__ == "__main__":
    unittest.main()
