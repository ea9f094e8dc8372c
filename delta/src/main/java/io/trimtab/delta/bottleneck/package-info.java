/**
 * Bottleneck adapters: two linear maps, down to a few numbers and up again, with a non-linearity
 * between them, beside or behind the parts of a frozen model.
 *
 * <ul>
 *   <li>Houlsby et al., "Parameter-Efficient Transfer Learning for NLP", 2019: behind attention and
 *       behind the feed-forward network, before the addition;
 *   <li>Pfeiffer et al., "AdapterFusion", 2021: behind the feed-forward network only;
 *   <li>He et al., "Towards a Unified View of Parameter-Efficient Transfer Learning", 2022:
 *       parallel to a sublayer, with a scale;
 *   <li>Karimi Mahabadi et al., "Compacter", 2021: linear maps that are sums of Kronecker products,
 *       and the low-rank adapters that they compare with;
 *   <li>Pfeiffer et al., "MAD-X", 2020: invertible adapters at the embeddings.
 * </ul>
 *
 * <p>They are one family: a {@link io.trimtab.delta.bottleneck.Placement} says where, {@link
 * io.trimtab.delta.bottleneck.Maps} of what the linear maps are made, {@link
 * io.trimtab.delta.bottleneck.Inside} what else is in the adapter; {@link
 * io.trimtab.delta.bottleneck.Bottleneck} joins them. The methods are names for settings of these.
 */
@NullMarked
package io.trimtab.delta.bottleneck;

import org.jspecify.annotations.NullMarked;
