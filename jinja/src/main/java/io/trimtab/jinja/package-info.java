/**
 * Templates in the Jinja language, rendered as Python renders them, within bounds.
 *
 * <p>Language models come with a template that turns a conversation into their prompt. It is
 * written in Jinja, in the dialect of Hugging Face transformers, and it comes from strangers. So
 * this room is an interpreter of that dialect alone: {@link io.trimtab.jinja.Template} is parsed
 * once into a tree and evaluated over plain values; it reaches no class, no file and no clock that
 * it was not given, and every step, every character and every level of nesting is counted against
 * {@link io.trimtab.jinja.Limits}.
 *
 * <p>The dialect is Jinja 3.1 as transformers sets it up: blocks are trimmed and stripped of
 * indentation, {@code break}, {@code continue} and {@code generation} are known, {@code tojson}
 * leaves HTML and Unicode alone, nothing can be changed but namespaces, and attributes that begin
 * with an underscore are out of reach. Values behave as in Python, down to how a float or a
 * dictionary is printed.
 */
@NullMarked
package io.trimtab.jinja;

import org.jspecify.annotations.NullMarked;
