/**
 * Tokenizers of other formats as the {@code tokenizer.json} of Hugging Face that gives the same
 * numbers.
 */
@NullMarked
package io.trimtab.hub.vocabulary;

import org.jspecify.annotations.NullMarked;
