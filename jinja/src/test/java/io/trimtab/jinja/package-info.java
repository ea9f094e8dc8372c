/** Tests of the templates, most of them against what Python's Jinja makes of the same. */
@org.jspecify.annotations.NullMarked
package io.trimtab.jinja;
