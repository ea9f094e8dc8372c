/**
 * Small trainable parts that attach to named places of a frozen model: their addresses, composition
 * and files.
 */
@NullMarked
package io.trimtab.delta;

import org.jspecify.annotations.NullMarked;
