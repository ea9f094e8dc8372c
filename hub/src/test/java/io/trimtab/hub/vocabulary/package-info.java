/** Tests of vocabulary. */
@NullMarked
package io.trimtab.hub.vocabulary;

import org.jspecify.annotations.NullMarked;
