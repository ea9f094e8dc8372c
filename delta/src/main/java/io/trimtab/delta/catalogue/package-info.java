/** What there is: every delta method with its paper, its options, and what it can do. */
@NullMarked
package io.trimtab.delta.catalogue;

import org.jspecify.annotations.NullMarked;
