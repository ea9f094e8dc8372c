/**
 * Which other programs load an adapter, and if one does not, which field is why: each program's
 * rules as data, as of the version that they were read from.
 */
@NullMarked
package io.trimtab.delta.compat;

import org.jspecify.annotations.NullMarked;
