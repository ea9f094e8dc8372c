/**
 * Checkpoints of OpenDelta: {@code config.json} and the state of a changed backbone as a pickle,
 * which is read and never run.
 */
@NullMarked
package io.trimtab.delta.opendelta;

import org.jspecify.annotations.NullMarked;
