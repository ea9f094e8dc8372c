/**
 * Trainable tokens: chosen rows of an embedding are trained, and all other rows stay as they are.
 * The method of this name in Hugging Face PEFT.
 */
@NullMarked
package io.trimtab.delta.tokens;

import org.jspecify.annotations.NullMarked;
