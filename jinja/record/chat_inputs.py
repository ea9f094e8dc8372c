"""Records how transformers' apply_chat_template treats its inputs: parts, nulls, reasoning, continuation, documents, dates.

usage: pip install transformers==5.24.0 jinja2==3.1.6; python chat_inputs.py OUT.json
"""
import datetime, json, os, sys
os.environ["HF_HUB_OFFLINE"] = "1"
import jinja2, transformers
from tokenizers import Tokenizer, models
from transformers import PreTrainedTokenizerFast

PLAIN = "{% for m in messages %}<{{ m.role }}>{{ m.content }}</>{% endfor %}{% if add_generation_prompt %}<assistant>{% endif %}"
TRIM = "{% for m in messages %}<{{ m.role }}>{{ m.content | trim }}</>\n{% endfor %}"
PARTS = "{% for m in messages %}{% if m.content is string %}{{ m.content }}{% else %}{% for p in m.content %}{% if p.type == 'text' %}{{ p.text }}{% elif p.type == 'image' %}<image>{% endif %}{% endfor %}{% endif %};{% endfor %}"
FIELDS = "{% for m in messages %}{{ m.keys() | list }}{{ m.reasoning_content }}|{{ m.thinking }}|{{ m.content }};{% endfor %}"
DOCS = "{{ bos_token }}{% for d in documents %}{{ d.title }}:{{ d['text'] }};{% endfor %}{{ tools is none }}{{ documents is none }}{{ eos_token }}{{ pad_token is defined }}{{ mode }}"
CASES = [
    (PLAIN, [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b c"}], {"continue_final_message": True}),
    (PLAIN, [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b c "}], {"continue_final_message": True}),
    (TRIM, [{"role": "user", "content": "a"}, {"role": "assistant", "content": " b c "}], {"continue_final_message": True}),
    (TRIM, [{"role": "assistant", "content": "x"}, {"role": "assistant", "content": "x"}], {"continue_final_message": True}),
    (PARTS, [{"role": "user", "content": "a"}, {"role": "assistant", "content": [{"type": "text", "text": "one"}, {"type": "image"}]}], {"continue_final_message": True}),
    (PARTS, [{"role": "assistant", "content": [{"type": "image"}]}], {"continue_final_message": True}),
    (PARTS, [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": "what?"}]}], {}),
    (PLAIN, [{"role": "user", "content": "a"}], {"continue_final_message": True, "add_generation_prompt": True}),
    (PLAIN, [{"role": "user", "content": None}], {"continue_final_message": True}),
    (PLAIN, [{"role": "user", "content": "a"}], {"continue_final_message": "text"}),
    (PLAIN, [{"role": "user", "content": "a", "name": "b"}], {"continue_final_message": "name"}),
    ("{% for m in messages %}x{% endfor %}content", [{"role": "user", "content": "a"}], {"continue_final_message": True}),
    (FIELDS, [{"role": "assistant", "content": "a", "reasoning_content": "r"}], {}),
    (FIELDS, [{"role": "assistant", "content": "a", "thinking": "r"}], {}),
    (FIELDS, [{"role": "assistant", "reasoning": "r", "content": "a"}], {}),
    (FIELDS, [{"role": "assistant", "reasoning": "r", "thinking": "q", "content": "a"}], {}),
    (FIELDS, [{"role": "assistant", "content": None, "tool_calls": None}], {}),
    (FIELDS, [{"role": "assistant", "content": "", "thinking": "hm hm"}], {"continue_final_message": "thinking"}),
    (FIELDS, [{"role": "assistant", "content": "", "reasoning_content": "hm hm"}], {"continue_final_message": "reasoning"}),
    (PLAIN, [{"role": "user", "content": "a"}], {"add_generation_prompt": True}),
    (DOCS, [{"role": "user", "content": "a"}], {"documents": [{"title": "T", "text": "x"}], "mode": "m"}),
    (DOCS, [{"role": "user", "content": "a"}], {"bos_token": "B"}),
    ("{{ messages | tojson }}", [{"role": "user", "content": "é<", "n": 1.0, "l": [None, True]}], {}),
    ("{{ strftime_now() }}", [{"role": "user", "content": "a"}], {}),
    ("{{ raise_exception('no') }}", [{"role": "user", "content": "a"}], {}),
]
DATES = ["%Y-%m-%d", "%d %B %Y", "%d %b %Y", "%A, %B %d, %Y", "%-d %b %y", "%H:%M:%S", "%I:%M %p", "%j %U %W %V %G %u %w", "%e|%k|%l", "%D %F %T %R %r", "%c", "%x %X", "%f %%", "%Z%z|", "%^a %_d %0e", "%C %g %h %P", "plain"]
TIMES = [(2024, 7, 4, 9, 5, 3, 42), (2025, 12, 31, 23, 59, 59, 999999), (2023, 1, 1, 0, 0, 0, 0), (2021, 1, 3, 12, 30, 1, 0)]


def main(path):
    tok = PreTrainedTokenizerFast(tokenizer_object=Tokenizer(models.BPE()), bos_token="<s>", eos_token="</s>")
    cases = []
    for template, messages, options in CASES:
        case = {"template": template, "messages": messages, "options": options}
        try:
            case["text"] = tok.apply_chat_template(messages, chat_template=template, tokenize=False, **options)
        except Exception as e:
            case["error"] = f"{type(e).__name__}: {e}"
        cases.append(case)
    dates = [{"format": f, "time": datetime.datetime(*t).isoformat(timespec="microseconds"), "text": datetime.datetime(*t).strftime(f)} for f in DATES for t in TIMES]
    json.dump({"jinja2": jinja2.__version__, "transformers": transformers.__version__, "cases": cases, "dates": dates}, open(path, "w"), indent=0, ensure_ascii=False)
    print(len(cases), "cases,", sum("error" in c for c in cases), "errors,", len(dates), "dates")


main(sys.argv[1])
