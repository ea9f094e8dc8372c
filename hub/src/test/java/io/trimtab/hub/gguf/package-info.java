/** Tests of gguf. */
@NullMarked
package io.trimtab.hub.gguf;

import org.jspecify.annotations.NullMarked;
