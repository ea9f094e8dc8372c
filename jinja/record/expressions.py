"""Records what Hugging Face transformers' Jinja makes of small templates, good and bad.

usage: pip install transformers==5.24.0 jinja2==3.1.6; python expressions.py OUT.json
OUT.json: {jinja2, transformers, variables, cases: [{template, text | error}]}; `error` is the exception's type and text.
"""
import json, sys
import jinja2, transformers
from transformers.utils.chat_template_utils import _compile_jinja_template

VARIABLES = {
    "s": "Hello, World", "e": "", "u": "žluťoučký 😀 kůň", "n": 7, "z": 0, "neg": -3, "f": 2.5, "t": True, "no": None,
    "big": 123456789012345678901234567890, "l": [3, 1, 2], "words": ["b", "a", "C", "A"], "nested": [[1, [2, "x"]], []],
    "d": {"b": 1, "a": [1, 2], "items": "mine", "none": None}, "empty": {}, "h": "<a href=\"x\">it's & so</a>",
    "users": [{"name": "Zoe", "age": 30, "tags": ["x", "y"]}, {"name": "adam", "age": 25, "tags": []}, {"name": "Bob", "age": 30, "tags": ["z"]}],
    "lines": "one\n\ntwo\r\nthree\x0bfour\n", "tree": [{"v": 1, "c": [{"v": 2, "c": []}, {"v": 3, "c": [{"v": 4, "c": []}]}]}],
    "deep": {"a": {"b": {"c": [10, 20]}}}, "fl": [0.1, 1e16, 1e-5, 123456.789, -0.0, 1e22, 5e-324, 100000.0],
}

EXPRESSIONS = """
1 + 2
7 // 2
-7 // 2
7 // -2
-7 % 3
7 % -3
7 / 2
6 / 3
7.5 // 2
-7.5 // 2
7.5 % -2
-0.0
2 ** 10
2 ** -1
2 ** 0.5
(-2) ** 2
-2 ** 2
2 ** 3 ** 2
2 ** 100
10 ** 20 // 7
big * big
big % 1000
big / 7
-big // 7
0.1 + 0.2
1e100
1.0
1e16
123456789.123
1e15
1_000
0x1F
0b101
0o17
1_0.5_0e1_0
fl
1 / 0
1 % 0
1.0 / 0
0 ** -1
1 + '1'
'1' + 1
'a' + 'b'
'a' * 3
3 * 'a'
'a' * -1
[1] * 2
[1] + [2]
[1] + (2,)
(1,) + (2,)
(1,)
()
(1, 2)
1, 2
[]
{}
{'a': 1, 'b': [1, 'x', none, true, 1.5]}
{1: 'a', 1.0: 'b', true: 'c'}
{'a': {'b': ()}}
[[], {}, (), '']
'it\\'s'
"it's"
['it\\'s', "say \\"x\\"", 'both \\' and "']
['\\n\\t\\r\\\\', '\\x00\\x7f\\xa0', 'é😀', '\\u200b\\u2028']
'\\u00e9\\x41\\101\\N{BULLET}'
'\\q\\é'
'a' 'b' "c"
true and 'x'
false or none
none or 0
'' or 'dflt'
not none
not 'a'
not not 1
1 < 2 < 3
1 < 2 > 3
1 == 1.0
1 == true
'a' == 'a'
'a' < 'b'
'a' < 1
[1, 2] < [1, 3]
[1, 2] == [1, 2]
(1, 2) == [1, 2]
{'a': 1, 'b': 2} == {'b': 2, 'a': 1}
none == none
none < 1
1 != 2
1 in [1, 2]
1 not in [1, 2]
'el' in s
1 in 'abc'
'a' in d
'zz' in d
1 in 5
none in [none]
'x' in undefinedthing
undefinedthing
undefinedthing.foo
undefinedthing['foo']
undefinedthing + 1
1 + undefinedthing
'a' + undefinedthing
undefinedthing ~ 'a'
undefinedthing == undefinedthing
undefinedthing == none
undefinedthing()
undefinedthing | length
undefinedthing | upper
undefinedthing | join(',')
undefinedthing | int
undefinedthing | float
undefinedthing | tojson
undefinedthing | list
undefinedthing | first
undefinedthing | last
undefinedthing | sort
undefinedthing | default(3)
undefinedthing < 1
-undefinedthing
undefinedthing in [1]
[undefinedthing]
undefinedthing is iterable
undefinedthing is sequence
undefinedthing is mapping
undefinedthing is none
undefinedthing is callable
undefinedthing is string
undefinedthing | trim
undefinedthing | items | list
undefinedthing | map('upper') | list
undefinedthing | reverse
undefinedthing | selectattr('a') | list
undefinedthing | string
s.foo
s.foo.bar
s | nofilter
s is notest
s.upper()
s.lower()
s.title()
s.capitalize()
s.swapcase()
s.casefold()
s.strip('Hd')
s.lstrip('Hel')
s.rstrip('dl')
'  x '.strip() ~ '|'
' \\u00a0\\t x'.lstrip()
s.split()
s.split(', ')
s.split('o', 1)
s.split(maxsplit=1)
' a b  c '.split(none, 1)
' a b  c '.rsplit(none, 1)
'a,b,c'.rsplit(',', 1)
'a,b,c'.rsplit(sep=',', maxsplit=5)
s.split('')
''.split()
''.split(',')
lines.splitlines()
lines.splitlines(true)
s.partition(', ')
s.rpartition('o')
s.partition('zz')
s.rpartition('zz')
s.startswith('Hell')
s.startswith(('x', 'H'))
s.startswith('W', 7)
s.endswith('ld')
s.endswith(['x'])
s.removeprefix('Hello')
s.removesuffix('World')
s.replace('l', 'L')
s.replace('l', 'L', 1)
s.replace('', '-')
s.replace('zz', '-')
s.find('o')
s.find('o', 5)
s.find('zz')
s.rfind('o')
s.index('zz')
s.index('W')
s.rindex('o')
s.count('l')
s.count('')
u.find('k')
u.index('ů')
u | length
u[10]
u[11:]
u[::-1]
u.upper()
'-'.join(['a', 'b'])
'-'.join([1])
'-'.join('abc')
'x'.center(6, '*')
'x'.center(5)
'xy'.center(5, '-')
'xyz'.center(8, '-')
'x'.ljust(3) ~ '|'
'x'.rjust(3, '.')
'-5'.zfill(4)
'ab'.zfill(1)
'a\\tb'.expandtabs(4)
'abc'.isalpha()
'ab1'.isalnum()
'12'.isdigit()
'1.2'.isnumeric()
' '.isspace()
'Ab'.islower()
'AB1'.isupper()
'Ab Cd'.istitle()
''.isalpha()
'a_b'.isidentifier()
'x'.isascii()
"they're bill's".title()
"they're bill's" | title
'hello-world (foo) [bar]' | title
'ß'.upper()
'ÀB'.lower()
'{} {}'.format(1, 'a')
'{1} {0} {x}'.format(1, 2, x=3)
'{:>5}|{:<5}|{:^5}|'.format('a', 'b', 'c')
'{:.2f} {:05d} {:,} {:x} {:#x} {:b} {:e} {:%} {:+}'.format(1.005, 42, 1234567, 255, 255, 5, 12345.678, 0.25, 3)
'{:*^9}'.format('mid')
'{0[a]} {0[b]}'.format(d)
'{!r:>6}'.format('x')
'{{}}'.format()
'{:{}}'.format('x', 4)
'{'.format(1)
'{}'.format()
'{:d}'.format('x')
'{:g} {:g} {:g}'.format(1e10, 0.0001, 100000.0)
'{:10.3f}|{:<10}|'.format(3.14159, 2.5)
'{:_}'.format(1234567)
'{a}'.format_map({'a': 1})
'%s %d %5.2f %x %o %e %g %c %r %%' % ('a', 3.7, 3.14159, 255, 8, 12345.678, 0.0001, 'z', 'q')
'%s' % 'x'
'%s %s' % 'x'
'%d' % 'x'
'%(a)s-%(b)d' % {'a': 1, 'b': 2}
'%05d|%-5d|%+d|% d' % (42, 42, 42, 42)
'%5s|%-5s|' % ('a', 'b')
'%.2s' % 'abc'
'%*d' % (5, 42)
'%s' % [1, 2]
'%s' % none
'x' % ()
'x' % 1
'%#x %#o' % (255, 8)
'%g' % 1e20
'%g' % 123456789
'%.3g' % 0.00012345
'%G' % 1e-10
'%f' % 1e15
'%i' % true
'%%' % ()
'%y' % 1
'%' % 1
"%s and %s" | format('a', 'b')
"%(x)s" | format(x=1)
l[0]
l[-1]
l[5]
l[5] is defined
l['x']
l[1:]
l[:-1]
l[::-1]
l[::2]
l[2:0:-1]
l[-2:]
l[10:]
l[::0]
s[1:5]
s[::-1]
s[-5:-1]
s[::3]
s[100]
(1, 2, 3)[1:]
range(10)[2:5] | list
l[1:2, 0]
d.a
d['a']
d.items
d['items']
d.get('a')
d.get('zz')
d.get('zz', 5)
d.keys() | list
d.values() | list
d.items() | list
d.keys()
d.items()
d.zz
d.zz.yy
d.none
d.none.foo
no.foo
d.a.0
deep.a.b.c[1]
deep.a.b.c.1
deep['a'].b['c'].0
d.pop('a')
d.update({'x': 1})
d.setdefault
l.append(1)
l.append
l.index(1)
l.index(99)
l.count(1)
l.copy()
l.sort()
s.__class__
s.__class__.__mro__
s['__class__']
d.__class__
l.__len__()
(1).bit_length()
n.real
dict(a=1, b=2)
dict({'a': 1}, b=2)
dict([('a', 1), ('b', 2)])
dict.fromkeys(['a', 'b'], 0)
namespace(a=1).a
namespace(a=1).b
namespace(_x=1)
range(5) | list
range(2, 8, 3) | list
range(5, 0, -2) | list
range(0) | list
range(3)
range(1, 3, 2)
range(10, 1, 0)
range(100001)
range('x')
range(5) | length
range(3) == range(3)
3 in range(5)
1 if true else 2
1 if false else 2
1 if false
(1 if false) is defined
'a' if n > 5 and f < 3 else 'b'
1 if false else 2 if false else 3
s ~ n ~ f ~ no ~ t ~ l
1 ~ 2
s | length
l | length
d | count
5 | length
none | length
l | sum
[1, 2.5] | sum
users | sum('age')
users | sum(attribute='age', start=100)
[[1], [2]] | sum(start=[])
['a'] | sum
l | sort
l | sort(reverse=true)
words | sort
words | sort(case_sensitive=true)
users | sort(attribute='name') | map(attribute='name') | list
users | sort(attribute='age,name') | map(attribute='name') | join(' ')
users | sort(attribute='age', reverse=true) | map(attribute='name') | join(' ')
[1, 'a'] | sort
d | dictsort
{'b': 1, 'A': 3, 'c': 2} | dictsort
{'b': 1, 'A': 3, 'c': 2} | dictsort(true)
{'b': 1, 'A': 3, 'c': 2} | dictsort(false, 'value')
{'b': 1, 'A': 3, 'c': 2} | dictsort(by='value', reverse=true)
{'b': 1} | dictsort(by='x')
words | unique | list
words | unique(true) | list
users | unique(attribute='age') | map(attribute='name') | list
l | min
l | max
[] | max
words | min
words | max(true)
users | max(attribute='age')
l | first
[] | first
l | last
s | first
s | last
d | first
d | last
l | reverse | list
s | reverse
d | reverse | list
l | join
l | join('-')
users | join(', ', attribute='name')
l | join(1)
5 | join
l | list
s | list
d | list
5 | list
l | string
words | map('upper') | list
words | map('replace', 'a', 'x') | list
users | map(attribute='name') | list
users | map(attribute='zz') | list
users | map(attribute='zz', default='q') | list
users | map(attribute='tags.0') | list
users | map(attribute='tags') | map('length') | list
[1, 2] | map | list
[1, 2] | map('nofilter') | list
users | selectattr('tags') | map(attribute='name') | list
users | selectattr('age', '>', 26) | map(attribute='name') | list
users | selectattr('age', 'equalto', 30) | list | length
users | rejectattr('age', 'eq', 30) | map(attribute='name') | first
users | selectattr('zz', 'defined') | list
users | selectattr('name', 'in', ['Bob', 'Zoe']) | map(attribute='name') | join
[0, 1, 2, none, ''] | select | list
[0, 1, 2, none, ''] | reject | list
[1, 2, 3, 4] | select('odd') | list
[1, 2, 3, 4] | select('divisibleby', 2) | list
[1, 2, 3, 4] | reject('gt', 2) | list
[1, 2] | select('notest') | list
words | map('upper') | length
(words | map('upper'))[0]
[1, 2, 3, 4, 5] | batch(2) | list
[1, 2, 3, 4, 5] | batch(2, 'x') | list
[1, 2, 3, 4, 5] | slice(2) | list
[1, 2, 3, 4, 5] | slice(3, 'x') | list
users | groupby('age') | list | length
users | groupby('age') | map('first') | list
(users | groupby('age'))[0].grouper
(users | groupby('age'))[1].list | map(attribute='name') | list
users | groupby('zz', default='none') | map(attribute=0) | list
d | items | list
l | items | list
2.5 | round
3.5 | round
2.675 | round(2)
1234.567 | round(-2)
5 | round
5 | round(2)
2.1 | round(0, 'ceil')
2.19 | round(1, 'floor')
2.1 | round(method='x')
'x' | round
1.005 | round(2)
-3 | abs
-2.5 | abs
'x' | abs
'42' | int
'42.9' | int
' 42 ' | int
'x' | int
'x' | int(5)
'0x1f' | int(base=16)
'ff' | int(0, 16)
'1_000' | int
3.99 | int
-3.99 | int
true | int
none | int
[] | int
'1e3' | int
'inf' | int
'3.5' | float
'x' | float
'x' | float(1.5)
none | float
'1e3' | float
'nan' | float
'-inf' | float
5 | float
s | upper
s | lower
5 | upper
s | capitalize
'ab cd' | title
'  x ' | trim
'xxaxx' | trim('x')
5 | trim
s | replace('l', 'L')
s | replace('l', 'L', 2)
5 | replace(5, 6)
s | center(20)
s | truncate(8)
'a long sentence with words' | truncate(15)
'a long sentence with words' | truncate(15, true)
'a long sentence with words' | truncate(15, false, '…')
'a long sentence with words' | truncate(15, leeway=20)
'x' | truncate(1)
'a\\nb\\n\\nc' | indent
'a\\nb\\n\\nc' | indent(2, true)
'a\\nb\\n\\nc' | indent(2, blank=true)
'a\\nb' | indent('> ')
'a\\nb' | indent(width=1, first=true)
5 | indent
h | escape
h | e | e
h | forceescape
h | safe
(h | safe) ~ '<'
'<' ~ (h | e)
('<' | e) + '>'
'<' + ('>' | e)
('<%s>' | e) % '<'
('<' | e) is escaped
(h | e).upper()
('a' | e).join(['<'])
['<' | e]
h | striptags
' <b> a \\n b</b> &amp;' | striptags
s | wordcount
'a b' | urlencode
'a/b?c=d&e' | urlencode
{'a': 'x y', 'b': '/'} | urlencode
u | urlencode
{'class': 'a', 'id': none, 'x': '<'} | xmlattr
{'a b': 1} | xmlattr
100 | filesizeformat
1 | filesizeformat
123456 | filesizeformat
123456 | filesizeformat(true)
1e25 | filesizeformat
s | string
5 | string ~ 'x'
s | attr('upper')
d | attr('a')
d | attr('a') is defined
d | tojson
l | tojson
s | tojson
u | tojson
u | tojson(ensure_ascii=true)
h | tojson
'\\x01\\x7f\\u2028\\b\\f"\\\\/' | tojson
'\\x7fé' | tojson(ensure_ascii=true)
[1.0, 1e100, true, none, 0.1, -0.0] | tojson
('inf' | float) | tojson
('nan' | float) | tojson
(1, 2) | tojson
{1: 2, none: 3, true: 4, 1.5: 5} | tojson
{(1, 2): 3} | tojson
d | tojson(indent=2)
d | tojson(2)
nested | tojson(indent=1)
{'a': [], 'b': {}} | tojson(indent=2)
d | tojson(indent=0)
d | tojson(indent='--')
{'b': 1, 'a': 2} | tojson(sort_keys=true)
d | tojson(separators=(',', ':'))
d | tojson(indent=2, separators=(',', ': '))
d | tojson(separators=[',', ':'])
{'b': 1, 2: 2} | tojson(sort_keys=true)
range(3) | tojson
d.items() | tojson
{'a': undefinedthing} | tojson
d | tojson(foo=1)
big | tojson
1 is number
1.5 is number
true is number
'1' is number
1 is integer
true is integer
1.5 is float
1 is float
true is boolean
1 is boolean
true is true
1 is true
false is false
0 is false
none is none
s is string
l is string
d is mapping
l is mapping
l is sequence
s is sequence
d is sequence
5 is sequence
5 is iterable
s is iterable
d.items() is iterable
d.items() is sequence
(l | map('upper')) is iterable
range(3) is sequence
s.upper is callable
s is callable
3 is odd
3 is even
4 is divisibleby 2
4 is divisibleby(3)
4 is divisibleby 0
'x' is odd
'abc' is lower
'Abc' is lower
'ABC' is upper
1 is sameas 1
none is sameas none
[] is sameas []
1 is eq 1
1 is equalto 2
1 is ne 2
1 is lt 2
1 is greaterthan 0
1 is in [1, 2]
1 is not in [1, 2]
'upper' is filter
'zz' is filter
'odd' is test
1 is defined
zz is not defined
not zz is defined
1 is number and 2 is number
n is defined and n > 3
[1, 2, 3] is iterable and 1 is not string
d.a is defined
d.zz is undefined
no is defined
s.upper() | lower
-n | abs
-1 | abs
(-1) | abs
+n
-t
-s
n > 5 or zz.foo
1 if n else zz.foo
not 1 == 2
not (1 == 2)
1 + 2 * 3
(1 + 2) * 3
1 - -1
2 - 1 - 1
8 / 4 / 2
1 ~ 2 + 3
'a' ~ 'b' * 2
1 + 2 ~ 3 + 4
s|upper|lower|title
(s|upper)[0]
s|upper[0]
[1,2,3][1]
{'a': {'b': 2}}.a.b
'abc'[1]
'abc'.upper()[0]
"a" "b" | upper
cycler('a', 'b').next()
cycler()
joiner()()
raise_exception('boom')
raise_exception(5)
raise_exception()
5()
s()
s.upper(1)
s.split(1)
s.strip(1)
s.replace('a')
l()
true
True
None
none
False
[none, None, true, True]
'\\x4'
'unterminated
1 +
1 + + 2
1 2
(1
[1, 2
{1: 2
{1}
a b
|upper
s|
s is
.5
5.
5.upper()
1..2
a.b.
a[
f(1, a=2, 3)
f(a=1, a=2)
f(**1, 2)
s.split(*[','])
s.split(**{'sep': ','})
s.split(*[','], maxsplit=1)
dict(**{'a': 1})
s ! n
s & n
s @ n
1 if
not
a = 1
1 <> 2
loop is defined
1 is 1
none is none is none
1 is string is number
'a' in 'abc' in 'x'
[1, 2,]
(1, 2,)
{'a': 1,}
dict(a=1,)
[,]
[1 2]
1 == 1 == 1
'😀' * 2
'😀'[0] ~ '😀'.encode
u.split(' ')
u.center(20, '·')
u | truncate(5, true, '')
u | first ~ u | last
'%5s|' % '😀'
'😀' < '\\uffff'
'a\\\\
b'
1e400
-1e400
1e-400
0.1 * 3
1e308 * 10
10 ** 30 + 0.5
10 ** 400 * 1.0
10 ** 400 / 10 ** 399
7 // 0.5
1 // 0.1
5 % 0.3
-5 % 0.3
true + true
true * 'a'
[1] * true
t and 1
1.5 == 1.5
1 < 1.5
big > 1e20
big == big + 0
9007199254740993 == 9007199254740992.0
9007199254740993 < 9007199254740992.0
'nan' | float == 'nan' | float
none ~ none
[1, [2, [3]]] | string
{'a': 'b'} | string | length
('a', 'b') | join
{'x': 1} ~ ''
d | length > 2
users[0].name ~ users[-1]['name']
users[0].tags[-1]
users | length is odd
users | map(attribute='age') | sum / users | length
(h | safe).replace('<', '>')
(h | safe).replace('&', '<', 1)
(h | safe).replace('it', new='<')
('a' | safe).join(['<', 1, '<' | safe])
('a<b' | safe).split('<')
('a<b' | safe).partition('<')
('a' | safe).ljust(5, '<')
('a' | safe).center(5, '*')
('a' | safe).center(6, fillchar='*')
('a<' | safe).find('<')
('a<' | safe).startswith('a<')
('<b>' | safe).strip('<')
('<%s>' | safe) % '<'
('<%s %s>' | safe) % ('<', 1)
('<%(a)s>' | safe) % {'a': '<'}
('<%s>' | safe) % [('<',)]
('<%r>' | safe) % '<'
('<%s>' | safe) % (('<', 1),)
('<%d %5.1f>' | safe) % (3, 2.5)
('<{}>' | safe).format('<')
('<{:>3}>' | safe).format('<')
('<{a}>' | safe).format(a='<')
('<{a}>' | safe).format_map({'a': '<'})
('<{}>' | safe).format('<' | safe)
('<{:>3}>' | safe).format('<' | safe)
('<{!r}>' | safe).format('<')
(('a' | safe) * 2) is escaped
(('a b' | safe).split() | first) is escaped
('ab' | safe).upper() is escaped
('ab' | safe).find('b') is escaped
'{}'.format('<' | safe)
'{:>3}'.format('<' | safe)
'%s' % ('<' | safe)
'{!a}'.format(u)
'{!a:>9}'.format('é')
'%a' % u
'{:z.1f}'.format(-0.01)
'{:z.1f}'.format(-0.06)
'{:z}'.format(3)
'{:z}'.format('a')
'{:.3d}'.format(5)
'{:.3}'.format(5)
'{:.1x}'.format(5)
'{:,x}'.format(255)
'{:_x}'.format(65535)
'{:_b}'.format(255)
'{:,}'.format(1234567)
'{:,.1f}'.format(1234567.25)
'{:+c}'.format(65)
'{:#}'.format('a')
'{:,n}'.format(5)
[1, 'nan' | float] | max
['nan' | float, 1] | max
[1, 'nan' | float, 0] | min
('nan' | float) > 1
('nan' | float) <= 1
[1] < ['nan' | float]
['nan' | float] > [1]
'𝟎' | int
'٣' | int
'Ａ' | int(base=16)
'²' | int
{(1, 2): 3}[(1, 2)]
{(1, 'a'): 1}[(1.0, 'a')]
{((1, 2), 'a'): 1}[((true, 2), 'a')]
{range(3): 1}[range(0, 3, 1)]
{d.items(): 1}
d[(1, [2])] is defined
d[[1]] is defined
{1: 'a', true: 'b', 1.0: 'c'}
{[1]: 2}
{none: 1}[none]
[1, 1.0, true, '1', 'A', 'a', none, none] | unique | list
{('a',): 1}[('a' | safe,)]
{'\\x00': 1, '\\x00s\\x00': 2}['\\x00']
{1: 2, '\\x00i1': 3}[1]
{'a': 1}['a' | safe]
1 in {1.0: 2}
[1] in {}
'a b'.rsplit(none, 1)
'  a  b  c '.rsplit(none, 1)
' a b '.rsplit()
'a <b> c <!-- d --> e' | striptags
"x = 'a'; x" is string
""".strip("\n").split("\n")

TEMPLATES = [
    "a\n", "a\n\n", "\n", "", "a\r\nb\rc", "{{ 1 }}\n", "{{ 1 }}\n\n", "{{ 1 }}\n{{ 2 }}",
    "{% if true %}\na\n{% endif %}\nb", "  {% if true %}a{% endif %}  \n  b", "x  {% if true %}a{% endif %}", "x  {%- if true -%}  a  {%- endif -%}  y",
    "  {%+ if true %}a{% endif %}", "{% if true +%}\na{% endif %}", "  {{ 1 }}  ", "x  {{- 1 -}}  y", "a {#- c -#} b", "a\n  {# c #}\nb", "a {# c +#}\nb",
    "{# {{ x }} {% if %} #}z", "{# open", "{{ 1", "{% if true %}", "{% if true %}{% else %}", "{% endif %}", "{% foo %}", "{% %}", "{{ }}", "{%- -%}",
    "{% raw %}\n{{ x }}{% endraw %}\nb", "{% raw -%}  {{ x }}  {%- endraw -%}  b", "  {% raw %}x{% endraw %}", "a\n  {% raw %}x\n  {% endraw %}\nb", "{% raw %}x", "{%raw%}{%endraw%}z",
    "{{ '}}' }}", "{{ {'a': {'b': 1}} }}", "{{ {'a': 1}}}", "{{ '{{' ~ \"%}\" }}", "{ { } }", "{", "{{", "%}", "}}", "a {% b", "{{ ')' }}", "{{ ( }}", "{{ ) }}", "{{ [) }}",
    "{% for x in l %}{{ x }}{% endfor %}", "{% for x in l %}{{ loop.index }}{{ loop.index0 }}{{ loop.revindex }}{{ loop.revindex0 }}{{ loop.first }}{{ loop.last }}{{ loop.length }}{{ loop.depth }};{% endfor %}",
    "{% for x in [] %}a{% else %}b{% endfor %}", "{% for x in l %}{% if x == 1 %}{% break %}{% endif %}{{ x }}{% else %}none{% endfor %}", "{% for x in l %}{% break %}{% else %}none{% endfor %}", "{% for x in l %}{% continue %}{{ x }}{% else %}none{% endfor %}",
    "{% for x in l %}{% if x == 1 %}{% continue %}{% endif %}{{ x }}{% endfor %}", "{% break %}", "{% for x in l %}{% macro m() %}{% break %}{% endmacro %}{% endfor %}", "{% if true %}{% continue %}{% endif %}",
    "{% for k, v in d.items() %}{{ k }}={{ v }};{% endfor %}", "{% for k, v in [[1, 2], [3]] %}{{ k }}{% endfor %}", "{% for a, (b, c) in [[1, [2, 3]]] %}{{ a }}{{ b }}{{ c }}{% endfor %}", "{% for (a, b) in [[1, 2]] %}{{ a }}{{ b }}{% endfor %}",
    "{% for x in d %}{{ x }}{% endfor %}", "{% for x in 'abc' %}{{ x }}-{% endfor %}", "{% for x in u %}{{ x }}|{% endfor %}", "{% for x in none %}{% endfor %}", "{% for x in 5 %}{% endfor %}", "{% for x in zz %}a{% else %}b{% endfor %}", "{% for x in zz.y %}{% endfor %}",
    "{% for x in range(10) if x is odd %}{{ loop.index }}:{{ x }}/{{ loop.length }} {% endfor %}", "{% for x in l if x > 5 %}a{% else %}b{% endfor %}", "{% for x in 1, 2, 3 %}{{ x }}{% endfor %}",
    "{% for x in l %}{{ loop.previtem }}<{{ x }}>{{ loop.nextitem }};{% endfor %}", "{% for x in l %}{{ loop.previtem is defined }}{{ loop.nextitem is defined }}{% endfor %}", "{% for x in l %}{{ loop.cycle('a', 'b') }}{% endfor %}", "{% for x in [1, 1, 2] %}{{ loop.changed(x) }}{% endfor %}", "{% for x in l %}{{ loop.cycle() }}{% endfor %}",
    "{% for x in tree recursive %}{{ x.v }}@{{ loop.depth0 }}{{ loop(x.c) }}{% endfor %}", "{% for x in tree %}{{ loop(x.c) }}{% endfor %}", "{% for x in l %}{% for y in l %}{{ loop.index }}{% endfor %}{{ loop.index }};{% endfor %}", "{% for x in l %}{{ loop }}{% endfor %}", "{{ loop.index }}",
    "{% set x = 1 %}{% for i in l %}{% set x = x + i %}{{ x }};{% endfor %}{{ x }}", "{% set x = 1 %}{% if true %}{% set x = 2 %}{% endif %}{{ x }}", "{% for i in l %}{% if loop.first %}{% set x = 1 %}{% endif %}{{ x is defined }}{% endfor %}{{ x is defined }}", "{% for i in l %}{% set i = 5 %}{{ i }}{% endfor %}{{ i }}",
    "{% set ns = namespace(x=1) %}{% for i in l %}{% set ns.x = ns.x + i %}{% endfor %}{{ ns.x }}", "{% set ns = {} %}{% set ns.x = 1 %}", "{% set zz.x = 1 %}", "{% set ns = namespace() %}{% set ns._x = 1 %}", "{% set ns = namespace({'a': 1}, b=2) %}{{ ns.a }}{{ ns['b'] }}{{ ns.c }}|{{ ns.c is defined }}", "{% set ns = namespace(a=1) %}{% set ns.a, y = 3, 4 %}{{ ns.a }}{{ y }}",
    "{% set a, b = 1, 2 %}{{ a }}{{ b }}", "{% set a, b = [1] %}", "{% set (a, b) = (1, 2) %}{{ b }}", "{% set 1 = 2 %}", "{% set a.b.c = 2 %}", "{% set true = 1 %}", "{% set x %}a{{ 1 }}{% endset %}{{ x }}", "{% set x | upper %}a{{ 1 }}b{% endset %}{{ x }}", "{% set x | replace('a', 'b') | upper %}a{% endset %}{{ x }}", "{% set x %}{% set y = 1 %}{% endset %}{{ y is defined }}", "{% set x = 1, 2 %}{{ x }}", "{% set x = 1 if false %}{{ x is defined }}", "{% set x %}", "{% set %}",
    "{% macro m(a, b=2) %}{{ a }}-{{ b }}{% endmacro %}{{ m(1) }} {{ m(1, 3) }} {{ m(b=5, a=4) }} {{ m() }}", "{% macro m(a) %}{{ a is defined }}{% endmacro %}{{ m() }}{{ m(1) }}", "{% macro m(a) %}{{ a }}{% endmacro %}{{ m(1, 2) }}", "{% macro m(a) %}{{ a }}{% endmacro %}{{ m(b=2) }}", "{% macro m(a) %}{{ a }}{% endmacro %}{{ m(1, a=2) }}",
    "{% macro m() %}{{ varargs }}{{ kwargs }}{% endmacro %}{{ m(1, 2, x=3) }}", "{% macro m(a, b=a) %}{{ b }}{% endmacro %}{{ m(3) }}", "{% macro m() %}{{ x }}{% endmacro %}{% set x = 5 %}{{ m() }}", "{% set x = 1 %}{% macro m() %}{{ x }}{% set x = 2 %}{{ x }}{% endmacro %}{{ m() }}{{ x }}", "{% for i in l %}{% macro m() %}{{ i }}{% endmacro %}{{ m() }}{% endfor %}",
    "{% macro m(n) %}{{ n }}{% if n > 0 %}{{ m(n - 1) }}{% endif %}{% endmacro %}{{ m(3) }}", "{% macro m() %}<{{ caller() }}>{% endmacro %}{% call m() %}x{{ s }}{% endcall %}", "{% macro m() %}<{{ caller(1, 2) }}>{% endmacro %}{% call(a, b=0) m() %}{{ a }}{{ b }}{% endcall %}", "{% macro m() %}x{% endmacro %}{% call m() %}y{% endcall %}", "{% macro m() %}{{ caller() }}{% endmacro %}{{ m() }}", "{% call 5 %}{% endcall %}", "{% call s.upper() %}{% endcall %}",
    "{% macro m(a, b) %}{% endmacro %}{{ m.name }} {{ m.arguments }} {{ m.catch_kwargs }} {{ m.caller }}", "{% macro m(a=1, b) %}{% endmacro %}", "{% macro m(a) %}\n  x\n{% endmacro %}[{{ m(1) }}]", "{%- macro m(a) -%}\n  x\n{%- endmacro -%}\n[{{ m(1) }}]", "{{ m(1) }}{% macro m(a) %}{{ a }}{% endmacro %}", "{% macro m() %}{{ loop is defined }}{% endmacro %}{% for x in l %}{{ m() }}{% endfor %}", "{% macro m(x) %}{{ x|upper }}{% endmacro %}{{ ['a', 'b'] | map('upper') | join }}{{ m('q') | lower }}",
    "{% filter upper %}a{{ s }}{% endfilter %}", "{% filter upper | replace('A', 'x') %}abc{% endfilter %}", "{% filter nofilter %}{% endfilter %}", "{% filter indent(2, true) %}a\nb{% endfilter %}", "{% with %}a{% endwith %}", "{% with x = 1, y = 2 %}{{ x }}{{ y }}{% endwith %}{{ x is defined }}", "{% set x = 1 %}{% with x = 2, y = x %}{{ x }}{{ y }}{% endwith %}{{ x }}", "{% with x %}{% endwith %}",
    "{% if 0 %}a{% elif 1 %}b{% else %}c{% endif %}", "{% if 0 %}a{% elif 0 %}b{% else %}c{% endif %}", "{% if [] %}a{% endif %}", "{% if zz %}a{% else %}b{% endif %}", "{% if zz.x %}{% endif %}", "{% if %}{% endif %}", "{% if 1 %}{% elif %}{% endif %}", "{% if 1, 2 %}a{% endif %}", "{% if true: %}a{% endif %}", "{% else %}",
    "{% if false %}{{ 1 | nofilter }}{% endif %}ok", "{% if true %}{{ 1 | nofilter }}{% endif %}", "{{ (1 | nofilter) if false else 2 }}", "{{ 1 | nofilter }}", "{% if false %}{% for x in l %}{{ x | nofilter }}{% endfor %}{% endif %}", "{% if false %}{{ 1 is notest }}{% endif %}ok", "{% if 'nofilter' is filter %}{{ 1 | nofilter }}{% else %}no{% endif %}",
    "{% generation %}a{{ 1 }}{% endgeneration %}", "{% generation %}{% set x = 1 %}{% endgeneration %}{{ x is defined }}", "{% for x in l %}{% generation %}{{ x }}{% endgeneration %}{% endfor %}", "{% generation %}", "{% for x in l -%}\n  {% generation %}\n  {{ x }}\n  {% endgeneration %}\n{% endfor %}",
    "{% block a %}x{% endblock %}", "{% set x = 1 %}{% block a %}{{ x }}{% endblock a %}", "{% print 1, 'a' %}", "{% include 'x' %}", "{% if false %}{% include 'x' %}{% endif %}ok", "{% extends 'x' %}", "{% import 'x' as y %}", "{% from 'x' import y %}", "{% do l.append(1) %}", "{% trans %}{% endtrans %}",
    "{{ l }}{{ l.append }}{{ l }}", "{{ s.format }}" if False else "{{ 1 }}", "{% set x = d.items() | list %}{{ x[0][0] }}", "{% set m = words | map('upper') %}{{ m | list }}{{ m | list }}", "{% for x in words | map('upper') %}{{ x }}{{ loop.length }}{{ loop.last }}{% endfor %}", "{% for x in l | reverse %}{{ x }}{% endfor %}", "{% for c, g in users | groupby('age') %}{{ c }}:{{ g | map(attribute='name') | join(',') }};{% endfor %}", "{% for g in users | groupby('age') %}{{ g.grouper }}{{ g.list | length }}{% endfor %}", "{% for row in l | batch(2, 0) %}{{ row }}{% endfor %}",
    "{% set j = joiner('|') %}{% for x in l %}{{ j() }}{{ x }}{% endfor %}", "{% set c = cycler('a', 'b') %}{{ c.next() }}{{ c.current }}{{ c.next() }}{{ c.next() }}{{ c.reset() }}{{ c.current }}",
    "a\n    {%- if true %}\n    b\n    {%- endif %}\nc", "{%- for m in l %}\n    {{- m }}\n    {%- if not loop.last %}\n        {{- ', ' }}\n    {%- endif %}\n{%- endfor %}\n", "{% for m in l %}\n  {{ m }}\n{% endfor %}\nend\n", "\t{% if true %}\n\tx\n\t{% endif %}\n", "{{ s }}  \n  {{ s }}", "x\n\n\n  {%- set y = 1 %}\n\n{{ y }}", "{% set x = 1 -%}   \n\n  z", "{% set x = [\n  1,\n  2\n] %}{{ x }}", "{{\n s\n}}", "{%\nset x = 1\n%}{{ x }}", "{{ s -}}\n\n{{- s }}", "{{- s }}", "\u00a0{%- set a = 1 %}x", "{{ 'a\nb' }}", "{{ 'a\r\nb' }}|",
    "{% set x = namespace(l=[]) %}{% for i in range(3) %}{% set x.l = x.l + [i] %}{% endfor %}{{ x.l }}", "{% set d2 = dict(d, **{'z': 1}) %}{{ d2.z }}{{ d2 | length }}", "{% set l2 = l + [4] %}{{ l2 }}{{ l }}", "{{ caller }}", "{{ varargs }}", "{% macro m() %}{% set q = varargs %}{{ q | length }}{% endmacro %}{{ m(1, 2, 3) }}", "{% set f = s.upper %}{{ f() }}", "{% set d3 = {'f': s.split} %}{{ d3.f(',') }}", "{{ (d.get)('a') }}", "{% set r = range %}{{ r(2) | list }}", "{% set upper = 5 %}{{ 'a' | upper }}{{ upper }}", "{% set range = 5 %}{{ range }}",
    "{% autoescape true %}{{ h }}{% endautoescape %}" if False else "{{ 2 }}", "{% for x in range(3) %}{% for y in range(3) %}{% if y == 1 %}{% break %}{% endif %}{{ x }}{{ y }} {% endfor %}{% endfor %}", "{% for x in l %}{% set z %}{% continue %}{% endset %}{{ x }}{% endfor %}|", "{% for x in l %}{% with y = x %}{% if y == 1 %}{% continue %}{% endif %}{{ y }}{% endwith %}{% endfor %}",
    "{% set ns = namespace() %}{% for x in l %}{% set ns.l = loop %}{% endfor %}{{ ns.l.nextitem is defined }}{{ ns.l.previtem }}{{ ns.l.index }}{{ ns.l.last }}", "{% block a required %}  {% endblock %}", "{% block a required %}x{% endblock %}", "{% if false %}{% block a required %}{% endblock %}{% endif %}",
    "{{ raise_exception('bad: ' ~ n) }}", "{% if n > 5 %}{{ raise_exception('x') }}{% endif %}", "{{ strftime_now('%Y') | length }}", "{{ strftime_now }}" if False else "{{ 3 }}",
]


def case(template):
    out = {"template": template}
    try:
        out["text"] = _compile_jinja_template(template).render(**VARIABLES)
    except Exception as e:
        out["error"] = f"{type(e).__name__}: {e}"
    return out


def main(path):
    cases = [case("{{ " + e + " }}") for e in EXPRESSIONS] + [case(t) for t in TEMPLATES]
    # What prints an object's address differs from run to run.
    cases = [c for c in cases if " at 0x" not in c.get("text", "")]
    json.dump({"jinja2": jinja2.__version__, "transformers": transformers.__version__, "variables": VARIABLES, "cases": cases}, open(path, "w"), indent=0, ensure_ascii=False)
    print(len(cases), "cases,", sum("error" in c for c in cases), "errors")


main(sys.argv[1])
