/** Models written with packed weights. */
@NullMarked
package io.trimtab.model.quantized;

import org.jspecify.annotations.NullMarked;
