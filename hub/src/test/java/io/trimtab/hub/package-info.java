/** Tests of the hub. */
@NullMarked
package io.trimtab.hub;

import org.jspecify.annotations.NullMarked;
