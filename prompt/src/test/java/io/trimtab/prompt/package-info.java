/** Tests of templates, verbalizers and tuning. */
@NullMarked
package io.trimtab.prompt;

import org.jspecify.annotations.NullMarked;
