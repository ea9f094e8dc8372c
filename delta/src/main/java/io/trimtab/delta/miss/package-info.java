/**
 * MiSS, once called Bone: one small matrix that is added to every shard of a weight (Kang and Yin,
 * "MiSS: Revisiting the Trade-off in LoRA with an Efficient Shard-Sharing Structure", 2024).
 */
@NullMarked
package io.trimtab.delta.miss;

import org.jspecify.annotations.NullMarked;
