/** The encoders Trimtab reads, one class a family. */
@NullMarked
package io.trimtab.model.encoders;

import org.jspecify.annotations.NullMarked;
