@NullMarked
package io.trimtab.model.weights;

import org.jspecify.annotations.NullMarked;
