/** Tests of the block formats. */
@NullMarked
package io.trimtab.hub.blocks;

import org.jspecify.annotations.NullMarked;
