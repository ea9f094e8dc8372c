/** Backbones as trees of named layers. */
@NullMarked
package io.trimtab.model;

import org.jspecify.annotations.NullMarked;
