/** Tests of llama2c. */
@NullMarked
package io.trimtab.hub.llama2c;

import org.jspecify.annotations.NullMarked;
