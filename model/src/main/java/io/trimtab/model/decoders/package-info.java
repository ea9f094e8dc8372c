/**
 * Decoder architectures: each reads its configuration and says how its blocks differ from those of
 * the others, in a {@code Recipe} whose plain form is Llama's.
 */
@NullMarked
package io.trimtab.model.decoders;

import org.jspecify.annotations.NullMarked;
