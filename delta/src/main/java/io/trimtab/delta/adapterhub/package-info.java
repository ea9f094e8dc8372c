/**
 * Deltas in the layout of AdapterHub's library {@code adapters}: {@code adapter_config.json} with
 * an {@code architecture}, and tensors under names that have the adapter's name in them. Each
 * architecture is a {@link io.trimtab.delta.adapterhub.Translation} between its fields and names
 * and those of a method here. Poth et al., "Adapters: A Unified Library for Parameter-Efficient and
 * Modular Transfer Learning", 2023.
 */
@NullMarked
package io.trimtab.delta.adapterhub;

import org.jspecify.annotations.NullMarked;
