/**
 * The checkpoints and vocabularies of llama2.c, which tiny models that tell stories are published
 * in.
 */
@NullMarked
package io.trimtab.hub.llama2c;

import org.jspecify.annotations.NullMarked;
