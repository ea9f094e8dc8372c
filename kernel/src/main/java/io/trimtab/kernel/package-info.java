/**
 * Products of single rows with frozen matrices, what else a decode step computes over a row, and
 * what a training step computes between its products.
 *
 * <p><b>Why.</b> One stream of tokens reads all weights once a token and does next to nothing with
 * each: the memory sets the pace, and general products, made for many rows, and operators of a few
 * microseconds each reach a fraction of it. Here the weights stay as small as the file has them and
 * are unpacked in registers.
 *
 * <p><b>Layout.</b> {@link io.trimtab.kernel.Panels} repacks a quantized matrix without loss:
 * sixteen rows make a panel, and a lane of a vector is a row. A product is then a stream of whole
 * vectors, one broadcast input each; nothing is summed across lanes, and sixteen scales are one
 * load. A 4-bit weight is masked where it lies and converted, its power of sixteen having been
 * taken from the input: three instructions to sixteen weights. {@link io.trimtab.kernel.Rows} reads
 * plain numbers where they are.
 *
 * <p><b>Exact.</b> A product is the one with the dequantized matrix in single precision, up to the
 * order of its sum; inputs are not rounded to 8 bits as in llama.cpp. The processor's own
 * instruction for sums of 8-bit products is out of reach anyhow: the Vector API has no operation
 * that becomes one. The number of threads of the {@link io.trimtab.kernel.Crew} changes no bit.
 *
 * <p><b>Training.</b> {@link io.trimtab.kernel.FusedRows} goes over the memory once where operators
 * of one step of a formula each go four or five times, and keeps nothing between: norms, gated
 * units, rotary positions, causal softmax and cross-entropy with their gradients. Numbers of 16
 * bits are widened into arrays that fit the nearest cache, in an order of their own that costs no
 * shuffle, and rounded once at the end.
 *
 * <p><b>Mixed batches.</b> {@link io.trimtab.kernel.LowRankRows} adds the low-rank products of a
 * batch under many LoRAs, each segment of rows under matrices of its own, in F32 or, widened, in 16
 * bits.
 *
 * <p><b>Vectors</b> need {@code --add-modules jdk.incubator.vector}; without it {@link
 * io.trimtab.kernel.Backend} falls back to plain Java and says so.
 *
 * <p><b>Memory.</b> Panels live in the arena that is given to {@code pack}; plain rows and keys
 * stay where they are. Nothing here knows libtorch.
 */
@NullMarked
package io.trimtab.kernel;

import org.jspecify.annotations.NullMarked;
