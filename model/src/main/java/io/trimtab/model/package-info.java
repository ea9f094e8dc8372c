/**
 * Backbones as trees of named layers.
 *
 * <p><b>The tree.</b> A {@link io.trimtab.model.Model} is an {@link io.trimtab.model.Stack}
 * (embeddings, then blocks; an encoder or a decoder), or an encoder with the decoder that reads it,
 * and the {@link io.trimtab.model.Head}s that read the vectors. Every part is a {@link
 * io.trimtab.model.Layer}, and a layer's path is the name that its checkpoint on the Hugging Face
 * hub gives it, such as {@code bert.encoder.layer.0.attention.self.query}: addresses, adapter
 * files, errors and reports all speak these names. A layer that a model uses several times, as
 * ALBERT does, is one layer with one path.
 *
 * <p><b>Sites and patches.</b> A model is frozen; nothing ever changes it. What can be changed from
 * outside is written at {@link io.trimtab.model.Site}s: the input and output of each linear layer,
 * the rows of each embedding, each stored tensor; what a {@link io.trimtab.model.Sublayer} gives
 * before it is added to its input, and the keys and values of its attention; the results of the
 * embeddings, of sublayers and of blocks; and among the embedded tokens, where vectors can be put
 * in as if there were more of them. A {@link io.trimtab.model.Patch} is a function of what is at a
 * site; {@link io.trimtab.model.Patches} say which acts where.
 *
 * <p><b>The pass.</b> All that differs between two uses of a model travels in a {@link
 * io.trimtab.model.Pass}: which patches act on which rows, whether this is training, and how the
 * tokens lie. Rows under different patches go through the model together: what no patch touches is
 * computed once for all, each patch over its own rows. Two threads with two passes never meet.
 *
 * <p><b>Packed batches.</b> The rows of a {@link io.trimtab.model.Batch} lie one after the other
 * without padding, as their {@link io.trimtab.model.Layout} says; {@link
 * io.trimtab.model.Attention} stays within each row. {@link io.trimtab.model.Positions} name the
 * tokens that are read: the last block and the head compute no others, and a head can score chosen
 * words alone.
 *
 * <p><b>Decoding.</b> A pass can carry a {@link io.trimtab.model.KeyValueCache}: then its tokens
 * come after those that the cache holds, whose keys and values are not computed again. {@link
 * io.trimtab.model.Model#nextLogits} scores the words that may come next; the first pass is given
 * the prompts, every later one a token a row. Rows can be dropped, cut back and forked, and forks
 * share what they have in common.
 *
 * <p><b>Encoder-decoders.</b> These have two stacks. {@link io.trimtab.model.Model#encode} runs the
 * first; a pass over the decoder's tokens {@linkplain io.trimtab.model.Pass#reading reads} what it
 * gave, each row the encoded row of the same number, and is used as a decoder's alone is. A cache
 * keeps what blocks make of the encoded rows, too. What knows of one stack alone asks for {@link
 * io.trimtab.model.Model#stack}, which is an error here.
 *
 * <p><b>Families.</b> An {@link io.trimtab.model.Architecture} reads a configuration, asks {@link
 * io.trimtab.model.Weights} for tensors by name and joins the layers; it is one class, found by
 * {@link java.util.ServiceLoader}, and nothing else has to be edited for a new one. A setting that
 * changes the mathematics and is not computed, and a tensor that no layer asked for, are errors.
 */
@NullMarked
package io.trimtab.model;

import org.jspecify.annotations.NullMarked;
