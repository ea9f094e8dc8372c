/** Tests of models, by tiny ones that transformers computed before. */
@NullMarked
package io.trimtab.model;

import org.jspecify.annotations.NullMarked;
