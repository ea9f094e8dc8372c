/** Templates, verbalizers and what is built of them: classification by filling blanks. */
@NullMarked
package io.trimtab.prompt;

import org.jspecify.annotations.NullMarked;
