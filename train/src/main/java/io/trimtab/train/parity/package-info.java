/**
 * Holds this toolkit to what other libraries computed: folders of recorded inputs and outputs, each
 * with the weights they were computed from.
 */
@NullMarked
package io.trimtab.train.parity;

import org.jspecify.annotations.NullMarked;
