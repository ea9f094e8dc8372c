/** Tests of adapters in GGUF files. */
@NullMarked
package io.trimtab.delta.gguf;

import org.jspecify.annotations.NullMarked;
