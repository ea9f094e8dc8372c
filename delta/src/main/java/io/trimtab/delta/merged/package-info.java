/** Deltas built into their models, as files of their own. */
@NullMarked
package io.trimtab.delta.merged;

import org.jspecify.annotations.NullMarked;
