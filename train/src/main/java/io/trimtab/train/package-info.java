/** From data to batches to loss to steps: optimizers, schedules, runs, checkpoints and metrics. */
@NullMarked
package io.trimtab.train;

import org.jspecify.annotations.NullMarked;
