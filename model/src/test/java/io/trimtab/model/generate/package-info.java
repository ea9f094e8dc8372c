/** Tests of generation and scoring. */
@NullMarked
package io.trimtab.model.generate;

import org.jspecify.annotations.NullMarked;
