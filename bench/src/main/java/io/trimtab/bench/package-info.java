/** Times Trimtab: JMH benchmarks of its parts, and whole jobs that peers run side by side. */
@NullMarked
package io.trimtab.bench;

import org.jspecify.annotations.NullMarked;
