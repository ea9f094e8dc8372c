/**
 * Texts out of decoders, alone or behind an encoder: sampling, beam search, and how likely a model
 * finds texts that are given.
 *
 * <p>{@link io.trimtab.model.generate.Generator} goes on with texts, {@link
 * io.trimtab.model.generate.TokenGenerator} with token numbers; {@link
 * io.trimtab.model.generate.GenerateOptions} say how, with a {@link
 * io.trimtab.model.generate.Sampling} that turns scores into a choice: penalties in {@link
 * io.trimtab.model.generate.Penalties}, filters in {@link io.trimtab.model.generate.Candidates}.
 * Many rows are computed together, continuations of a prompt share its keys and values, and a row
 * that has ended is dropped. An encoder-decoder reads the prompt with its encoder, and its decoder
 * begins a text of its own. What is drawn goes by the seed, the prompt, the number of the sample
 * and the step alone ({@link io.trimtab.model.generate.Draws}). {@link
 * io.trimtab.model.generate.BeamSearch} looks for the likeliest continuation, and {@link
 * io.trimtab.model.generate.Scorer} scores continuations and whole texts. {@link
 * io.trimtab.model.generate.Chat} answers in conversations.
 */
@NullMarked
package io.trimtab.model.generate;

import org.jspecify.annotations.NullMarked;
