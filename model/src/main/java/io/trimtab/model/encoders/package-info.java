/**
 * The encoders Trimtab reads, one class a family. Most are BERT's post-norm blocks under other
 * names; where the mathematics differ there is a class for the difference: {@link
 * io.trimtab.model.encoders.DebertaV2} adds relative positions to the scores, {@link
 * io.trimtab.model.encoders.ModernBert} has blocks of its own with rotary positions and windows.
 */
@NullMarked
package io.trimtab.model.encoders;

import org.jspecify.annotations.NullMarked;
