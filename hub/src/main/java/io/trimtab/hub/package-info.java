/** Finds, downloads, verifies, reads and writes model files; tokenizers; chat templates. */
@NullMarked
package io.trimtab.hub;

import org.jspecify.annotations.NullMarked;
